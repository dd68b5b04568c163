"""The benchmark of the gradient-difference family on tiny inputs, torch.compile left out."""

from __future__ import annotations

import pytest
import torch

from benchmarks.bench_gdl import (
    CASES,
    GRADIENT_DIFFERENCE,
    GRADIENT_DIFFERENCE_3D,
    MULTISCALE,
    PREDICTION,
)
from benchmarks.operators import MODES, Case, Operator, available_implementations, draw, measure

CPU = torch.device("cpu")
SHAPES = [
    (GRADIENT_DIFFERENCE, (2, 3, 4, 6)),
    (GRADIENT_DIFFERENCE_3D, (2, 3, 4, 6)),
    (PREDICTION, (2, 3, 4, 6)),
    (MULTISCALE, (2, 3, 16, 16)),
]


@pytest.mark.parametrize(("operator", "shape"), SHAPES, ids=lambda value: getattr(value, "name", ""))
def test_every_mode_has_a_row_of_each_implementation_and_each_computes_the_same(
    operator: Operator, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    rows = list(measure(Case(operator, shape), device=CPU, copy_gb_per_s=10.0, quick=True))
    names = ["eager", "torch.compile", *available_implementations(CPU), "streaming"]
    assert [(row.mode, row.implementation) for row in rows] == [
        (mode, name) for mode in MODES for name in names
    ]
    assert all(row.error < 1e-5 for row in rows if row.implementation != "streaming")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("operator", "shape", "predictions", "target"),
    [(PREDICTION, (2, 3, 4, 6), 144, 144), (MULTISCALE, (2, 3, 16, 16), 6 * (256 + 64 + 16 + 4), 6 * 256)],
    ids=lambda value: getattr(value, "name", ""),
)
def test_bytes_are_the_least_traffic_and_streaming_makes_it(
    operator: Operator, shape: tuple[int, ...], predictions: int, target: int
) -> None:
    arguments = draw(Case(operator, shape), CPU).arguments
    assert operator.bytes(arguments, "forward") == 4 * (predictions + target)
    assert operator.bytes(arguments, "forward+backward") == 4 * (2 * predictions + target)
    coarse, finest = operator.stream(arguments, "forward+backward")  # type: ignore[misc]
    assert sum(tensor.numel() for tensor in (*coarse, finest)) == predictions


def test_the_full_run_holds_the_sizes_that_are_to_be_shown() -> None:
    shown = {(case.operator.name, case.shape) for case in CASES if case.dtype is torch.float32}
    assert shown >= {
        ("gradient_difference_loss", (32, 3, 256, 256)),
        ("gradient_difference_loss", (8, 3, 32, 32)),
        ("gradient_difference_loss, 3-D", (2, 1, 96, 96, 96)),
        ("multiscale_prediction_loss", (8, 24, 32, 32)),
    }
