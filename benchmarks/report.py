"""Turns result files into what people read: `python -m benchmarks.report [--check]`.

Writes the block between the README's markers, `benchmarks/results/README.md` with every row, and the
pictures. With `--check` nothing is written, and the command fails where the README's block is not what the
result files say.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Sequence

from benchmarks.headline import by_case, headline_rows, is_ours
from benchmarks.rows import RESULTS, ROOT, Environment, OperatorRow, Results
from benchmarks.tables import figure, ratio, row_lines, shape_text, table

BEGIN, END = "<!-- speed:begin -->", "<!-- speed:end -->"
NOT_TIMED = ("checks-", "traffic.")  # files of benchmarks.status and benchmarks.traffic
DEVICE_KINDS = {"cpu": "CPU", "cuda": "CUDA GPU"}
COLUMNS = ("eager", "torch.compile", "**ours**")
MODES = {"max-autotune": "torch.compile"}


def load_results(folder: pathlib.Path) -> list[Results]:
    """The timed results of a folder, CPUs first. ValueError where one was timed too briefly to be quoted."""
    timed = [path for path in sorted(folder.glob("*.json")) if not path.name.startswith(NOT_TIMED)]
    found = [Results.load(path) for path in timed]
    for results in found:
        if results.environment.quick:
            raise ValueError(f"{folder / results.file_name} is of a --quick run; measure it without --quick")
    return sorted(found, key=lambda results: (results.environment.device_type, results.environment.device))


def readme_block(all_results: Sequence[Results], folder: str) -> str:
    """The README's table: the headline operators on every device, a line for each operator and size."""
    body, lines = [], []
    for kind, title in DEVICE_KINDS.items():
        measured = [results for results in all_results if results.environment.device_type == kind]
        if not measured:
            lines.append(f"- **{title}**: not measured.")
        for results in measured:
            rows = _headline_rows_of_table(results)
            body += rows
            if rows:
                environment = results.environment
                lines.append(f"- {environment.device}: {_conditions(environment)}")
    header = ["operator", "inputs", "device", *COLUMNS, "over eager", "over compile"]
    return "\n".join(
        [
            "Milliseconds of forward and backward from leaf tensors, float32, median ± interquartile range,",
            "all interleaved in one run; *torch.compile* is the faster of its two modes.",
            "",
            *table(header, body),
            "",
            *lines,
            "",
            "Training steps, pictures, every other operator and every row that loses:",
            f"[{folder}README.md]({folder}README.md).",
        ]
    )


def full_page(all_results: Sequence[Results]) -> str:
    """Every row of every file."""
    lines = [
        "# Measurements",
        "",
        "Written by `python -m benchmarks.report` from the JSON files that `python -m benchmarks` makes.",
        "",
        "- ms: median per call of one interleaved run, with the interquartile range. Clock *wall*: host",
        "  time, the device synchronised; *device*: of a CUDA graph over inputs of three times the L2 cache.",
        "- over eager, over compile: how many times faster than plain PyTorch, and than the faster of",
        "  torch.compile's two modes; over first: than the first line of the same job.",
        "- MB moved: the least traffic of the operator (inputs read once, gradients written once), so GB/s",
        "  are effective; % of copy: of a copy's bandwidth in the same run; inputs in a cache can exceed it.",
        "- error / eager's: relative error against float64 on the same inputs, over that of plain PyTorch.",
        "",
    ]
    for results in all_results:
        lines += [
            f"## {results.benchmark}: {results.environment.device}",
            "",
            _conditions(results.environment),
            "",
        ]
        if headline_rows(results):
            picture = pathlib.Path(results.file_name).with_suffix(".png")
            alt = f"{results.benchmark} on {results.environment.device}: time of each implementation"
            lines += [f"![{alt}]({picture})", ""]
        lines += row_lines(results.rows)
    return "\n".join(lines)


def replace_block(text: str, block: str, name: str) -> str:
    """`text` with the block between its markers replaced."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{name} has no {BEGIN} followed by {END}; put both where the tables belong")
    return f"{before}{BEGIN}\n{block}\n{END}{after}"


def _headline_rows_of_table(results: Results) -> list[list[str]]:
    body = []
    for (operator, shape), of_case in by_case(headline_rows(results)).items():
        fastest: dict[str, OperatorRow] = {}
        for row in sorted(of_case, key=lambda row: -row.median_ms):
            if is_ours(row.implementation):
                fastest["**ours**"] = row
            else:
                fastest[MODES.get(row.implementation, row.implementation)] = row
        ours = fastest.get("**ours**")
        cells = [_time(fastest.get(column)) for column in COLUMNS]
        ratios = (ours.speedup_over_eager, ours.speedup_over_compile) if ours else (None, None)
        device = results.environment.device
        body.append([f"`{operator}`", shape_text(shape), device, *cells, *map(ratio, ratios)])
    return body


def _time(row: OperatorRow | None) -> str:
    return f"{figure(row.median_ms)} ± {figure(row.iqr_ms)}" if row else ""


def _conditions(environment: Environment) -> str:
    triton = (
        f", triton {environment.triton}" if environment.triton and environment.device_type == "cuda" else ""
    )
    return (
        f"torch {environment.torch}{triton}, commit {environment.commit},"
        f" {environment.date}; a copy reaches {figure(environment.copy_gb_per_s)} GB/s"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the README is stale")
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS, help="folder of the result files")
    parser.add_argument("--readme", type=pathlib.Path, default=ROOT / "README.md")
    options = parser.parse_args(arguments)
    try:
        results = load_results(options.results)
        folder = f"{options.results.resolve().relative_to(options.readme.resolve().parent)}/"
        current = options.readme.read_text()
        wanted = replace_block(current, readme_block(results, folder), str(options.readme))
    except (ValueError, OSError) as error:
        print(f"benchmarks.report: {error}", file=sys.stderr)
        return 2
    if options.check:
        if current != wanted:
            print(
                f"{options.readme}: the speed table is stale; run python -m benchmarks.report",
                file=sys.stderr,
            )
        return int(current != wanted)
    from benchmarks.plots import draw_headline  # matplotlib is wanted only where pictures are

    for each in results:
        draw_headline(each, options.results)
    (options.results / "README.md").write_text(full_page(results))
    options.readme.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
