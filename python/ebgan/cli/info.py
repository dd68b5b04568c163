"""The command `ebgan info`."""

from __future__ import annotations

import dataclasses
import json
import shlex
from dataclasses import dataclass
from typing import Any

from ebgan.cli.options import TrainedRun
from ebgan.cli.page import rows
from ebgan.errors import UserError
from ebgan.systems import system_of
from ebgan.training import SCORES, Description, RunFolder, TrainingConfig, read_metrics


@dataclass(frozen=True)
class Info:
    """Tell what a run is and how far it has come: its settings, last metrics, checkpoints and scores.

    Settings are those that differ from the preset. It also says what to do next.
    """

    run_folder: TrainedRun
    """Folder of the run, such as runs/gan-mnist."""

    def run(self) -> None:
        system = system_of(self.run_folder)
        run, config = system.open_run(self.run_folder)
        steps = [int(path.name.removeprefix("step-")) for path in sorted(run.checkpoints.glob("step-*"))]
        done = steps[-1] if steps else 0
        told = {
            "run": f"{run.path}, of 'ebgan {run.command()}'",
            "settings": _settings(system, config),
            "steps": f"{done:,} of {config.steps:,} are done and saved",
            "metrics": _last_metrics(run),
            "checkpoints": f"of the steps {', '.join(map(str, steps))}" if steps else "none",
            "pictures": ", ".join(path.name for path in sorted(run.path.glob("*.png"))) or "none",
        }
        print(rows(told))
        print(f"\n{_scores(run)}\n\nWhat to do next:")
        folder = shlex.quote(str(run.path))
        if done < config.steps:
            print(f"  ebgan {system.commands[0]} --resume {folder}")
        for command in system.then(config) if done else ():
            print(f"  ebgan {command.format(run=folder)}")


def _settings(system: Description[Any, Any], config: TrainingConfig) -> str:
    """The options that made the run: those that choose its preset, and those that differ from it."""
    chosen = {name: getattr(config, name) for name in system.choosing}
    always = {name: value for name, value in chosen.items() if system.choosing[name] is not None}
    try:
        usual = system.preset(**always)
        preset = system.prepare(dataclasses.replace(system.preset(**chosen), steps=config.steps))
    except UserError:  # of a model that has no preset on this data
        usual = preset = system.prepare(system.preset())
    unusual = {name: value for name, value in chosen.items() if value != getattr(usual, name)}
    named = (
        always
        | unusual
        | {
            field.name: getattr(config, field.name)
            for field in dataclasses.fields(config)
            if field.name == "steps" or getattr(config, field.name) != getattr(preset, field.name)
        }
    )
    return " ".join(f"--{name.replace('_', '-')} {value}" for name, value in named.items())


def _last_metrics(run: RunFolder) -> str:
    logged = read_metrics(run)
    if not logged:
        return "none are logged yet"
    step, seconds, values = logged[-1]["step"], logged[-1].get("seconds", 0.0), logged[-1]
    told = (f"{name} {value:.4g}" for name, value in values.items() if name not in ("step", "seconds"))
    return f"of step {step:,} after {seconds:,.0f} s: {', '.join(told)}"


def _scores(run: RunFolder) -> str:
    """The table of the last evaluation."""
    try:
        scores = json.loads((run.path / SCORES).read_text())
        return f"Scores of step {scores['step']:,}, {scores['date']}:\n{scores['table']}"
    except FileNotFoundError:
        return "It has not been evaluated."
    except (OSError, ValueError, KeyError, TypeError):
        return f"{run.path / SCORES} cannot be read, or is of an earlier version: evaluate again."
