"""Random numbers as a function of (seed, step), so that a resumed run equals one that never stopped."""

from __future__ import annotations

import numpy as np
import torch


def seed_step(seed: int, step: int) -> None:
    """Seed torch's generators, of all devices, for `step` of the run with `seed`; step 0 is the
    initialisation.

    Whatever a step draws (noise, dropout) then depends on these two numbers alone, so a checkpoint needs
    no state of any generator, and pictures made between steps change nothing. `SeedSequence` hashes the
    pair, so neighbouring steps and seeds are unrelated.
    """
    (state,) = np.random.SeedSequence((seed, step)).generate_state(1, np.uint64)
    torch.manual_seed(int(state))
