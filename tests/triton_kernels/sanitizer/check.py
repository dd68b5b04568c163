"""Proves that Triton kernels stay inside their tensors, for the launches of tests in the interpreter.

    TRITON_INTERPRET=1 python tests/triton_kernels/sanitizer/check.py [pytest arguments]  # or those of FILES

Each launch of each kernel goes through triton-viz's address sanitizer (``path_sanitizer``); the status is
1 where an access may leave its tensor or a launch could not be checked. Kernels compute symbols here and
no numbers, so what the tests themselves assert fails, and is not looked at.
"""

from __future__ import annotations

import collections
import pathlib
import sys
from collections.abc import Callable, Generator
from typing import Any

import pytest
import triton
import triton.language
import triton.runtime.interpreter
import triton_viz
from path_sanitizer import PathSanitizer, install

INTERPRETER = pathlib.Path(__file__).parents[1] / "interpreter"
FILES = [
    str(INTERPRETER / f"test_triton_{name}.py")
    for name in (
        "pulling_away",
        "gdl",
        "energy_in_place",
        "energy_edges",
        "energy_values",
        "ladder",
        "ladder_layer",
    )
]

launches: collections.Counter[str] = collections.Counter()
reports: collections.Counter[str] = collections.Counter()
_jit = triton.jit


def _sanitized(function: Callable[..., Any]) -> Any:
    """A kernel, or a part of one, whose launches are checked and counted."""
    sanitizer = PathSanitizer()
    kernel = triton_viz.trace(client=sanitizer)(_jit(function))
    launch = kernel.run

    def run(*arguments: Any, **options: Any) -> Any:
        launches[function.__name__] += 1
        try:
            return sanitizer.launch(lambda: launch(*arguments, **options))
        except Exception as error:
            reports[f"{function.__name__} could not be checked: {error}"] += 1
            raise
        finally:
            for record in sanitizer.records:
                place = record.user_code_tracebacks[0]
                access = record.op_type.__name__.lower()
                reports[
                    f"{place.filename}:{place.lineno}: in {place.func_name} a {access} may leave "
                    f"{record.tensor_name}: {place.line_of_code.strip()}"
                ] += 1
            sanitizer.records.clear()

    kernel.run = run
    return kernel


class _AssertionsDoNotCount:
    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self) -> Generator[None, object, object]:
        try:
            return (yield)
        except Exception:
            return True


def main(arguments: list[str]) -> int:
    install()
    triton.jit = triton.language.jit = triton.runtime.interpreter.jit = _sanitized
    status = pytest.main(
        ["-q", "-p", "no:cacheprovider", *(arguments or FILES)], plugins=[_AssertionsDoNotCount()]
    )
    print(f"\n{sum(launches.values())} launches of {len(launches)} kernels: {', '.join(sorted(launches))}")
    for report, times in sorted(reports.items()):
        print(f"{report} ({times} times)")
    print(f"{len(reports)} reports")
    return 1 if status or reports or not launches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
