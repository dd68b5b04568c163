#!/usr/bin/env python3
"""Trains every preset in two checkouts and compares what the runs wrote, bit by bit.

    python scripts/compare_runs.py BEFORE AFTER --data-root DIR --images DIR [--only TEXT]

BEFORE and AFTER are checkouts whose compiled libraries are built, or records that `--keep` wrote. Each run
takes 40 steps, is resumed to 50, and is then evaluated at small counts, on the CPU with one thread. Nets of
which a step takes a second or more are narrowed (`SMALL`). Compared are the rows of the log without times,
the SHA-256 of the weights and of the optimisers' state in the last checkpoint, the rates and options of the
optimisers, every picture, and all that the evaluation found or refused. The output is a Markdown table; the
exit status is 1 where anything differs. Presets whose data is not there are listed and not run.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import hashlib
import importlib
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

FIRST, LAST = 40, 50  # steps of the new run, and of the resumed one
FACTS = ("log", "weights", "moments", "optimizers", "pictures", "scores")
LOOP = {"threads": 1, "log_every": 5, "picture_every": 25, "checkpoint_every": 20}
# Options that make a step quick where, as the preset has it, it takes a second or more.
SMALL: dict[str, dict[str, Any]] = {
    "gan images": {"generator_width": 64, "discriminator_width": 8, "batch_size": 16},
    "video 4to1": {"width": 0.1, "batch_size": 2},
}
EVALUATION = {"gan": ["--samples", "200"], "video": ["--stride", "64"], "ladder": []}
TEST_CLIPS = 4  # of moving digits: the optical flow and both metrics of a window of 16 frames take a second


def presets(name: str) -> Iterator[tuple[str, Any]]:
    """The name and configuration of every preset of a system, for video with both networks."""
    system = importlib.import_module(f"ebgan.{name}")
    for key, preset in system.PRESETS.items():
        if isinstance(preset, Mapping):
            yield from ((f"{name} {data} {key}", config) for data, config in preset.items())
        else:
            yield f"{name} {key}", preset
    if name == "video":
        yield from ((f"video 4to1 {loss}", system.preset("4to1", loss)) for loss in system.LOSSES)


def record(only: str, data_root: Path, images: Path) -> dict[str, dict[str, Any]]:
    """The facts that every run of the imported checkout wrote, by the name of its preset."""
    importlib.import_module("ebgan.data.moving_digits")._COUNT["test"] = TEST_CLIPS
    found = {}
    for name in EVALUATION:
        for title, preset in presets(name):
            if only not in title:
                continue
            print(title, file=sys.stderr, flush=True)
            small = next((value for key, value in SMALL.items() if title.startswith(key)), {})
            schedule = {"schedule_steps": LAST} if name == "ladder" else {}
            config = dataclasses.replace(preset, steps=FIRST, **LOOP, **small, **schedule)
            root = images if config.data == "images" else data_root
            found[title] = run(name, config, root)
    return found


def run(name: str, config: Any, root: Path) -> dict[str, Any]:
    import torch

    from ebgan import UserError
    from ebgan.cli import main

    system, cpu = importlib.import_module(f"ebgan.{name}"), torch.device("cpu")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        try:
            system.train(config, out, device=cpu, data_root=root)
        except UserError as error:
            return {"not run": str(error)}
        system.resume(out, device=cpu, data_root=root, steps=LAST)
        errors = io.StringIO()
        evaluation = ["evaluate", str(out), "--data-root", str(root), "--device", "cpu", *EVALUATION[name]]
        with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.redirect_stderr(errors):
            code = main(evaluation)
        said = printed.getvalue() if code == 0 else errors.getvalue()
        return {**written(out), "evaluation": [code, said.replace(folder, "")]}


def written(out: Path) -> dict[str, Any]:
    """The facts that the run folder `out` holds, without its clocks and dates."""
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    checkpoint = json.loads((max((out / "checkpoints").glob("step-*")) / "checkpoint.json").read_text())
    scores = json.loads((out / "scores.json").read_text()) if (out / "scores.json").is_file() else {}
    return {
        "log": [{key: value for key, value in row.items() if key != "seconds"} for row in rows],
        "weights": checkpoint["sha256"]["weights.safetensors"],
        "moments": checkpoint["sha256"]["optimizers.safetensors"],
        "optimizers": checkpoint["optimizers"],
        "pictures": {
            str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(out.rglob("*.png"))
        },
        "scores": {key: value for key, value in scores.items() if key not in ("date", "config")},
    }


def recorded(checkout: Path, arguments: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The record of a checkout, made by a process of its own, or the one that was kept in a file."""
    if checkout.is_file():
        kept: dict[str, dict[str, Any]] = json.loads(checkout.read_text())
        return kept
    paths = [str(checkout), str(checkout / "python")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, __file__, "--record", *arguments]
    process = subprocess.run(command, cwd=checkout, env=environment, stdout=subprocess.PIPE, check=True)
    result: dict[str, dict[str, Any]] = json.loads(process.stdout)
    return result


def compared(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[list[str], bool]:
    """The table, a row for each run, and whether all is equal."""
    facts = (*FACTS, "evaluation")
    lines = [f"| run | {' | '.join(facts)} |", f"|---|{'---|' * len(facts)}"]
    equal = before.keys() == after.keys()
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name, {}), after.get(name, {})
        if "not run" in one and one == other:
            lines.append(f"| {name} | not run: {one['not run']} {'| ' * len(facts)}|")
            continue
        same = [one.get(fact) == other.get(fact) for fact in facts]
        equal = equal and all(same)
        lines.append(f"| {name} | {' | '.join('equal' if each else '**differs**' for each in same)} |")
    return lines, equal


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkouts", nargs="*", type=Path, metavar="CHECKOUT")
    parser.add_argument("--data-root", type=Path, required=True, help="folder that holds the data sets")
    parser.add_argument(
        "--images", type=Path, required=True, help="folder or zip of images, for the 64x64 nets"
    )
    parser.add_argument(
        "--only", default="", help="part of the names of the runs to compare, such as 'video'"
    )
    parser.add_argument(
        "--keep", type=Path, help="folder to write both records to, as before.json and after.json"
    )
    parser.add_argument("--record", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.record:
        with contextlib.redirect_stdout(sys.stderr):
            found = record(given.only, given.data_root, given.images)
        json.dump(found, sys.stdout)
        return 0
    if len(given.checkouts) != 2:
        parser.error("two checkouts are needed, BEFORE and AFTER")
    options = ["--only", given.only, "--data-root", str(given.data_root.resolve())]
    options += ["--images", str(given.images.resolve())]
    records = [recorded(checkout.resolve(), options) for checkout in given.checkouts]
    for name, content in zip(("before", "after"), records, strict=True):
        if given.keep is not None:
            given.keep.mkdir(parents=True, exist_ok=True)
            (given.keep / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")
    lines, equal = compared(*records)
    print("\n".join(lines))
    return int(not equal)


if __name__ == "__main__":
    sys.exit(main())
