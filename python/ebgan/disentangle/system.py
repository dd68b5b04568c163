"""Disentangling as a system of the command line: how a run is named, built and scored."""

from __future__ import annotations

from ebgan.disentangle.builders import NETS
from ebgan.disentangle.config import DisentangleConfig
from ebgan.disentangle.disentangling import Disentangling
from ebgan.disentangle.presets import PRESETS, preset
from ebgan.disentangle.runs import build
from ebgan.disentangle.score import score
from ebgan.training import Description

SYSTEM: Description[DisentangleConfig, Disentangling] = Description(
    name="disentangle",
    help="""Train an encoder that tells the identity of an image from its style, and a decoder that
    recombines them.

    The run draws a grid of swaps (swaps.png), and curves of errors (errors.png), of the information in the
    style (divergence.png) and of the discriminator (discriminator.png).
    """,
    config=DisentangleConfig,
    preset=preset,
    presets=PRESETS,
    run_name=lambda config: f"disentangle-{config.data}",
    build=build,
    score=score,
    nets={name: nets.about for name, nets in NETS.items()},
    examples=(
        "train disentangle",
        "train disentangle --data mnist --out runs/mnist-swaps",
        "train disentangle --data sprites --data-root DATA",
        "train disentangle --data turntable --adversary energies --margin 0.1",
        "train disentangle --resume runs/disentangle-digits --steps 4000",
    ),
    then=lambda config: ("evaluate {run}", "transfer {run}"),
)
train, resume, open_run, evaluate_run = SYSTEM.train, SYSTEM.resume, SYSTEM.open_run, SYSTEM.evaluate
