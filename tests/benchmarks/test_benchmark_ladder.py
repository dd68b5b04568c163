"""The benchmark of the ladder family on tiny inputs, torch.compile left out."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from benchmarks.bench_ladder import CASES, COMBINATOR, COST, LAYER
from benchmarks.operators import Case, Operator, available_implementations, draw, measure

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("operator", "shape"),
    [
        *product([COST, COMBINATOR], [(4, 6), (2, 4, 6)]),
        *product([LAYER], [(2, 4, 6), (3, 2, 4, 6)]),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_every_mode_has_a_row_of_each_implementation_and_each_computes_the_same(
    operator: Operator, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    rows = list(measure(Case(operator, shape), device=CPU, copy_gb_per_s=10.0, quick=True))
    names = ["eager", "torch.compile", *available_implementations(CPU), "streaming"]
    assert [(row.mode, row.implementation) for row in rows] == [
        (mode, name) for mode in operator.modes for name in names
    ]
    assert all(row.error < 1e-5 for row in rows if row.implementation != "streaming")  # type: ignore[operator]


def test_bytes_are_the_least_traffic() -> None:
    # Of 4 x 6 elements: 24 a tensor of samples, 60 parameters, 6 a statistic.
    cost = draw(Case(COST, (4, 6)), CPU).arguments
    assert COST.bytes(cost, "forward") == 4 * (3 * 24 + 60 + 2 * 6)
    assert COST.bytes(cost, "forward+backward") == 2 * 4 * (3 * 24 + 60 + 2 * 6)
    combinator = draw(Case(COMBINATOR, (4, 6)), CPU).arguments
    assert COMBINATOR.bytes(combinator, "forward") == 4 * (3 * 24 + 60)
    # z_hat written, the gradient that comes in read
    assert COMBINATOR.bytes(combinator, "forward+backward") == 4 * (3 * (2 * 24 + 60) + 2 * 24)
    # Two parts: 48 a tensor of samples, 6 of beta, 12 a statistic.
    layer = draw(Case(LAYER, (2, 4, 6)), CPU).arguments
    assert LAYER.bytes(layer, "forward") == 4 * (4 * 48 + 6 + 2 * 12)
    # the gradient of h read beside x, noise, beta and statistics; those of x and beta written
    assert LAYER.bytes(layer, "forward+backward") == 4 * (8 * 48 + 3 * 6 + 4 * 12)


def test_the_full_run_holds_the_sizes_that_are_to_be_shown() -> None:
    shown = {(case.operator.name, case.shape) for case in CASES if case.dtype is torch.float32}
    assert shown >= {("ladder_denoising_cost", (100, 784)), ("ladder_denoising_cost", (1500, 784))}
    assert shown >= {("ladder_layer", (2, 100, 1000)), ("ladder_layer", (15, 2, 100, 1000))}
