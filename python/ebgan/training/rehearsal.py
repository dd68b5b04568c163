"""A rehearsal of a run: a few of its steps, to know the time and the memory that all of them will take."""

from __future__ import annotations

import dataclasses
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ebgan.training.device import cpu_threads
from ebgan.training.meter import duration
from ebgan.training.seeds import seed_step
from ebgan.training.summary import device_of, table
from ebgan.training.system import System, TrainingConfig

WARM_UP, WARM_UP_SECONDS = 5, 20.0  # a GPU's step is captured in the fourth; a long step is warm after one
MEASURED, LEAST, SECONDS = 50, 3, 5.0  # steps that are measured: so many at most, at least, and for so long


@dataclass(frozen=True)
class Rehearsal:
    """What a few steps of a run took; its `str` is a table.

    Attributes:
        settings: the configuration.
        step_seconds: median time of a step, over `measured` of them.
        picture_seconds: time of the pictures, which `pictures` steps have.
        memory: bytes: on a GPU the most that tensors took, on a CPU the most that the process took; None
            where the system does not tell.
        checkpoint: bytes of a checkpoint, which `keep` are kept of.
    """

    settings: TrainingConfig
    device: torch.device
    step_seconds: float
    measured: int
    picture_seconds: float
    pictures: int
    memory: int | None
    checkpoint: int

    @property
    def seconds(self) -> float:
        """The estimated time of the whole run."""
        return self.settings.steps * self.step_seconds + self.pictures * self.picture_seconds

    def __str__(self) -> str:
        config, where = self.settings, "GPU" if self.device.type == "cuda" else "process"
        memory = "not known here" if self.memory is None else f"{_size(self.memory)} of the {where} at most"
        kept = f"{_size(self.checkpoint)} each, {config.keep} kept: {_size(config.keep * self.checkpoint)}"
        measured = {
            "memory": memory,
            "checkpoints": kept,
            "step": f"{_time(self.step_seconds)}, median of {self.measured}",
            "pictures": f"{self.pictures:,} times {_time(self.picture_seconds)}",
            "total": f"about {duration(self.seconds)}",
        }
        width = max(len(field.name) for field in dataclasses.fields(config)) + 2
        settings = (
            f"{field.name:<{width}}{_text(getattr(config, field.name))}"
            for field in dataclasses.fields(config)
        )
        return "\n".join([table(measured), "", *settings])


def rehearse(system: System, config: TrainingConfig) -> Rehearsal:
    """Take a few steps of `system`, which learns from them, and measure them."""
    device = device_of(system)
    with cpu_threads(config.threads):
        numbers = iter(range(1, WARM_UP + MEASURED + 1))
        began = time.monotonic()
        for number in numbers:
            timed(partial(_step, system, config, number), device)
            if number == WARM_UP or time.monotonic() - began > WARM_UP_SECONDS:
                break
        times: list[float] = []
        for number in numbers:
            times.append(timed(partial(_step, system, config, number), device))
            if len(times) >= LEAST and sum(times) > SECONDS:
                break
        picture_seconds = timed(system.pictures, device)
    return Rehearsal(
        settings=config,
        device=device,
        step_seconds=statistics.median(times),
        measured=len(times),
        picture_seconds=picture_seconds,
        pictures=-(-config.steps // config.picture_every),
        memory=_most_memory(device),
        checkpoint=_checkpoint_bytes(system),
    )


def timed(action: Callable[[], object], device: torch.device) -> float:
    """The seconds of `action`, on a GPU until its work is done."""
    began = time.perf_counter()
    action()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began


def _step(system: System, config: TrainingConfig, number: int) -> None:
    seed_step(config.seed, number)
    system.step(number)


def _most_memory(device: torch.device) -> int | None:
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    try:
        import resource  # absent on Windows
    except ModuleNotFoundError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _checkpoint_bytes(system: System) -> int:
    weights = (each for net in system.modules.values() for each in net.state_dict().values())
    moments = (
        each
        for optimizer in system.optimizers.values()
        for state in optimizer.state.values()
        for each in state.values()
        if isinstance(each, Tensor)
    )
    return sum(each.nbytes for of in (weights, moments) for each in of)


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count < 1e9 else f"{count / 1e9:,.2f} GB"


def _time(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def _text(value: object) -> str:
    return "not given" if value is None else str(value)
