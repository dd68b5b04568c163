"""One training loop for every system: devices, seeds, log, checkpoints, pictures, exact resume."""

from __future__ import annotations

from ebgan.training.checkpoint import BrokenCheckpoint, Progress, newest_valid
from ebgan.training.description import Description
from ebgan.training.device import Precision, autocast, choose_device, cpu_threads
from ebgan.training.graph import GraphedStep, require_capturable
from ebgan.training.interrupt import Interrupted
from ebgan.training.metrics import read_metrics
from ebgan.training.record import SCORES
from ebgan.training.run_folder import RunFolder, load_newest
from ebgan.training.seeds import seed_step
from ebgan.training.system import Help, System, TrainingConfig
from ebgan.training.trainer import NonFinite, Trainer
from ebgan.training.updates import adam, frozen, set_rate, update

__all__ = [
    "SCORES",
    "BrokenCheckpoint",
    "Description",
    "GraphedStep",
    "Help",
    "Interrupted",
    "NonFinite",
    "Precision",
    "Progress",
    "RunFolder",
    "System",
    "Trainer",
    "TrainingConfig",
    "adam",
    "autocast",
    "choose_device",
    "cpu_threads",
    "frozen",
    "load_newest",
    "newest_valid",
    "read_metrics",
    "require_capturable",
    "seed_step",
    "set_rate",
    "update",
]
