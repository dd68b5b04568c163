"""Any shape, stride and mix of dtypes: right, and not copied where a sample is one block of memory."""

from __future__ import annotations

import pytest
import torch

import ebgan_kernels as ek
from support.accuracy import assert_within_one_ulp
from support.implementations import OperatorLog, device_of
from support.layouts import DENSE, LAYOUTS
from support.losses import CASES, Case, images, torch_value_and_gradients, value_and_gradients

COPIES = {"aten.clone", "aten.copy_", "aten.contiguous", "aten._to_copy"}


def assert_close_to_float64(case: Case, inputs: list[torch.Tensor], margin: torch.Tensor) -> None:
    value, gradients = value_and_gradients(case, inputs, margin)
    exact_value, exact_gradients = torch_value_and_gradients(case, inputs, margin, torch.float64)
    torch.testing.assert_close(value.double(), exact_value, rtol=2e-6, atol=0)
    for x, gradient, exact_gradient in zip(inputs, gradients, exact_gradients, strict=True):
        if x.dtype == torch.float32:
            # Near the margin the hinge cancels: what is left of an energy's rounding is absolute.
            atol = 1e-6 * max(1.0, float(exact_gradient.abs().max())) if exact_gradient.numel() else 0
            torch.testing.assert_close(gradient.double(), exact_gradient, rtol=2e-6, atol=atol)
        else:
            assert_within_one_ulp(gradient, exact_gradient)


@pytest.mark.parametrize("target_layout", LAYOUTS)
@pytest.mark.parametrize("reconstruction_layout", LAYOUTS)
def test_every_pair_of_layouts_gives_the_same_result(
    reconstruction_layout: str, target_layout: str, implementation: ek.Backend
) -> None:
    layouts = 2 * (LAYOUTS[reconstruction_layout], LAYOUTS[target_layout])
    batch = [
        layout(image) for layout, image in zip(layouts, images(device=device_of(implementation)), strict=True)
    ]
    for case in (Case("reconstruction_energy"), Case("discriminator_loss")):
        assert_close_to_float64(case, case.inputs(batch), case.margin(batch))


def test_energies_of_any_stride_give_the_same_result(implementation: ek.Backend) -> None:
    table = torch.linspace(0, 3, 20, device=device_of(implementation)).reshape(5, 4)
    case, margin = Case("hinge_margin_loss"), torch.tensor(1.6, device=table.device)
    for real, fake in ((table[:, 1], table[2:, 3]), (table[0, 2].expand(6), table[::2, 0])):
        assert_close_to_float64(
            case, [real.detach().requires_grad_(), fake.detach().requires_grad_()], margin
        )


def test_an_expanded_incoming_gradient_and_a_strided_one_give_the_same_result(
    implementation: ek.Backend,
) -> None:
    reconstruction, target = images(device=device_of(implementation))[:2]
    energy = ek.reconstruction_energy(reconstruction.requires_grad_(), target)
    weights = torch.tensor([[2.0, 9.0]] * 3, device=energy.device)[:, 0]
    strided = torch.autograd.grad(energy, reconstruction, weights, retain_graph=True)
    expanded = torch.autograd.grad(energy, reconstruction, weights[:1].expand(3))
    assert torch.equal(strided[0], expanded[0])


@pytest.mark.parametrize("layout", DENSE)
def test_dense_samples_are_read_where_they_are(layout: str, kernels: ek.Backend) -> None:
    batch = [DENSE[layout](image).requires_grad_() for image in images(device=device_of(kernels))]
    margin = torch.ones((), device=device_of(kernels))
    with OperatorLog() as log:
        ek.discriminator_loss(*batch, margin=margin).loss.backward()
    assert not COPIES & set(log.names), log.names


def test_any_shape_layout_and_mix_of_dtypes(implementation: ek.Backend) -> None:
    pytest.importorskip("hypothesis")
    from hypothesis import given
    from hypothesis import strategies as st

    dtype = st.sampled_from([torch.float16, torch.bfloat16, torch.float32])
    layout = st.sampled_from(sorted(LAYOUTS))

    @given(
        case=st.sampled_from(CASES),
        sample=st.lists(st.integers(1, 9), min_size=1, max_size=4),
        counts=st.tuples(st.integers(1, 5), st.integers(1, 5)),
        dtypes=st.tuples(dtype, dtype),
        layouts=st.tuples(layout, layout, layout, layout),
        seed=st.integers(0, 99),
    )
    def check(
        case: Case,
        sample: list[int],
        counts: tuple[int, int],
        dtypes: tuple[torch.dtype, torch.dtype],
        layouts: tuple[str, ...],
        seed: int,
    ) -> None:
        real, fake = counts
        batch = images(
            seed, sample=sample, real=real, fake=fake, dtypes=dtypes, device=device_of(implementation)
        )
        batch = [LAYOUTS[name](image) for name, image in zip(layouts, batch, strict=True)]
        assert_close_to_float64(case, case.inputs(batch), case.margin(batch))

    check()
