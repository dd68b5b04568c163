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
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

import ebgan_kernels as ek
from ebgan.files import StrPath
from ebgan.gan.config import GanConfig
from ebgan.gan.ebgan import EBGAN
from ebgan.gan.runs import build
from ebgan.training import NonFinite, Rows, autocast, cpu_threads, seed_step
from ebgan.training.interrupt import stop_request
from ebgan.training.meter import meter

FACTOR = 2.0
WINDOW = 100  # steps whose mean energy is compared with that of the window before
SETTLED = 0.02  # the energy has settled where it falls by less than this share from window to window
MOST_STEPS = 3000
STOPPED = "stopped while the margin was measured, before step 1; nothing is saved yet: give the command again"


@dataclass(frozen=True)
class Settled:
    """The mean energy of real images at which the auto-encoder alone settles, and after how many steps.

    `rows` tell of the way there: the energy at a step, and at the end of a window its mean.
    """

    energy: float
    steps: int
    rows: Rows

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

    Raises:
        NonFinite: the energy became NaN or infinite.
        Interrupted: a signal asked to stop.
    """
    system = build(replace(config, margin=1.0), device, data_root)
    assert isinstance(system, EBGAN)
    rows: list[dict[str, float]] = []
    window: list[Tensor] = []
    before, began = math.inf, time.monotonic()
    with cpu_threads(config.threads), meter(MOST_STEPS) as show, stop_request(STOPPED):
        for step in range(1, MOST_STEPS + 1):
            seed_step(config.seed, step - 1)
            window.append(_learn(system, config, system.batches.at(step - 1)))
            whole = step % WINDOW == 0
            if not whole and step % config.log_every:
                show.update()
                continue
            shown = {"energy": float(window[-1])}
            if whole:
                shown["mean_energy"] = float(torch.stack(window).mean())
            _check_finite(shown, step)
            rows.append({"step": step, "seconds": round(time.monotonic() - began, 3), **shown})
            show.update(shown)
            if whole:
                window.clear()
                if shown["mean_energy"] > (1 - SETTLED) * before:
                    break
                before = shown["mean_energy"]
    return Settled(min(shown["mean_energy"], before), step, rows)


def measured(config: GanConfig, device: torch.device, data_root: StrPath | None) -> tuple[GanConfig, Rows]:
    """The configuration with a number for a margin that is "auto", and the rows of its measurement."""
    if config.margin != "auto":
        return config, ()
    print(
        f"margin: the auto-encoder alone trains until its energy falls by less than {SETTLED:.0%} in "
        f"{WINDOW} steps, for {MOST_STEPS:,} at most",
        flush=True,
    )
    settled = settle(config, device, data_root)
    print(settled, flush=True)
    return replace(config, margin=settled.margin), settled.rows


def _learn(system: EBGAN, config: GanConfig, batch: Tensor) -> Tensor:
    """Update the discriminator on real images alone; their mean energy before that."""
    batch = batch.to(system.device, non_blocking=True)
    energies = []
    system.discriminator_optimizer.zero_grad()  # not `update`, which waits for other processes of the run
    for real in batch.chunk(config.accumulate):
        with autocast(system.device, config.precision):
            reconstruction, _ = system.discriminator(real)
        energy = ek.reconstruction_energy(reconstruction, real, distance=config.distance)
        shaped = energy if config.shaping == "identity" else energy.square()
        (shaped.sum() / len(batch)).backward()
        energies.append(energy.detach())
    system.discriminator_optimizer.step()
    return torch.cat(energies).mean()


def _check_finite(values: Mapping[str, float], step: int) -> None:
    if not all(map(math.isfinite, values.values())):
        raise NonFinite(
            f"the energy is {values['energy']} at step {step} of measuring the margin; try a smaller "
            "--discriminator-lr, or give --margin a number"
        )
