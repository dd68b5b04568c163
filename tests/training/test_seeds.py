"""Random numbers of a run: a function of seed and step, another one for every pair."""

from __future__ import annotations

import torch

from ebgan.training import seed_step


def drawn(seed: int, step: int) -> tuple[float, ...]:
    seed_step(seed, step)
    return tuple(torch.rand(4).tolist())


def test_every_pair_of_seed_and_step_has_numbers_of_its_own() -> None:
    pairs = [(seed, step) for seed in range(8) for step in range(40)]
    assert len({drawn(*pair) for pair in pairs}) == len(pairs)


def test_the_same_pair_has_the_same_numbers_whatever_was_drawn_before() -> None:
    first = drawn(3, 7)
    torch.rand(100)
    assert drawn(3, 7) == first
