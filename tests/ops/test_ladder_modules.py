"""The module: its start, its state, and that it is the function."""

from __future__ import annotations

import torch

import ebgan_kernels as ek
from support.implementations import device_of
from support.ladder import COMBINATOR, Case


def test_the_module_equals_the_function(implementation: ek.Backend) -> None:
    z, u, parameters = Case(COMBINATOR, (3,)).inputs(device=device_of(implementation))
    module = ek.GaussianCombinator(10, (3,), device=z.device)
    module.load_state_dict({"weight": parameters})
    assert torch.equal(module(z, u), ek.gaussian_combinator(z, u, parameters))
    module(z, u).sum().backward()
    assert module.weight.grad.shape == (3, 10, 10)


def test_it_starts_at_a2_and_a7_of_1_and_gives_0(implementation: ek.Backend) -> None:
    module = ek.GaussianCombinator(4, device=device_of(implementation), dtype=torch.float64)
    assert module.weight.dtype == torch.float64
    assert module.weight.tolist() == [[float(k in (1, 6))] * 4 for k in range(10)]
    z, u = torch.randn(2, 3, 4, dtype=torch.float64, device=module.weight.device)
    assert not module(z, u).any()


def test_representations_show_the_sizes() -> None:
    assert repr(ek.GaussianCombinator(4)) == "GaussianCombinator(4)"
    assert repr(ek.GaussianCombinator(4, (2, 3))) == "GaussianCombinator(4, leading=(2, 3))"
