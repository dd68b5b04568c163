"""One training loop for every system: devices, seeds, log, checkpoints, pictures, exact resume."""

from __future__ import annotations

from ebgan.training.checkpoint import BrokenCheckpoint, Progress, load_weights, newest_valid
from ebgan.training.device import Precision, autocast, choose_device, cpu_threads
from ebgan.training.interrupt import Interrupted
from ebgan.training.metrics import read_metrics
from ebgan.training.run_folder import RunFolder
from ebgan.training.seeds import seed_step
from ebgan.training.system import Help, System, TrainingConfig
from ebgan.training.trainer import NonFinite, Trainer

__all__ = [
    "BrokenCheckpoint",
    "Help",
    "Interrupted",
    "NonFinite",
    "Precision",
    "Progress",
    "RunFolder",
    "System",
    "Trainer",
    "TrainingConfig",
    "autocast",
    "choose_device",
    "cpu_threads",
    "load_weights",
    "newest_valid",
    "read_metrics",
    "seed_step",
]
