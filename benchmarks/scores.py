"""The committed scores of trained systems as a page: `python -m benchmarks.scores [RUN=NAME ...]`.

`runs/gan-mnist=mnist-ebgan` first takes over the scores.json that `ebgan evaluate runs/gan-mnist` wrote, as
`benchmarks/results/scores/mnist-ebgan.json`. Then `benchmarks/results/SCORES.md` is written from all of them.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from benchmarks.rows import RESULTS
from benchmarks.tables import figure, table

FOLDER, PAGE = RESULTS / "scores", RESULTS / "SCORES.md"
INTRODUCTION = """\
# Scores of trained systems

Written by `python -m benchmarks.scores` from the files that `ebgan evaluate` made; they lie in `scores/`.

- KID: kernel inception distance to the training images, mean ± standard deviation over subsets; the lower,
  the better.
- I': E KL(p(y) || p(y|x)), the EBGAN paper's modified inception score; inception: exp E KL(p(y|x) || p(y));
  the higher, the better. Least share: of the ten classes, the one with the fewest images.
- Scores compare under one score network only, named with its SHA-256. *Real* is the test split against the
  training split, of `images` a half of the training split against its other half; *untrained* the first
  run's generator before its first step; *pixel noise* a Gaussian fitted to each pixel.
- Under each table the commands that train the runs; `images` wants its `--data-root` too, here the 3,000
  training images of six dog breeds of Tiny ImageNet. Its curves: [energies], [hinge]. Of `yale-b`, faces of
  real people, there are figures alone.

[energies]: ../../docs/pictures/dogs-energies.png
[hinge]: ../../docs/pictures/dogs-hinge.png
"""


def page(scores: Sequence[tuple[str, dict[str, Any]]]) -> str:
    """The page of scores.json contents, given with their names, in the order of data set and name."""
    ordered = sorted(scores, key=lambda item: (item[1]["config"]["data"], item[0]))
    lines = [INTRODUCTION]
    for data, of_data in groupby(ordered, key=lambda item: str(item[1]["config"]["data"])):
        lines += _section(data, list(of_data))
    return "\n".join(lines)


def _section(data: str, runs: Sequence[tuple[str, dict[str, Any]]]) -> list[str]:
    networks = {run["scores"]["sha256"]: run["scores"]["network"] for _, run in runs}
    if len(networks) > 1:
        raise ValueError(f"scores of {data} are of {len(networks)} score networks; evaluate all runs anew")
    ((sha256, network),) = networks.items()
    body = [_cells(name, run, "samples") for name, run in runs]
    first = runs[0]
    body += [_cells(each, first[1], each) for each in first[1]["scores"]["sets"] if each != "samples"]
    header = ["", "updates", "images", "KID", "I'", "inception", "mean top p", "least share"]
    return [
        f"## {data}",
        "",
        f"Score network `{network}`, SHA-256 `{sha256}`.",
        "",
        *table(header, body),
        "",
        *(f"- {name}: {settings(run)}" for name, run in runs),
        "",
    ]


def _cells(name: str, run: dict[str, Any], which: str) -> list[str]:
    scores = run["scores"]["sets"][which]
    kid, classes = scores["kid"], scores["classes"]
    updates = f"{run['step']:,}" if which == "samples" else ""
    deviation = "" if kid["std"] is None else f" ± {kid['std']:.5f}"
    cells = [name, updates, f"{scores['count']:,}", f"{kid['mean']:.5f}{deviation}"]
    if classes is None:
        return [*cells, "", "", "", ""]
    return [
        *cells,
        figure(classes["modified_inception_score"]),
        figure(classes["inception_score"]),
        f"{classes['mean_top_probability']:.3f}",
        f"{100 * min(classes['shares'].values()):.1f} %",
    ]


def settings(run: dict[str, Any]) -> str:
    """The command that trains the run anew, and where it was scored."""
    where = f"torch {run['versions']['torch']}, {run['device']}, {run['date'][:10]}"
    return f"`{command_line(run['command'], run['config'])}` ({where})"


def command_line(command: str, config: Mapping[str, Any]) -> str:
    """The `ebgan` command of a run of this configuration."""
    left_out = ("log_every", "picture_every", "checkpoint_every")
    options = " ".join(
        f"--{name.replace('_', '-')} {value}"
        for name, value in config.items()
        if value is not None and value is not False and name not in left_out
    )
    return f"ebgan {command} {options}"


def committed(folder: pathlib.Path) -> dict[str, dict[str, Any]]:
    """The scores in a results folder, by name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def take_over(runs: Iterable[str], folder: pathlib.Path) -> None:
    """Copy the scores of runs, each given as RUN=NAME."""
    folder.mkdir(parents=True, exist_ok=True)
    for item in runs:
        run, separator, name = item.partition("=")
        source = pathlib.Path(run) / "scores.json"
        if not (separator and name):
            raise ValueError(f"{item}: expected RUN=NAME, such as runs/gan-mnist=mnist-ebgan")
        if not source.is_file():
            raise ValueError(f"{source} is missing; run: ebgan evaluate {run}")
        shutil.copyfile(source, folder / f"{name}.json")


def write_page(
    module: str,
    description: str | None,
    folder: pathlib.Path,
    write: Callable[[], None],
    arguments: Sequence[str] | None,
) -> int:
    """The command of a page: take over the runs that `arguments` name, then `write` it; the exit status."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="*", metavar="RUN=NAME")
    options = parser.parse_args(arguments)
    try:
        take_over(options.runs, folder)
        write()
    except (ValueError, OSError) as error:
        print(f"{module}: {error}", file=sys.stderr)
        return 2
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    def write() -> None:
        PAGE.write_text(page(list(committed(FOLDER).items())))

    return write_page("benchmarks.scores", __doc__, FOLDER, write, arguments)


if __name__ == "__main__":
    sys.exit(main())
