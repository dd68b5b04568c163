"""`--margin auto`: the margin from what the auto-encoder alone reaches on the real images.

The EBGAN paper's appendix E (arXiv:1609.03126) takes the energy at which the discriminator settles, when it
learns to reconstruct real images and nothing else, as the scale of the margin. FACTOR times that energy is
the margin. KID by the factor (2026-11-28), of the digits after 4,000 steps of two seeds, whose energy settles
at 0.745, and of MNIST after 2,000 steps in bfloat16 of one, where it settles at 4.09:

    times     0.5          1            1.5          2            3            4            6
    digits    0.40, 0.59   0.025, 0.028 0.010, 0.021 0.012, 0.017 0.012, 0.013 0.012, 0.018 0.039, 0.032
    MNIST     0.46         0.14         0.061        0.072        0.062        0.071        not run

On sprites of 64x64 it settles at 12.5, on the faces of Yale B at 8.63, and twice that trained both. On 3,000
dogs, with half of the width of the 64x64 discriminator, it settles at 16.7, and the margin of 14 that worked
was 0.8 times it: on such pictures begin below what is measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch

import ebgan_kernels as ek
from ebgan.files import StrPath
from ebgan.gan.config import GanConfig
from ebgan.gan.ebgan import EBGAN
from ebgan.gan.runs import build
from ebgan.training import autocast, cpu_threads, seed_step

FACTOR = 2.0
WINDOW = 100  # steps whose mean energy is compared with that of the window before
SETTLED = 0.02  # the energy has settled where it falls by less than this share from window to window
MOST_STEPS = 3000


@dataclass(frozen=True)
class Settled:
    """The mean energy of real images at which the auto-encoder alone settles, and after how many steps."""

    energy: float
    steps: int

    @property
    def margin(self) -> float:
        """The margin, to three digits: more would promise what a window's mean does not hold."""
        margin = FACTOR * self.energy
        return round(margin, 2 - math.floor(math.log10(margin)))

    def __str__(self) -> str:
        return (
            f"margin: the auto-encoder alone settles at an energy of {self.energy:.3g} after {self.steps:,} "
            f"steps; {FACTOR:g} times that is a margin of {self.margin:g}"
        )


def settle(config: GanConfig, device: torch.device, data_root: StrPath | None) -> Settled:
    """Train the discriminator of `config` alone on real images until its energy settles.

    The networks of the run itself are built anew afterwards, so that a run whose margin was measured is the
    run that is given the same margin.
    """
    system = build(replace(config, margin=1.0), device, data_root)
    assert isinstance(system, EBGAN)
    discriminator, optimizer = system.discriminator, system.discriminator_optimizer
    before = math.inf
    with cpu_threads(config.threads):
        for window in range(1, MOST_STEPS // WINDOW + 1):
            energies = []
            for step in range((window - 1) * WINDOW, window * WINDOW):
                seed_step(config.seed, step)
                batch = system.batches.at(step).to(device, non_blocking=True)
                optimizer.zero_grad()  # not `update`, which waits for other processes of the run
                for real in batch.chunk(config.accumulate):
                    with autocast(device, config.precision):
                        reconstruction, _ = discriminator(real)
                    energy = ek.reconstruction_energy(reconstruction, real, distance=config.distance)
                    shaped = energy if config.shaping == "identity" else energy.square()
                    (shaped.sum() / len(batch)).backward()
                    energies.append(energy.detach().mean())
                optimizer.step()
            energy_now = float(torch.stack(energies).mean())
            if energy_now > (1 - SETTLED) * before:
                break
            before = energy_now
    return Settled(min(energy_now, before), window * WINDOW)


def measured(config: GanConfig, device: torch.device, data_root: StrPath | None) -> GanConfig:
    """The configuration with a number for a margin that is "auto"; the measurement is printed."""
    if config.margin != "auto":
        return config
    settled = settle(config, device, data_root)
    print(settled, flush=True)
    return replace(config, margin=settled.margin)
