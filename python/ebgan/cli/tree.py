"""All commands, what `--help` says of each, and examples of their use."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ebgan.cli.data import Download
from ebgan.cli.demo import Demo
from ebgan.cli.energies import Energies
from ebgan.cli.evaluate import Evaluate
from ebgan.cli.grid import TrainGrid
from ebgan.cli.info import Info
from ebgan.cli.list import List
from ebgan.cli.predict import Predict
from ebgan.cli.sample import Sample
from ebgan.cli.train import train_command
from ebgan.cli.transfer import Transfer
from ebgan.systems import SYSTEMS


@dataclass(frozen=True)
class Leaf:
    """A command that runs: a dataclass of its options, whose docstring is its help."""

    command: type[Any]
    examples: tuple[str, ...]

    @property
    def first(self) -> str:
        """What a list of commands says of it."""
        return _paragraphs(self.command)[0]

    def help(self) -> str:
        """What its own `--help` says before the options."""
        return _joined(*_paragraphs(self.command), _shown(self.examples))


@dataclass(frozen=True)
class Group:
    """Commands under one word."""

    first: str
    commands: Mapping[str, Leaf | Group]
    examples: tuple[str, ...] = ()

    def help(self, *more: str) -> str:
        return _joined(self.first, _shown(self.examples), *more)


Node = Leaf | Group

TREE = Group(
    "Energy-based GANs, ladder networks, video prediction and style transfer, with fused kernels. Begin with "
    "'ebgan demo', see what there is with 'ebgan list', and ask any command for its options: "
    "'ebgan train gan --help'. The option --version prints the version.",
    {
        "demo": Leaf(Demo, ("demo", "demo --out runs/mine")),
        "train": Group(
            "Train a system, or continue a run that was stopped. Each system has options of its own.",
            {
                **{system.name: Leaf(train_command(system), system.examples) for system in SYSTEMS},
                "grid": Leaf(TrainGrid, ("train grid --subset 16 --steps 3000", "train grid --model ebgan")),
            },
            tuple(system.examples[0] for system in SYSTEMS),
        ),
        "sample": Leaf(
            Sample,
            (
                "sample runs/gan-mnist",
                "sample runs/gan-mnist --count 100 --out hundred.png",
                "sample runs/gan-mnist --interpolate 16 --out walks.mp4",
            ),
        ),
        "predict": Leaf(
            Predict,
            ("predict runs/video-8to8-gdl-ucf101 CLIP.mp4", "predict RUN CLIP.mp4 --frames 50 --out film"),
        ),
        "transfer": Leaf(
            Transfer, ("transfer runs/disentangle-digits", "transfer RUN --factor azimuth --out pictures")
        ),
        "evaluate": Leaf(Evaluate, ("evaluate runs/gan-digits", "evaluate RUN --windows 8")),
        "energies": Leaf(Energies, ("energies", "energies --data moons --learners k-means,gmm")),
        "info": Leaf(Info, ("info runs/gan-digits",)),
        "list": Leaf(List, ("list", "list --data-root DATA")),
        "data": Group(
            "Download data sets.",
            {
                "download": Leaf(
                    Download,
                    (
                        "data download mnist --root DATA",
                        "data download mnist --root DATA --base-url https://MIRROR",
                    ),
                )
            },
            ("data download mnist --root DATA",),
        ),
    },
    ("demo", "train gan", "evaluate runs/gan-digits", "info runs/gan-digits"),
)


def found(arguments: Sequence[str]) -> tuple[Node, list[str]]:
    """The command that the first words of `arguments` lead to, and what is left of them."""
    node: Node = TREE
    left = list(arguments)
    while isinstance(node, Group) and left and left[0] in node.commands:
        node = node.commands[left.pop(0)]
    return node, left


def _paragraphs(command: type[Any]) -> list[str]:
    """The paragraphs of its docstring, each on one line; the page breaks them to its width."""
    return [" ".join(each.split()) for each in (inspect.getdoc(command) or "").split("\n\n")]


def _shown(examples: Sequence[str]) -> str:
    return "\n".join(["Examples:", *(f"  ebgan {each}" for each in examples)]) if examples else ""


def _joined(*paragraphs: str) -> str:
    return "\n\n".join(filter(None, paragraphs))
