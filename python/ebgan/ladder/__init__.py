"""Ladder networks (arXiv:1507.02672), and EBGAN with one as its discriminator (arXiv:1609.03126).

They learn to classify vectors from few labels and many examples without, many networks side by side.
"""

from __future__ import annotations

from ebgan.ladder.batches import Batch, Examples, SemiSupervisedBatches, examples
from ebgan.ladder.builders import generator, network
from ebgan.ladder.config import LadderConfig
from ebgan.ladder.ebgan import LadderEBGAN
from ebgan.ladder.evaluate import LadderScores
from ebgan.ladder.generator import LadderGenerator
from ebgan.ladder.ladder import Ladder
from ebgan.ladder.layers import initialise
from ebgan.ladder.network import LadderNetwork
from ebgan.ladder.presets import PRESETS, preset
from ebgan.ladder.runs import build
from ebgan.ladder.statistics import error_rates, set_statistics
from ebgan.ladder.system import SYSTEM, evaluate_run, open_run, resume, train, trained_network
from ebgan.training import LinearDecay

__all__ = [
    "PRESETS",
    "SYSTEM",
    "Batch",
    "Examples",
    "Ladder",
    "LadderConfig",
    "LadderEBGAN",
    "LadderGenerator",
    "LadderNetwork",
    "LadderScores",
    "LinearDecay",
    "SemiSupervisedBatches",
    "build",
    "error_rates",
    "evaluate_run",
    "examples",
    "generator",
    "initialise",
    "network",
    "open_run",
    "preset",
    "resume",
    "set_statistics",
    "train",
    "trained_network",
]
