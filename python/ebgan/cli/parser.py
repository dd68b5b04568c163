"""The parser of the command line: it makes a command of arguments, and errors of one line."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Protocol

import tyro

from ebgan.cli.data import Download
from ebgan.cli.demo import Demo
from ebgan.cli.evaluate import Evaluate
from ebgan.cli.predict import Predict
from ebgan.cli.sample import Sample
from ebgan.cli.train import TrainSystem, train_command
from ebgan.errors import UserError
from ebgan.systems import SYSTEMS

# A sub-command that is the only one of its kind would lose its name: tyro wants a union.
Alone = Annotated[None, tyro.conf.Suppress]


class Command(Protocol):
    """A sub-command: a dataclass of its options that can run."""

    def run(self) -> int | None: ...


# Made from the descriptions, which a type checker cannot follow; it sees what all commands share.
if TYPE_CHECKING:
    AnySystem = TrainSystem
else:
    AnySystem = reduce(
        or_, (Annotated[train_command(each), tyro.conf.subcommand(each.name)] for each in SYSTEMS)
    )


@dataclass(frozen=True)
class Train:
    """Train a system, or continue a run that was stopped."""

    system: AnySystem

    def run(self) -> None:
        self.system.run()


@dataclass(frozen=True)
class Data:
    """Download data sets."""

    action: Annotated[Download, tyro.conf.subcommand("download")] | Alone

    def run(self) -> None:
        assert self.action is not None
        self.action.run()


def parse(arguments: Sequence[str] | None) -> Command:
    """The command that `arguments` (by default those of the process) ask for."""
    commands = (
        Annotated[Demo, tyro.conf.subcommand("demo")]
        | Annotated[Train, tyro.conf.subcommand("train")]
        | Annotated[Sample, tyro.conf.subcommand("sample")]
        | Annotated[Predict, tyro.conf.subcommand("predict")]
        | Annotated[Evaluate, tyro.conf.subcommand("evaluate")]
        | Annotated[Data, tyro.conf.subcommand("data")]
    )
    complaint = io.StringIO()
    try:
        with redirect_stderr(complaint):
            return tyro.cli(
                commands,
                args=arguments,
                prog="ebgan",
                description="Energy-based GANs with fused kernels. Begin with: ebgan demo",
                config=(tyro.conf.OmitArgPrefixes, tyro.conf.OmitSubcommandPrefixes),
            )
    except SystemExit as stop:
        if not stop.code:
            raise  # --help
        raise UserError(_one_line(complaint.getvalue())) from None


def _one_line(box: str) -> str:
    """tyro explains a wrong argument in a box of several lines; its first paragraph says what is wrong."""
    lines = [line.strip("│ ") for line in box.splitlines() if line.startswith("│")]
    first = " ".join(
        lines[: next((index for index, line in enumerate(lines) if not line or "──" in line), len(lines))]
    )
    return re.sub(r"\s+", " ", first).rstrip(".") + "; see --help"
