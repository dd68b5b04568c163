"""The benchmark of fast steps: its ways differ in what they are named after, and its rates are rates."""

from __future__ import annotations

import pytest
import torch

from benchmarks.bench_training_step import against_peak, cases, shared_out
from benchmarks.rows import PartRow
from ebgan.gan import EBGAN
from ebgan.training import cpu_threads, fastest

CPU = torch.device("cpu")


def test_every_case_steps_in_every_way_and_a_switch_reaches_its_system() -> None:
    with cpu_threads(1):
        for case in cases(CPU, quick=True):
            switches = {"precision": "bfloat16"} | dict(fastest(case.workload, CPU).fields)
            for way, given in (("plain", {}), ("ours", {}), ("ours, --fast", switches)):
                made = case.build(way, given)
                assert getattr(made, "precision") == given.get("precision", "float32")  # noqa: B009
                assert all(value.isfinite().all() for value in made.step(1).values())
                fused = [group["fused"] for each in made.optimizers.values() for group in each.param_groups]
                assert fused == [None if way == "plain" else True] * len(fused)


def test_the_losses_of_a_plain_gan_are_those_of_ours() -> None:
    case = cases(CPU, quick=True)[0]
    metrics = {}
    for way in ("plain", "ours"):
        made = case.build(way, {})
        assert isinstance(made, EBGAN)
        torch.manual_seed(0)
        metrics[way] = made.step(1)
    torch.testing.assert_close(metrics["plain"], metrics["ours"])


def test_the_parts_of_a_step_add_up_to_it() -> None:
    parts = [PartRow("s", "j", "Adam", 30.0, 3.0, 0.75), PartRow("s", "j", "copies", 10.0, 1.0, 0.25)]
    adam, copies = shared_out(parts, 4.0)
    assert (adam.median_ms, adam.iqr_ms, copies.median_ms) == pytest.approx((3.0, 0.3, 1.0))


def test_a_rate_is_what_was_counted_over_the_time_of_the_products() -> None:
    a, b = torch.ones(100, 200), torch.ones(200, 300)
    parts = [
        PartRow("s", "j", name, milliseconds, 0.0, milliseconds / 12)
        for name, milliseconds in {"matrix products": 2.0, "convolutions": 1.0, "Adam": 9.0}.items()
    ]
    peak, step = against_peak(lambda: a @ b, 24.0, parts, "job", torch.float32, CPU)
    assert step.median_ms == pytest.approx(6.0)
    assert step.per_second == pytest.approx(2 * 100 * 200 * 300 / 6.0 / 1e6)
    assert step.speedup == pytest.approx(step.per_second / peak.per_second) and peak.speedup == 1.0
