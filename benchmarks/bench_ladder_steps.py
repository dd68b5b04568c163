"""Training steps of ladder networks: `python -m benchmarks.bench_ladder_steps` (options: `--help`).

Whole steps, optimiser included, of the published networks on random examples: in plain PyTorch, with their
objectives compiled by torch.compile, and ours. On a GPU ours is one CUDA graph, the others are not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import torch

import ebgan_kernels as ek
from benchmarks.command import Session, open_session
from benchmarks.rows import StepRow
from benchmarks.timing import Variant, wall_times
from ebgan.ladder import Ladder, LadderEBGAN, generator, network, preset
from ebgan.ladder.batches import Batch
from ebgan.ladder.builders import HIDDEN
from ebgan.ladder.config import Model

SYSTEM = "ladder network"
BATCH, SEED = 100, 0
# Each with as many networks side by side.
CASES: tuple[tuple[Model, int], ...] = (
    ("bottom", 1),
    ("bottom", 2),
    ("full", 1),
    ("ebgan", 1),
    ("bottom", 15),
)
QUICK_CASES: tuple[tuple[Model, int], ...] = (("bottom", 2), ("ebgan", 1))


class FixedBatch(NamedTuple):
    """Examples that are there already: the step alone is timed."""

    batch: Batch
    batch_size: int = BATCH

    def at(self, step: int) -> Batch:
        return self.batch


def random_batch(seeds: int, device: torch.device, inputs: int = 784) -> FixedBatch:
    torch.manual_seed(SEED)
    labelled, unlabelled = torch.rand(2, seeds, BATCH, inputs, device=device)
    labels, hidden = torch.randint(10, (2, seeds, BATCH), device=device)
    return FixedBatch(Batch(labelled, labels, unlabelled, hidden))


def system(
    model: Model,
    batches: FixedBatch,
    *,
    hidden: tuple[int, ...] = HIDDEN,
    compiled: bool = False,
    graphed: bool = True,
) -> Ladder:
    """The networks of a model with the published settings, in the phase in which an EBGAN has a generator."""
    seeds, _, inputs = batches.batch.labelled.shape
    device = batches.batch.labelled.device
    config = dataclasses.replace(preset("mnist", model), layers="-".join(map(str, hidden)), seeds=seeds)
    net = network("bottom" if model == "ebgan" else model, inputs=inputs, hidden=hidden, seeds=seeds).to(
        device
    )
    shared: dict[str, Any] = {"seeds": config.network_seeds, "compiled": compiled}
    made: Ladder
    if model == "ebgan":
        fakes = generator(outputs=inputs, seeds=seeds).to(device)
        margin = config.margin or 0.0
        made = LadderEBGAN(
            net, fakes, batches, lambda_0=config.lambda_bottom, margin=lambda step: margin, **shared
        )
    else:
        made = Ladder(net, batches, config.lambdas, **shared)
    for name in ("learn", "play"):
        if not graphed and hasattr(made, name):
            setattr(made, name, getattr(made, name).step)
    return made


def measure_step(model: Model, seeds: int, device: torch.device, *, quick: bool) -> list[StepRow]:
    """Rows of one model's step, by as many networks as `seeds`."""
    torch._dynamo.reset()
    batches = random_batch(seeds, device)
    hidden = (64, 32) if quick else HIDDEN
    made = partial(system, model, batches, hidden=hidden)
    plain = partial(ek.backend, "reference")
    variants = {
        "eager": Variant(_step(made(graphed=False)), plain),
        "objectives compiled": Variant(_step(made(graphed=False, compiled=True)), plain),
        "ours": Variant(_step(made())),
    }
    timings = wall_times(variants, None, device=device, quick=quick)
    networks = f"{seeds} network{'s' * (seeds > 1)}"
    job = f"training step, {model}, {networks}, batch {BATCH} + {BATCH}"
    return StepRow.group(SYSTEM, job, seeds, timings, unit="updates of a network")


def _step(made: Ladder) -> Callable[[object], object]:
    steps: Iterator[int] = iter(range(1, 10**9))
    return lambda _: made.step(next(steps))


def run(session: Session) -> None:
    for model, seeds in QUICK_CASES if session.quick else CASES:
        if session.time_left(f"{model}, {seeds}"):
            session.record(measure_step(model, seeds, session.device, quick=session.quick))


if __name__ == "__main__":
    run(open_session("ladder_steps", __doc__))
