"""One training loop for every system: devices, seeds, log, checkpoints, pictures, exact resume."""

from __future__ import annotations

from ebgan.training.checkpoint import BrokenCheckpoint, Progress, newest_valid
from ebgan.training.device import Precision, autocast, choose_device, cpu_threads
from ebgan.training.graph import GraphedStep, require_capturable
from ebgan.training.interrupt import Interrupted
from ebgan.training.metrics import read_metrics
from ebgan.training.resume import resume_run
from ebgan.training.run_folder import RunFolder, load_newest, open_run
from ebgan.training.seeds import seed_step
from ebgan.training.system import Help, System, TrainingConfig
from ebgan.training.trainer import NonFinite, Trainer
from ebgan.training.updates import adam, frozen, set_rate, update

__all__ = [
    "BrokenCheckpoint",
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
    "open_run",
    "read_metrics",
    "require_capturable",
    "resume_run",
    "seed_step",
    "set_rate",
    "update",
]
