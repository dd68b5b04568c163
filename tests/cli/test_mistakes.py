"""Mistyped commands, options and values: every one of every command is named in what is said of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ebgan.cli.mistakes import Argument, arguments_of, explanation
from ebgan.cli.parser import parse
from ebgan.cli.tree import TREE, Group, Leaf, Node
from ebgan.errors import UserError


def leaves(node: Node = TREE, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Leaf]]:
    if isinstance(node, Leaf):
        yield path, node
    else:
        for name, each in node.commands.items():
            yield from leaves(each, (*path, name))


LEAVES = dict(leaves())
EVERY = pytest.mark.parametrize("path", LEAVES, ids=" ".join)


def options(path: tuple[str, ...]) -> list[Argument]:
    return [each for each in arguments_of(LEAVES[path].command) if not each.positional]


def groups(node: Node = TREE, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Group]]:
    if isinstance(node, Group):
        yield path, node
        for name, each in node.commands.items():
            yield from groups(each, (*path, name))


@pytest.mark.parametrize(("path", "group"), list(groups()))
def test_a_mistyped_command_names_the_nearest(path, group):
    for name in group.commands:
        swapped = name[:-2] + name[-1] + name[-2]
        assert f"did you mean {name}?" in explanation([*path, swapped])
    assert explanation(path).endswith(f"see {' '.join(['ebgan', *path])} --help")


@EVERY
def test_a_mistyped_option_names_the_nearest_and_not_its_value(path):
    for each in options(path):
        said = explanation([*path, each.typed[:-1] + "x", "3"])
        near = [
            f"{each.typed[:-1]}x: is no option; did you mean {other.typed}?; see --help"
            for other in options(path)
        ]
        assert said in near


@EVERY
def test_a_value_that_an_option_does_not_take_is_refused_by_what_it_takes(path):
    for each in options(path):
        if each.flag:
            continue
        numbers = [kind for kind in each.kinds if kind in (int, float)]
        if each.choices and not numbers:
            said = explanation([*path, each.typed, each.choices[0] + "x"])
            assert said.startswith(
                f"{each.typed}: got '{each.choices[0]}x', allowed is {', '.join(each.choices)}"
            )
        elif numbers:
            for wrong in ("x", "1.5" if numbers == [int] else "1,5"):
                said = explanation([*path, each.typed, wrong])
                assert said == f"{each.typed}: got {wrong!r}, allowed is {each.expected}" and "number" in said
        assert "its value is missing" in explanation([*path, each.typed])
        assert "None" not in explanation([*path, each.typed, "None"]).replace("got 'None'", "")


@EVERY
def test_what_is_right_has_no_mistake_and_what_is_missing_is_named(path):
    needed = [each for each in arguments_of(LEAVES[path].command) if each.positional or each.required]
    words = [word for each in needed for word in ((each.typed, "x") if not each.positional else ("x",))]
    assert explanation([*path, *words]) == ""
    if needed:
        assert (
            explanation(path)
            == f"{needed[0].metavar if needed[0].positional else needed[0].typed}: is missing; see --help"
        )
    for each in options(path):
        assert "is no option" not in explanation(
            [*path, *words, f"--{each.name}", *(() if each.flag else ("1",))]
        )


@EVERY
def test_the_parser_says_what_was_found(path):
    with pytest.raises(UserError, match="--no-such-thing: is no option"):
        parse([*path, "--no-such-thing"])


@EVERY
def test_every_example_of_the_help_is_a_command(path):
    assert LEAVES[path].examples
    for example in LEAVES[path].examples:
        assert example.split()[: len(path)] == list(path)
        assert type(parse(example.split()).command) is LEAVES[path].command


@pytest.mark.parametrize("columns", [80, 100])
@pytest.mark.parametrize("path", [*LEAVES, *(path for path, _ in groups())], ids=" ".join)
def test_help_fits_the_terminal_and_offers_no_none(path, columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit):
        parse([*path, "--help"])
    text = capsys.readouterr().out
    assert "Examples:" in text and "None" not in text and "\n\n\n" not in text
    assert max(map(len, text.splitlines())) <= columns
    for line in text.splitlines():
        assert not re.search(r"\(default: *\)", line)


def test_a_script_of_completions_is_for_the_shell(capsys):
    with pytest.raises(SystemExit) as stop:
        parse(["--tyro-print-completion", "bash"])
    assert not stop.value.code and "complete -F" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["empty", "file", "nowhere"])
@pytest.mark.parametrize("command", ["evaluate", "info", "sample"])
def test_what_is_no_run_folder_is_one_line(command, name, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("no run")
    with pytest.raises(UserError, match=f"^{name}"):
        parse([command, name]).run()
