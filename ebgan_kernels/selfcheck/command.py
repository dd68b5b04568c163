"""The command ``python -m ebgan_kernels``: the report of what is here, and the check of it."""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Sequence

from ebgan_kernels.backends import BACKENDS, backend_report, missing
from ebgan_kernels.selfcheck.cases import CASES
from ebgan_kernels.selfcheck.processes import rows_of
from ebgan_kernels.selfcheck.report import HEADING, Outcome, line, machine
from ebgan_kernels.selfcheck.run import cases_for

OUTPUT = pathlib.Path("ebgan-kernels-check.json")
DESCRIPTION = """
Without an option this prints which implementations of the operators are available here, which are not, and why.

With --check it runs every operator on every implementation that is available, values and gradients, and compares them
with float64. An operator passes where its error is at most twice that of the reference, which is plain PyTorch, or one
unit in the last place (ulp). The check takes about a minute; nothing is sent anywhere.
"""
EPILOG = """
The exit status is 0 where all checks have passed, 1 where one has failed or there was nothing to check, and 2 where the
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
    output: pathlib.Path = options.output or OUTPUT
    outcome = Outcome(machine())
    try:
        outcome.save(output)
    except OSError as error:
        print(
            f"{parser.prog}: --output {output} cannot be written ({error.strerror}); name another file",
            file=sys.stderr,
        )
        return 2
    print(backend_report())
    try:
        _check(outcome)
    finally:  # what was found before Ctrl-C is worth keeping
        outcome.save(output)
    print("\n".join(["", *outcome.summary(), f"Written to {output}."]))
    return 0 if outcome.passed else 1


def _check(outcome: Outcome) -> None:
    print("\nOf two figures the second is the reference's; an error is in units in the last place.", flush=True)
    print(HEADING)
    for name in BACKENDS:
        if name == "reference":
            continue
        if reason := missing(name):
            outcome.implementations[name] = f"cannot run: {reason}"
        else:
            cases = cases_for(name, CASES)
            outcome.implementations[name] = f"{len(cases)} of {len(CASES)} cases" + (
                "" if len(cases) == len(CASES) else ": a simulation on the CPU is too slow for the larger ones"
            )
            for row in rows_of(name, cases):
                outcome.rows.append(row)
                print(line(row), flush=True)
        print(f"{name}: {outcome.implementations[name]}", flush=True)
