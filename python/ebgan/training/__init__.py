"""One training loop for every system: devices, seeds, log, checkpoints, pictures, exact resume."""

from __future__ import annotations

from ebgan.training.checkpoint import BrokenCheckpoint, Progress, newest_valid
from ebgan.training.description import Description
from ebgan.training.device import Precision, autocast, choose_device, cpu_threads
from ebgan.training.fast import Workload, fastest, kind_of
from ebgan.training.forward import as_trained, compiled_where
from ebgan.training.graph import GraphedStep, require_capturable
from ebgan.training.interrupt import Interrupted
from ebgan.training.metrics import read_metrics
from ebgan.training.optimizers import OptimizerName, adam, check_rates, make_optimizer, set_rate
from ebgan.training.record import SCORES
from ebgan.training.rehearsal import Rehearsal
from ebgan.training.run_folder import Rows, RunFolder, generator_of, load_newest
from ebgan.training.schedules import GeometricDecay, LinearDecay
from ebgan.training.seeds import seed_step
from ebgan.training.summary import summary
from ebgan.training.system import Help, System, TrainingConfig
from ebgan.training.trainer import NonFinite, Trainer
from ebgan.training.updates import evaluating, frozen, update, update_by_parts
from ebgan.training.world import World, joined, world

__all__ = [
    "SCORES",
    "BrokenCheckpoint",
    "Description",
    "GeometricDecay",
    "GraphedStep",
    "Help",
    "Interrupted",
    "LinearDecay",
    "NonFinite",
    "OptimizerName",
    "Precision",
    "Progress",
    "Rehearsal",
    "Rows",
    "RunFolder",
    "System",
    "Trainer",
    "TrainingConfig",
    "Workload",
    "World",
    "adam",
    "as_trained",
    "autocast",
    "check_rates",
    "choose_device",
    "compiled_where",
    "cpu_threads",
    "evaluating",
    "fastest",
    "frozen",
    "generator_of",
    "joined",
    "kind_of",
    "load_newest",
    "make_optimizer",
    "newest_valid",
    "read_metrics",
    "require_capturable",
    "seed_step",
    "set_rate",
    "summary",
    "update",
    "update_by_parts",
    "world",
]
