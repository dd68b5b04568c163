"""Learners of energies: `python -m benchmarks.bench_energies [--quick] [--device cpu] [--output DIR]`.

A training step (loss, gradients, Adam) of contrastive divergence with 10 Langevin steps, of noise-contrastive
estimation and of exact score matching, as the processor's time on one thread, and the AUC that training with
it reaches on the spiral: ours, and those of torchebm and ebmkit where they are installed (`pip install
--group compare`). All have the same network, first weights, batches of data, noise on them, steps and falling
rate; the loss is each package's own, and Adam as its own training has it: ours is the fused one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmarks.command import Session, open_session
from benchmarks.other_energies import OTHERS, missing
from benchmarks.rows import ReachedRow, StepRow
from benchmarks.timing import Variant, wall_times
from ebgan.energies import ContrastiveDivergence, NoiseContrastive, PointSet, ScoreMatching, point_set, scores
from ebgan.energies.comparison import OFF
from ebgan.energies.descent import Descended, EnergyNetwork

SYSTEM, OURS = "energies", "ours"
SEEDS = range(2)
CLOCK = "processor's time, one thread"
Loss = Callable[[Tensor], Tensor]  # of a batch (B, 2): 0-d


@dataclass(frozen=True)
class Job:
    """A kind of loss: what it is called, and our learner of it, made of a network and a seed."""

    name: str
    learner: Callable[[nn.Module, int], Descended]


JOBS = (
    Job("CD, 10 Langevin steps", lambda network, seed: ContrastiveDivergence(network, seed=seed)),
    Job("NCE", lambda network, seed: NoiseContrastive(network, seed=seed)),
    Job("exact score matching", lambda network, seed: ScoreMatching(network, seed=seed)),
)


def network_of(seed: int) -> EnergyNetwork:
    torch.manual_seed(seed)
    return EnergyNetwork()


def prepared(job: Job, data: PointSet, seed: int) -> Descended:
    """Our learner as it is before its first step, with the network of the seed."""
    learner = job.learner(network_of(seed), seed)
    first = {name: value.clone() for name, value in learner.given.state_dict().items()}
    steps, learner.steps = learner.steps, 1
    learner.fit(data.points)
    learner.steps = steps
    learner.network.load_state_dict(first)
    return learner


class Step:
    """A training step with a loss, on batches of `data` (N, 2) that the seed chooses."""

    def __init__(
        self,
        loss: Loss,
        parameters: Sequence[nn.Parameter],
        data: Tensor,
        like: Descended,
        seed: int,
        *,
        fused: bool = False,
    ) -> None:
        self.loss, self.data, self.like, self.taken = loss, data, like, 0
        self.random = torch.Generator().manual_seed(seed)
        self.optimizer = torch.optim.Adam(parameters, lr=like.rate, fused=fused)

    def __call__(self) -> None:
        falls = math.cos(min(self.taken / self.like.steps, 1) * math.pi / 2) ** 2
        self.optimizer.param_groups[0]["lr"] = self.like.rate * falls
        chosen = torch.randint(len(self.data), (self.like.batch_size,), generator=self.random)
        loss = self.loss(self.data[chosen])
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.taken += 1


def steps_of(job: Job, data: PointSet, seed: int) -> dict[str, tuple[Step, nn.Module]]:
    """The step and the network that it trains, of ours and of each package that has the loss."""
    points = torch.as_tensor(data.points, dtype=torch.float32)
    like = prepared(job, data, seed)
    parameters = list(like.network.parameters())
    if isinstance(like, NoiseContrastive):
        parameters.append(like.constant)
    made = {OURS: (Step(like.loss, parameters, points, like, seed, fused=True), like.network)}
    for package, losses in OTHERS.items():
        if job.name in losses and not missing(package):
            network = network_of(seed)
            loss, parameters = losses[job.name](network, like)
            made[package] = (Step(loss, parameters, points, like, seed), network)
    return made


def auc_of(network: nn.Module, data: PointSet) -> float:
    with torch.no_grad():
        on, off = (
            network(torch.as_tensor(each, dtype=torch.float32)).double().numpy()
            for each in (data.held_out, data.off(OFF))
        )
    return scores(on, off).auc


def time_of(job: Job, data: PointSet, *, quick: bool) -> list[StepRow]:
    """Rows of the processor's time of a step, on one thread; the first is ours."""
    steps = {name: step for name, (step, _) in steps_of(job, data, 0).items()}
    variants = {name: Variant(lambda _, step=step: step()) for name, step in steps.items()}
    timings = wall_times(variants, None, device=torch.device("cpu"), quick=quick, clock=time.process_time)
    batch = next(iter(steps.values())).like.batch_size
    return StepRow.group(SYSTEM, f"training step, {job.name}, {CLOCK}", batch, timings, unit="points")


def reached(job: Job, data: PointSet, *, quick: bool) -> list[ReachedRow]:
    """Rows of the AUC after the learner's steps, of every seed."""
    found: dict[str, list[float]] = {}
    for seed in SEEDS[:1] if quick else SEEDS:
        for name, (step, network) in steps_of(job, data, seed).items():
            torch.manual_seed(seed)  # the other packages draw from torch's own generator
            steps = 20 if quick else step.like.steps
            for _ in range(steps):
                step()
            found.setdefault(name, []).append(auc_of(network, data))
    return [
        ReachedRow(SYSTEM, f"{data.name}, {job.name}", name, steps, "AUC", tuple(values))
        for name, values in found.items()
    ]


def run(session: Session) -> None:
    data = point_set("spiral")
    for package in OTHERS:
        if why := missing(package):
            print(why, flush=True)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as `fit` has it
    try:
        for job in JOBS:
            if session.time_left(job.name):
                session.record(time_of(job, data, quick=session.quick))
                session.record(reached(job, data, quick=session.quick))
    finally:
        torch.set_num_threads(threads)


if __name__ == "__main__":
    run(open_session("energies", __doc__))
