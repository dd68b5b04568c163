"""The step in plain PyTorch that ours is measured beside computes the same."""

from __future__ import annotations

import pytest
import torch

from benchmarks.bench_disentangle import CASES, FixedTriplets, PlainStep, measure, networks, our_step


@pytest.mark.parametrize("case", CASES)
def test_both_steps_start_from_the_same_losses(case):
    net, image, size, _ = CASES[case]
    device = torch.device("cpu")
    batches = FixedTriplets(image, 4, device)
    found = []
    for way in (PlainStep, our_step):
        step = way(networks(net, image, size, device), batches)
        # Dropout draws in another order, so its discriminator is compared without.
        torch.manual_seed(7)
        found.append(step())
    names = ["reconstruction", "swap", "kl"] + (["adversarial"] if net == "small" else [])
    for name in names:
        torch.testing.assert_close(found[0][name], found[1][name], rtol=1e-4, atol=1e-6)
    if net == "small":
        torch.testing.assert_close(
            found[0]["discriminator_loss"], found[1]["discriminator_loss"], rtol=1e-4, atol=1e-5
        )


def test_the_rows_name_both():
    rows = measure("small nets, 8x8", torch.device("cpu"), quick=True)
    assert [row.implementation for row in rows] == ["eager", "ours"]
    assert all(row.median_ms > 0 and row.unit == "triplets" for row in rows)
