#!/usr/bin/env python3
"""Puts defects into copies of the code, one at a time, and tells which the tests do not notice.

    python scripts/mutants.py --count 150 --seed 0 --out scripts/mutants.md

`seeded_defects.py` chooses the defects, `trying.py` tries one. Only the tests of its area run, those that are
likely to notice first, and stop at the first failure, which counts where the same tests pass without the
defect; one whose tests end the process or take half an hour counts as noticed, too. Two copies work side by
side, with one thread each. What was tried stands in a log, so that the same command goes on where it was
stopped; survivors are tried again then, as the tests may have been mended. The result is a table and the list
of the survivors. Those of which scripts/equivalents.json tells why no test can notice them are listed with
that reason, and do not count.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

from seeded_defects import AREAS, ROOT, Defect, chosen
from trying import Copy, Failing

WORK = ROOT / "build" / "mutants"
EQUIVALENTS = Path(__file__).with_name("equivalents.json")


class Log:
    """What was tried: a line of JSON for each defect, under its place and change; the last one counts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.came: dict[str, dict[str, Any]] = {}
        self.seconds = 0.0
        self.lock = threading.Lock()
        if path.exists():
            for line in path.read_text().splitlines():
                self._take(json.loads(line))

    def _take(self, row: dict[str, Any]) -> None:
        self.came[row["defect"]] = row
        self.seconds += row["seconds"]

    def add(self, row: dict[str, Any]) -> None:
        with self.lock:
            self._take(row)
            with self.path.open("a") as file:
                file.write(json.dumps(row) + "\n")

    def noticed_by(self, file: Path) -> list[str]:
        """The files of tests that noticed defects of a source file before."""
        with self.lock:
            rows = [row for row in self.came.values() if row["defect"].startswith(f"{file}:")]
        return [row["test"] for row in rows if row["test"]]


@cache  # for the file may change meanwhile
def told(defect: Defect) -> str:
    return defect.described((ROOT / defect.file).read_bytes())


def without_line(description: str) -> str:
    """The description of a defect that stays when lines above it come and go."""
    file, _, change = description.split(":", 2)
    return file + ":" + change


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=150, help="defects over all areas")
    parser.add_argument("--seed", type=int, default=0, help="chooses the defects")
    parser.add_argument(
        "--areas", nargs="+", choices=AREAS, default=list(AREAS), help="which areas; default: all"
    )
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no defect after so long")
    parser.add_argument("--out", type=Path, required=True, help="file of the table, rewritten as it grows")
    options = parser.parse_args()
    end = time.monotonic() + 60 * options.minutes
    os.environ.update({"OMP_NUM_THREADS": "1", "CI": "1"})  # before torch is imported by those that test
    WORK.mkdir(parents=True, exist_ok=True)
    log = Log(WORK / f"log-{options.seed}.jsonl")
    picks = chosen(options.areas, options.count, options.seed)
    kept = {told(defect) for _, defect in picks}
    log.came = {name: row for name, row in log.came.items() if name in kept}
    equivalents = json.loads(EQUIVALENTS.read_text())
    left = [pick for pick in picks if told(pick[1]) not in log.came]
    left += [
        pick
        for pick in picks
        if log.came.get(told(pick[1]), {}).get("outcome") == "survived"
        and without_line(told(pick[1])) not in equivalents
    ]
    lock = threading.Lock()
    failures: list[str] = []

    def take(cpp_first: bool) -> tuple[str, Defect] | None:
        """The next defect; the copies begin with one language each, since a copy for C++ takes a build."""
        with lock:
            if not left or time.monotonic() > end:
                return None
            preferred = [pick for pick in left if (pick[1].file.suffix != ".py") == cpp_first]
            pick = (preferred or left)[0]
            left.remove(pick)
            return pick

    def work(number: int) -> None:
        copy = Copy(WORK / str(number))
        while pick := take(cpp_first=number == 0):
            area, defect = pick
            began = time.monotonic()
            try:
                outcome, test = copy.try_defect(defect, AREAS[area][1], log.noticed_by(defect.file))
            except Failing as error:
                failures.append(str(error))
                continue
            seconds = round(time.monotonic() - began, 1)
            row = {"defect": told(defect), "area": area, "outcome": outcome, "test": test, "seconds": seconds}
            log.add(row)
            print(f"{len(picks) - len(left)}/{len(picks)} {outcome} {seconds} s {row['defect']}", flush=True)
            with lock:
                options.out.write_text(table(log, options, equivalents))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    options.out.write_text(table(log, options, equivalents))
    if failures:
        raise SystemExit("\n".join(failures))


def table(log: Log, options: argparse.Namespace, equivalents: dict[str, str]) -> str:
    tried = [row for row in log.came.values() if row["outcome"] != "no code"]
    survivors = [row for row in tried if row["outcome"] == "survived"]
    same = [row for row in survivors if without_line(row["defect"]) in equivalents]
    missed = [row for row in survivors if row not in same]
    real = len(tried) - len(same)
    lines = [
        "# Seeded defects",
        "",
        f"`python scripts/mutants.py --count {options.count} --seed {options.seed}`: {len(tried)} tried, "
        f"of which {len(same)} change nothing that a test can see. Of the other {real}, "
        f"{real - len(missed)} were noticed: {(real - len(missed)) / max(real, 1):.1%} "
        f"({time.strftime('%Y-%m-%d')}, {log.seconds / 60:.0f} minutes, two at a time).",
        "",
        "| area | defects | equivalent | noticed |",
        "|---|---|---|---|",
    ]
    for area in AREAS:
        here = [sum(row["area"] == area for row in rows) for rows in (tried, same, missed)]
        if here[0]:
            lines.append(f"| {area} | {here[0]} | {here[1]} | {here[0] - here[1] - here[2]} |")
    lines += ["", "Survivors:", "", *sorted(f"- {row['defect']}" for row in missed)]
    lines += ["", "Equivalents:", ""]
    lines += sorted(f"- {row['defect']}: {equivalents[without_line(row['defect'])]}" for row in same)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
