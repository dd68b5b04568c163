"""The benchmark of the pulling-away term on tiny inputs, torch.compile left out."""

from __future__ import annotations

import pytest
import torch

from benchmarks.bench_pulling_away import PULLING_AWAY
from benchmarks.operators import MODES, Case, available_implementations, draw, measure

CPU = torch.device("cpu")


@pytest.mark.parametrize("shape", [(4, 6), (6, 4)])
def test_every_mode_has_a_row_of_each_implementation_and_of_the_bare_products(
    shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    rows = list(measure(Case(PULLING_AWAY, shape), device=CPU, copy_gb_per_s=10.0, quick=True))
    names = ["eager", "torch.compile", *available_implementations(CPU), "streaming"]
    assert [(row.mode, row.implementation) for row in rows] == [
        (mode, name) for mode in MODES for name in names
    ]
    assert all(row.error < 1e-5 for row in rows if row.implementation != "streaming")  # type: ignore[operator]


@pytest.mark.parametrize("shape", [(4, 6), (6, 4)])
def test_the_bare_products_are_the_smaller_gram_matrix_and_the_size_of_the_codes(
    shape: tuple[int, int],
) -> None:
    arguments = draw(Case(PULLING_AWAY, shape), CPU).arguments
    gram, gradient = PULLING_AWAY.stream(arguments, "forward+backward")  # type: ignore[misc]
    assert gram.shape == (4, 4) and gradient.numel() == 24
    assert PULLING_AWAY.bytes(arguments, "forward") == 4 * 24
    assert PULLING_AWAY.bytes(arguments, "forward+backward") == 3 * 4 * 24
