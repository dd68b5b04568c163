"""What a run is, in a few lines: what is said before training begins."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from ebgan.training.system import System, TrainingConfig
from ebgan.training.trainer import Trainer

WIDTH = 12  # columns of the names


def summary(trainer: Trainer[Any]) -> str:
    """Device, data, size of the networks, steps and folder of a run that is to be trained."""
    system, config, start = trainer.system, trainer.config, trainer.start
    done = f", of which {start.step:,} are done" if start and start.step else ""
    return table(
        {
            "device": f"{_device(system, config)}, {config.precision}",
            "data": str(system.batches),
            "parameters": parameters(system.modules),
            "steps": f"{config.steps:,}{done}, of {config.batch_size:,} examples each",
            "folder": str(trainer.run.path),
        }
    )


def table(rows: Mapping[str, str]) -> str:
    """A line for each row: its name and its value."""
    return "\n".join(f"{name:<{WIDTH}}{value}" for name, value in rows.items())


def parameters(modules: Mapping[str, nn.Module]) -> str:
    """The number of parameters of each network."""
    counts = {name: sum(each.numel() for each in net.parameters()) for name, net in modules.items()}
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def device_of(system: System) -> torch.device:
    """The device of the networks."""
    return next(each.device for net in system.modules.values() for each in net.parameters())


def _device(system: System, config: TrainingConfig) -> str:
    device = device_of(system)
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    threads = config.threads or torch.get_num_threads()
    return f"{device} ({platform.machine()}), {threads} {'thread' if threads == 1 else 'threads'}"
