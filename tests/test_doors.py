"""Doors that stay shut between the parts of the house, and one name for an operator family in all of them."""

from __future__ import annotations

import ast
import pathlib
import re
import sys

import pytest

from ebgan_kernels.families import OPERATOR_FAMILIES

ROOT = pathlib.Path(__file__).resolve().parents[1]
KERNELS = ROOT / "ebgan_kernels"
TORCH_HEADER = re.compile(r'#\s*include\s*[<"](torch|ATen|c10|caffe2)/')


def imports(folder: pathlib.Path) -> dict[str, set[str]]:
    """The modules that a folder's Python files import, and the files that do."""
    found: dict[str, set[str]] = {}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            for name in names:
                found.setdefault(name, set()).add(path.relative_to(KERNELS).as_posix())
    assert found, f"{folder} holds no imports"
    return found


def packages(folder: pathlib.Path) -> set[str]:
    return {name.split(".")[0] for name in imports(folder)} - sys.stdlib_module_names


def test_the_kernels_need_torch_and_numpy_and_never_the_systems() -> None:
    assert packages(KERNELS) <= {"ebgan_kernels", "torch", "numpy", "triton"}


def test_the_reference_imports_torch_and_itself_alone() -> None:
    assert packages(KERNELS / "reference") <= {"torch", "ebgan_kernels"}
    own = [name for name in imports(KERNELS / "reference") if name.startswith("ebgan_kernels")]
    assert all(name.startswith("ebgan_kernels.reference.") for name in own)


def test_triton_is_imported_only_by_its_own_folder_and_that_only_lazily() -> None:
    for name, files in imports(KERNELS).items():
        if name.split(".")[0] == "triton" or name.startswith("ebgan_kernels.triton"):
            assert all(file.startswith("triton/") for file in files), (name, files)


def test_the_self_check_is_imported_only_by_the_command() -> None:
    for name, files in imports(KERNELS).items():
        if name.startswith("ebgan_kernels.selfcheck"):
            assert all(file == "__main__.py" or file.startswith("selfcheck/") for file in files), (
                name,
                files,
            )


def sources(folder: str) -> list[pathlib.Path]:
    found = [
        path for path in (ROOT / "csrc" / folder).rglob("*") if path.suffix in (".h", ".cuh", ".cpp", ".cu")
    ]
    assert found, f"csrc/{folder} holds no sources"
    return found


@pytest.mark.parametrize("folder", ["math", "operators", "cpu", "cuda", "host"])
def test_torch_headers_are_included_only_under_stable(folder: str) -> None:
    including = [path.name for path in sources(folder) if TORCH_HEADER.search(path.read_text())]
    assert including == []
    assert any(TORCH_HEADER.search(path.read_text()) for path in sources("stable"))


def test_the_formulas_include_only_each_other() -> None:
    for path in sources("math"):
        included = re.findall(r'#\s*include\s*"([^"]*)"', path.read_text())
        assert all(name.startswith("math/") for name in included), (path.name, included)


# What the sources of a folder may include beside their own folder.
BELOW = {
    "math": set(),
    "stable": set(),
    "operators": {"math", "stable"},
    "cpu": {"math", "stable", "operators"},
    "cuda": {"math", "stable", "operators"},
    "host": set(),
}


@pytest.mark.parametrize("folder", BELOW)
def test_includes_lead_down_the_house(folder: str) -> None:
    for path in sources(folder):
        included = re.findall(r'#\s*include\s*"([^"]*)/[^"]*"', path.read_text())
        assert set(included) <= {folder, *BELOW[folder]}, path.name


def circle(edges: dict[str, set[str]]) -> list[str]:
    """The names along a circle of the graph; none where it has no circle."""
    done: set[str] = set()

    def found_below(name: str, above: list[str]) -> list[str]:
        if name in above:
            return above[above.index(name) :]
        if name in done:
            return []
        for each in sorted(edges.get(name, ())):
            if circled := found_below(each, [*above, name]):
                return circled
        done.add(name)
        return []

    return next((circled for name in edges if (circled := found_below(name, []))), [])


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    assert circle({"a": {"b", "c"}, "b": {"c"}}) == []


def test_no_sources_include_each_other_in_a_circle() -> None:
    files = [path for folder in BELOW for path in sources(folder)]
    assert not circle(
        {
            path.relative_to(ROOT / "csrc").as_posix(): set(
                re.findall(r'#\s*include\s*"([^"]*)"', path.read_text())
            )
            for path in files
        }
    )


def test_no_modules_of_the_kernels_import_each_other_in_a_circle() -> None:
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in KERNELS.rglob("*.py")
    }
    edges: dict[str, set[str]] = {}
    for name, path in modules.items():
        for node in ast.parse(path.read_text()).body:  # what is imported when the module is
            if not isinstance(node, ast.ImportFrom) or node.module is None:
                continue
            parts = {f"{node.module}.{alias.name}" for alias in node.names}
            imported = {part if part in modules else node.module for part in parts} & modules.keys()
            edges.setdefault(name, set()).update(imported - {name})
    assert len(edges) > 50
    assert not circle(edges)


@pytest.mark.parametrize("family", OPERATOR_FAMILIES)
def test_an_operator_family_has_one_name_in_every_folder(family: str) -> None:
    # On a CPU convolutions are torch's own: a call of oneDNN was not beaten.
    native_devices = ("cuda",) if family == "valid_conv" else ("cpu", "cuda")
    folders = ("checks", "native", "ops", "reference", "selfcheck/cases", "triton")
    python = [f"ebgan_kernels/{folder}/{family}.py" for folder in folders]
    python += [f"tests/support/families/{family}.py", f"benchmarks/bench_{family}.py"]
    suffixes = {"cpu": "cpp", "cuda": "cu"}
    # What both devices have is entered through one file.
    entry = [f"csrc/operators/{family}.h"] if len(native_devices) == 2 else []
    native = [f"csrc/math/{family}.h", *entry, *(f"csrc/{d}/{family}.{suffixes[d]}" for d in native_devices)]
    assert [path for path in (*python, *native) if not (ROOT / path).is_file()] == []
