"""The benchmark of ladder training steps: what its variants compute is the same."""

from __future__ import annotations

import pytest
import torch

import ebgan_kernels as ek
from benchmarks.bench_ladder_steps import CASES, measure_step, random_batch, system

CPU = torch.device("cpu")


@pytest.mark.parametrize("model", ["bottom", "full", "ebgan"])
def test_a_step_in_plain_pytorch_does_what_ours_does(model) -> None:
    batches = random_batch(2, CPU, inputs=20)
    with ek.backend("reference"):
        plain = system(model, batches, hidden=(8, 6), graphed=False)
        expected = [plain.step(step) for step in (1, 2)]
    ours = system(model, batches, hidden=(8, 6))
    torch.testing.assert_close([ours.step(step) for step in (1, 2)], expected, rtol=1e-4, atol=1e-4)


def test_rows_are_of_every_variant(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda function, **_: compiled.append(function) or function)
    rows = measure_step("ebgan", 1, CPU, quick=True)
    assert [row.implementation for row in rows] == ["eager", "objectives compiled", "ours"]
    assert len(compiled) == 4 and rows[0].batch == 1


def test_the_full_run_holds_one_and_fifteen_networks_and_the_generators_phase() -> None:
    assert {("bottom", 1), ("bottom", 15), ("ebgan", 1)} <= set(CASES)
