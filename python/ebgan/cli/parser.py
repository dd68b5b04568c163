"""The parser of the command line: it makes a command of arguments, and errors of one line."""

from __future__ import annotations

import dataclasses
import io
import re
import sys
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Annotated, Any, Protocol

import tyro

import ebgan
from ebgan.cli.mistakes import explanation, option_names
from ebgan.cli.page import Page
from ebgan.cli.tree import TREE, Group, Leaf, Node, found
from ebgan.errors import UserError

COMPLETION = """\
To complete commands, options and values with the tab key, in bash and in zsh:

  ebgan --tyro-print-completion bash \\
    > ~/.local/share/bash-completion/completions/ebgan
  ebgan --tyro-print-completion zsh > ~/.zfunc/_ebgan"""


class Command(Protocol):
    """A sub-command: a dataclass of its options that can run."""

    def run(self) -> int | None: ...


@dataclass(frozen=True)
class Spoken:
    """A command whose errors name its options as they are typed: --generator-lr, and not generator_lr."""

    command: Command

    def run(self) -> int | None:
        try:
            return self.command.run()
        except UserError as error:
            name, colon, rest = str(error).partition(":")
            option = option_names(type(self.command)).get(name.replace(" ", "_"))  # "generator width", too
            if not colon or option is None:
                raise
            raise UserError(f"{option}:{rest}") from None


def parse(arguments: Sequence[str] | None) -> Command:
    """The command that `arguments` (by default those of the process) ask for."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:
        print(f"ebgan {ebgan.__version__}")
        raise SystemExit(0)
    here, _ = found(given)
    # tyro breaks no line before its boxes; a script for a shell is left as it is.
    page = nullcontext() if any(map(_is_script, given)) else redirect_stdout(Page(sys.stdout))
    complaint = io.StringIO()
    try:
        with redirect_stderr(complaint), page:
            command = tyro.cli(
                _union(TREE, here),
                args=given,
                prog="ebgan",
                description=TREE.help(COMPLETION),
                config=(tyro.conf.OmitArgPrefixes, tyro.conf.OmitSubcommandPrefixes),
            )
    except SystemExit as stop:
        if not stop.code:
            raise  # --help
        raise UserError(explanation(given) or _one_line(complaint.getvalue())) from None
    while not hasattr(command, "run"):
        command = command.chosen
    return Spoken(command)


def _union(group: Group, here: Node) -> Any:
    """The sub-commands of `group` as tyro takes them; `here` has its whole help, others a sentence."""
    each = [
        Annotated[
            _type(node, here),
            tyro.conf.subcommand(name, description=node.help() if node is here else node.first),
        ]
        for name, node in group.commands.items()
    ]
    # A sub-command that is the only one of its kind would lose its name: tyro wants a union.
    return reduce(or_, each) if len(each) > 1 else each[0] | Annotated[None, tyro.conf.Suppress]


def _type(node: Node, here: Node) -> Any:
    if isinstance(node, Leaf):
        return node.command
    return dataclasses.make_dataclass("Group", [("chosen", _union(node, here))])


def _is_script(argument: str) -> bool:
    return argument.startswith("--tyro-")


def _one_line(box: str) -> str:
    """tyro explains a wrong argument in a box of several lines; its first paragraph says what is wrong."""
    lines = [line.strip("│ ") for line in box.splitlines() if line.startswith("│")]
    first = " ".join(
        lines[: next((index for index, line in enumerate(lines) if not line or "──" in line), len(lines))]
    )
    return re.sub(r"\s+", " ", first).rstrip(".") + "; see --help"
