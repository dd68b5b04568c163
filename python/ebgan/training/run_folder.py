"""The folder of a run: its configuration, and where everything else lies."""

from __future__ import annotations

import dataclasses
import errno
import fcntl
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import torch
from torch import nn

from ebgan.errors import UserError, did_you_mean
from ebgan.files import StrPath, replaced, writing
from ebgan.training.annotations import fits
from ebgan.training.checkpoint import BrokenCheckpoint, chosen, load_weights, others_whole, step_of
from ebgan.training.device import Precision
from ebgan.training.forward import Net, as_trained
from ebgan.training.system import TrainingConfig

Config = TypeVar("Config", bound=TrainingConfig)
Rows = Sequence[Mapping[str, float]]

_CANNOT_LOCK = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # some network file systems
REMEDY = "restore the file or start a new run"


class RunFolder:
    """`runs/<name>/`: config.json, metrics.jsonl, tensorboard/, checkpoints/ and the pictures.

    `step` chooses the checkpoint that is loaded from it, by default the newest.
    """

    def __init__(self, path: StrPath, *, step: int | None = None) -> None:
        self.path = Path(path)
        self.step = step
        self.config = self.path / "config.json"
        self.metrics = self.path / "metrics.jsonl"
        self.measured = self.path / "measured.jsonl"
        self.tensorboard = self.path / "tensorboard"
        self.checkpoints = self.path / "checkpoints"

    @classmethod
    def create(
        cls,
        path: StrPath,
        command: str,
        config: TrainingConfig,
        *,
        data_root: StrPath | None = None,
        replace: bool = False,
        measured: Rows = (),
    ) -> RunFolder:
        """Begin a run of `command`, which remembers `data_root` for evaluations and for when it is resumed.

        An earlier run of `command` there is deleted, but only with `replace`. The rows `measured`, of what
        was found before its first step, are kept in measured.jsonl.
        """
        run = cls(path)
        if run.require_free(command, replace=replace):
            shutil.rmtree(path)
        with writing(path):
            run.path.mkdir(parents=True, exist_ok=True)
            if measured:
                run.measured.write_text("".join(json.dumps(row) + "\n" for row in measured))
        run._write(command, config, None if data_root is None else os.path.abspath(data_root))
        return run

    @classmethod
    def described_by(cls, file: StrPath) -> RunFolder:
        """The run whose config.json `file` is, or a copy of it anywhere."""
        file = Path(file)
        if not file.is_file():
            raise UserError(f"config: {file} is not a file; name the config.json of a run folder")
        run = cls(file.parent)
        run.config = file
        return run

    def require_free(self, command: str, *, replace: bool = False) -> bool:
        """Raise `UserError` where a run of `command` cannot begin; tell whether it must `replace` another."""
        if not self.path.exists() or (self.path.is_dir() and not any(self.path.iterdir())):
            return False
        if not replace or self._read().get("command") != command:
            raise UserError(
                f"{self.path}: exists already; go on with --resume {self.path}, or choose another --out"
            )
        self.require_idle()
        return True

    def require_idle(self) -> None:
        """Raise `UserError` where another process trains the run now."""
        with self.locked():
            pass

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Within the block no other process trains the run or replaces it; killing this one ends that.

        Raises:
            UserError: another one does.
        """
        with writing(self.path):
            descriptor = os.open(self.path, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno == errno.EWOULDBLOCK:
                    raise UserError(
                        f"{self.path}: another process trains this run now; wait for it, or choose "
                        "another --out"
                    ) from None
                if error.errno not in _CANNOT_LOCK:
                    raise
            yield
        finally:
            os.close(descriptor)

    def update(self, config: TrainingConfig, *, data_root: StrPath | None = None) -> None:
        """Store what a resumed run was given anew: more steps, another root of its data."""
        root = self._read().get("data_root") if data_root is None else os.path.abspath(data_root)
        self._write(self.command(), config, root)

    def command(self) -> str:
        """The command that made this run, such as "train gan"."""
        return str(self._read()["command"])

    def data_root(self, given: StrPath | None = None) -> Path | None:
        """The root of the data: the one `given`, else the one that the run was given and remembers."""
        if given is not None:
            return Path(given)
        remembered = self._read().get("data_root")
        if remembered is None:
            return None
        if not os.path.exists(remembered):
            raise UserError(
                f"data_root: {self.config} remembers {remembered}, which is gone; give --data-root, the "
                "folder where the data lies now"
            )
        return Path(remembered)

    def read_config(self, config_type: type[Config]) -> Config:
        """The stored configuration; a field that is missing, unknown or of another type is an error."""
        stored = self._read()["config"]
        if not isinstance(stored, dict):
            raise UserError(f"{self.config}: 'config' is not a table; {REMEDY}")
        stored = {config_type.renamed.get(name, name): value for name, value in stored.items()}
        types = get_type_hints(config_type)
        fields = [field.name for field in dataclasses.fields(config_type)]
        for name, value in stored.items():
            if name not in fields:
                meant = did_you_mean(name, fields) or "; remove it"
                raise UserError(f"{self.config}: {name!r} is no option of 'ebgan {self.command()}'{meant}")
            if not fits(value, types[name]):
                raise UserError(f"{self.config}: {name!r} has {value!r}, which is of no use there; {REMEDY}")
        for name in fields:
            if name not in stored and name not in config_type.added:
                raise UserError(f"{self.config}: {name!r} is missing; {REMEDY}")
        try:
            return config_type(**stored)
        except UserError as error:
            raise UserError(f"{self.config}: {error}") from None

    def checkpoint(self) -> Path:
        """The checkpoint that is loaded from it: the one of `step`, by default the newest."""
        return chosen(self.checkpoints, self.step)

    def _write(self, command: str, config: TrainingConfig, data_root: str | None) -> None:
        content = {
            "command": command,
            "config": dataclasses.asdict(config),
            "data_root": data_root,
            "versions": {"python": platform.python_version(), "torch": torch.__version__},
        }
        with replaced(self.config) as new:
            new.write_text(json.dumps(content, indent=1) + "\n")

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self.config.read_text())
        except (FileNotFoundError, NotADirectoryError):
            raise UserError(f"{self.path}: is not a run folder (config.json is missing)") from None
        except (OSError, ValueError) as error:
            raise UserError(f"{self.config}: cannot be read ({error}); {REMEDY}") from None
        if not isinstance(content, dict) or not {"command", "config"} <= content.keys():
            raise UserError(f"{self.config}: lacks 'command' or 'config'; {REMEDY}")
        return content


def generator_of(
    run: RunFolder, untrained: Mapping[str, Net], device: torch.device, precision: Precision
) -> Net:
    """The one net of `untrained`, by its name in the checkpoints, with the weights of `run`, on `device`."""
    ((name, net),) = untrained.items()
    net = as_trained(net.to(device), precision)
    load_newest(run, {name: net})
    return net


def load_newest(run: RunFolder, modules: Mapping[str, nn.Module]) -> None:
    """Load the weights of `modules` from the checkpoint that `run` is opened at, by default the newest.

    Raises:
        UserError: there is no such checkpoint, or it is damaged. An older one never takes its place unasked.
    """
    checkpoint = run.checkpoint()
    try:
        load_weights(checkpoint, modules)
    except BrokenCheckpoint as broken:
        whole = others_whole(checkpoint)
        steps = " and ".join(map(str, whole))
        remedy = f"take that of step {steps} with --step" if whole else "train again: no other is whole"
        raise BrokenCheckpoint(f"{broken}; restore it, or {remedy}") from None
    if run.step is None and step_of(checkpoint) == 0:
        print(f"ebgan: {run.path} has saved no step yet: its networks are untrained", file=sys.stderr)
