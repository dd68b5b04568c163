"""Multi-scale video prediction: `python -m benchmarks.bench_video` (options: `--help`).

Whole training steps with the loss Adv+GDL, both networks and both optimisers, on random clips of 32x32: with
the l_p and gradient-difference terms in plain PyTorch and in ours, the networks as they are and compiled by
torch.compile. Beside the step's time that of those terms, forward and backward on leaf tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

import ebgan_kernels as ek
from benchmarks.command import Session, open_session
from benchmarks.rows import StepRow
from benchmarks.timing import Variant, wall_times
from ebgan.video import LOSSES, VideoPrediction, discriminator, generator
from ebgan.video.builders import NETS

SYSTEM = "multi-scale video prediction"
LOSS = "adv+gdl"
BATCH, SIDES, SEED = 8, (4, 8, 16, 32), 0


@dataclass(frozen=True)
class FixedClips:
    """Clips that are there already: the step alone is timed."""

    scales: Sequence[Tensor]

    def at(self, step: int) -> Sequence[Tensor]:
        return self.scales


def random_clips(net: str, batch: int, device: torch.device) -> list[Tensor]:
    torch.manual_seed(SEED)
    finest = torch.rand(batch, NETS[net].clip_frames, 3, SIDES[-1], SIDES[-1], device=device) * 2 - 1
    return ek.average_pyramid(finest, len(SIDES))


def system(net: str, width: float, clips: Sequence[Tensor], *, compiled: bool = False) -> VideoPrediction:
    torch.manual_seed(SEED)
    device = clips[0].device
    return VideoPrediction(
        generator(net, width=width).to(device),
        FixedClips(clips),
        LOSSES[LOSS],
        discriminator=discriminator(net, width=width).to(device),
        compiled=compiled,
    )


def measure_steps(net: str, device: torch.device, *, quick: bool) -> list[StepRow]:
    """Rows of the step of one pair of networks, at full width."""
    torch._dynamo.reset()
    width, batch = (0.1, 2) if quick else (1.0, BATCH)
    clips = random_clips(net, batch, device)
    plain = partial(ek.backend, "reference")
    variants = {
        "eager": Variant(_step(net, width, clips), plain),
        "networks compiled": Variant(_step(net, width, clips, compiled=True), plain),
        "ours": Variant(_step(net, width, clips)),
        "ours, networks compiled": Variant(_step(net, width, clips, compiled=True)),
    }
    losses = {name: Variant(_loss(net, clips), variant.scope) for name, variant in variants.items()}
    timings = wall_times(variants, None, device=device, quick=quick)
    loss_times = wall_times(losses, None, device=device, quick=quick)
    job = f"training step, {net}, {LOSS}, batch {batch}"
    return StepRow.group(SYSTEM, job, batch, timings, unit="clips", losses=loss_times)


def _step(
    net: str, width: float, clips: Sequence[Tensor], *, compiled: bool = False
) -> Callable[[object], object]:
    made = system(net, width, clips, compiled=compiled)
    return lambda _: made.step(1)


def _loss(net: str, clips: Sequence[Tensor]) -> Callable[[object], object]:
    given = NETS[net].input_frames
    target = clips[-1][:, given:].contiguous()
    predictions = [(0.9 * scale[:, given:]).requires_grad_() for scale in clips]
    terms = LOSSES[LOSS]

    def run(_: object) -> None:
        for prediction in predictions:
            prediction.grad = None
        ek.multiscale_prediction_loss(
            predictions,
            target,
            p=terms.p,
            alpha=terms.alpha,
            lp_weight=terms.lp_weight,
            gdl_weight=terms.gdl_weight,
        ).backward()

    return run


def run(session: Session) -> None:
    for net in ("8to8", "4to1"):
        if session.time_left(net):
            session.record(measure_steps(net, session.device, quick=session.quick))


if __name__ == "__main__":
    run(open_session("video", __doc__))
