"""The command ``python -m ebgan_kernels``, which reports the implementations and checks them."""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Sequence

from ebgan_kernels.backends import BACKENDS, Backend, backend_report, missing
from ebgan_kernels.selfcheck.cases import CASES
from ebgan_kernels.selfcheck.processes import rows_of
from ebgan_kernels.selfcheck.report import HEADING, Results, line, machine
from ebgan_kernels.selfcheck.run import cases_for

OUTPUT = pathlib.Path("ebgan-kernels-check.json")
DESCRIPTION = """
Without an option this prints which implementations of the operators are
available here, which are not, and why.

With --check it runs every operator on every implementation that is available,
values and gradients, and compares them with float64. An operator passes where
its error is at most twice that of the reference, which is plain PyTorch, or one
unit in the last place (ulp). This takes less than a minute on two CPU cores. On
a GPU Triton compiles its kernels first, which takes longer. Nothing is sent
anywhere.
"""
EPILOG = """
The exit status is 0 where all checks have passed; 1 where one has failed, where
the check was stopped, or where there was nothing to check; and 2 where the
command was used in a wrong way.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m ebgan_kernels",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--check", action="store_true", help="check every operator on every implementation that is available"
    )
    parser.add_argument(
        "--output",
        type=pathlib.Path,
        metavar="FILE",
        help="with --check, write the results to this JSON file, to send with a report of a bug"
        f" (default: {OUTPUT} in the current folder)",
    )
    options = parser.parse_args(arguments)
    if not options.check:
        if options.output is not None:
            parser.error("--output names the file that a check writes: use it with --check")
        print(backend_report())
        return 0
    return _check(options.output or OUTPUT, parser.prog)


def _check(output: pathlib.Path, command: str) -> int:
    results = Results(machine())
    try:
        results.save(output)
    except OSError as error:
        print(
            f"{command}: --output {output} cannot be written ({error.strerror}); name another file",
            file=sys.stderr,
        )
        return 2
    print("\n".join([backend_report(), "", HEADING]), flush=True)
    try:
        for name in BACKENDS:
            if name != "reference":
                _check_implementation(name, results)
        results.complete = True
    except KeyboardInterrupt:
        print("\nThe check was stopped before its end.")
    results.save(output)
    print("\n".join(["", *results.summary(), f"The results are in {output}."]))
    return 0 if results.passed else 1


def _check_implementation(name: Backend, results: Results) -> None:
    if reason := missing(name):
        results.implementations[name] = f"cannot run: {reason}"
    else:
        cases = cases_for(name, CASES)
        results.implementations[name] = f"checked with {len(cases)} of {len(CASES)} cases" + (
            "" if len(cases) == len(CASES) else "; larger ones take too long in a simulation on a CPU"
        )
        for row in rows_of(name, cases):
            results.rows.append(row)
            print(line(row), flush=True)
    print(f"{name}: {results.implementations[name]}", flush=True)
