"""The folder of a run: its configuration, and where everything else lies."""

from __future__ import annotations

import dataclasses
import json
import platform
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import torch
from torch import nn

from ebgan.errors import UserError
from ebgan.training.annotations import fits
from ebgan.training.checkpoint import load_weights, newest_valid
from ebgan.training.system import TrainingConfig

Config = TypeVar("Config", bound=TrainingConfig)

REMEDY = "restore the file or start a new run"


class RunFolder:
    """`runs/<name>/`: config.json, metrics.jsonl, tensorboard/, checkpoints/ and the pictures."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.json"
        self.metrics = path / "metrics.jsonl"
        self.tensorboard = path / "tensorboard"
        self.checkpoints = path / "checkpoints"

    @classmethod
    def create(cls, path: Path, command: str, config: TrainingConfig, *, replace: bool = False) -> RunFolder:
        """Begin a run of `command`; an earlier run of `command` there is deleted only with `replace`."""
        run = cls(path)
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            if not replace or run._read().get("command") != command:
                raise UserError(
                    f"{path}: exists already; go on with --resume {path}, or choose another --out"
                )
            shutil.rmtree(path)
        path.mkdir(parents=True, exist_ok=True)
        run._write(command, config)
        return run

    def update(self, config: TrainingConfig) -> None:
        """Store the configuration of a resumed run, whose number of steps may have been raised."""
        self._write(self.command(), config)

    def command(self) -> str:
        """The command that made this run, such as "train gan"."""
        return str(self._read()["command"])

    def read_config(self, config_type: type[Config]) -> Config:
        """The stored configuration; a field that is missing, unknown or of another type is an error."""
        stored = self._read()["config"]
        if not isinstance(stored, dict):
            raise UserError(f"{self.config}: 'config' is not a table; {REMEDY}")
        stored = {config_type.renamed.get(name, name): value for name, value in stored.items()}
        types = get_type_hints(config_type)
        fields = [field.name for field in dataclasses.fields(config_type)]
        for name in [*(name for name in fields if name not in config_type.added), *stored]:
            if name not in stored or name not in types or not fits(stored[name], types[name]):
                found = f"has {stored[name]!r}" if name in stored else "is missing"
                raise UserError(f"{self.config}: {name!r} {found}; {REMEDY}")
        try:
            return config_type(**stored)
        except UserError as error:
            raise UserError(f"{self.config}: {error}") from None

    def _write(self, command: str, config: TrainingConfig) -> None:
        content = {
            "command": command,
            "config": dataclasses.asdict(config),
            "versions": {"python": platform.python_version(), "torch": torch.__version__},
        }
        temporary = self.config.with_suffix(".tmp")
        temporary.write_text(json.dumps(content, indent=1) + "\n")
        temporary.replace(self.config)

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self.config.read_text())
        except FileNotFoundError:
            raise UserError(f"{self.path}: is not a run folder (config.json is missing)") from None
        except (OSError, ValueError) as error:
            raise UserError(f"{self.config}: cannot be read ({error}); {REMEDY}") from None
        if not isinstance(content, dict) or not {"command", "config"} <= content.keys():
            raise UserError(f"{self.config}: lacks 'command' or 'config'; {REMEDY}")
        return content


def load_newest(run: RunFolder, modules: Mapping[str, nn.Module]) -> None:
    """Load `modules` from the newest whole checkpoint of `run`, saying which damaged ones were skipped."""
    checkpoint, skipped = newest_valid(run.checkpoints)
    for reason in skipped:
        print(f"ebgan: skipped {reason}; using {checkpoint.name}", file=sys.stderr)
    load_weights(checkpoint, modules)
