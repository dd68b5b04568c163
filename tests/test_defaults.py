"""An argument that several functions of the package take has one default in all of them."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "python" / "ebgan"
# Names whose meaning is another from function to function.
SEVERAL = {
    *("bounce", "codes", "count", "data", "device", "distance", "hidden", "keep", "layers", "memory"),
    *("model", "net", "noise", "optimizer", "padding", "prediction", "rate", "seeds", "shown", "size"),
    *("steps", "stride", "weight", "width", "windows"),
}


def defaults() -> Iterator[tuple[str, str, str]]:
    """The name, the default and the place of every argument that has one."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                by_place = [*node.args.posonlyargs, *node.args.args]
                with_default = by_place[len(by_place) - len(node.args.defaults) :]
                pairs = [*zip(with_default, node.args.defaults, strict=True)]
                pairs += zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
                for argument, default in pairs:
                    if default is not None:
                        yield argument.arg, ast.unparse(default), f"{path.name}, {node.name}"


def test_an_argument_has_one_default_wherever_it_stands() -> None:
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, default, place in defaults():
        found[name][default].append(place)
    assert {name for name, each in found.items() if len(each) > 1} == SEVERAL
    shared = {name: next(iter(each)) for name, each in found.items() if len(each) == 1}
    expected = {
        "seed": "0",
        "start": "0",
        "rounds": "1000",
        "networks": "1",
        "label": "0",
        "noise_size": "100",
    }
    assert expected.items() <= shared.items()
