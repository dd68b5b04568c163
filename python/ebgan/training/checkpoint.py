"""Checkpoints: safetensors and JSON in a folder that appears whole or not at all.

    checkpoints/step-00002000/weights.safetensors      "<module>.<parameter>": tensor
                              optimizers.safetensors   "<optimizer>.<parameter number>.<name>": tensor
                              checkpoint.json          format, step, seconds, the rest of the optimisers,
                              SHA-256 of both files and of itself

Nothing in them is a pickle, so that loading one never runs code. No generator's state is stored: each step is
seeded from its number (see `ebgan.training.seeds`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ebgan.errors import UserError, reason, require
from ebgan.files import StrPath, writing

FORMAT = 1  # of checkpoints; one that this code could not read, or not to the same bits, gets another
KEEP = 2  # the newest, and one to fall back to when the newest turns out damaged
PREFIX = "step-"
WEIGHTS, OPTIMIZERS, DESCRIPTION = "weights.safetensors", "optimizers.safetensors", "checkpoint.json"


class BrokenCheckpoint(UserError):
    """A checkpoint that cannot be used; the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class Progress:
    """The progress of a run: `step` steps done in `seconds` of training."""

    step: int
    seconds: float


def save(
    folder: StrPath,
    progress: Progress,
    modules: Mapping[str, nn.Module],
    optimizers: Mapping[str, Optimizer],
    *,
    keep: int = KEEP,
) -> None:
    """Write the checkpoint of `progress` under `folder`, then delete all but the newest `keep` up to it.

    Later ones are of a run that went on from an older checkpoint, since they were damaged.

    Raises:
        UnwritableError: it cannot be written; earlier ones are as they were.
    """
    weights = {
        f"{name}.{key}": value for name, net in modules.items() for key, value in net.state_dict().items()
    }
    states = {name: optimizer.state_dict() for name, optimizer in optimizers.items()}
    moments = {
        f"{name}.{index}.{key}": value
        for name, state in states.items()
        for index, entry in state["state"].items()
        for key, value in entry.items()
    }

    final = Path(folder) / f"{PREFIX}{progress.step:08d}"
    building = final.with_name(f".{final.name}")
    try:
        with writing(final):
            shutil.rmtree(building, ignore_errors=True)  # a killed process leaves one
            building.mkdir(parents=True)
            description = {
                "format": FORMAT,
                "step": progress.step,
                "seconds": progress.seconds,
                "optimizers": {
                    name: [_plain(group) for group in state["param_groups"]] for name, state in states.items()
                },
                "sha256": {
                    WEIGHTS: _write(building / WEIGHTS, _serialise(weights)),
                    OPTIMIZERS: _write(building / OPTIMIZERS, _serialise(moments)),
                },
            }
            _write(building / DESCRIPTION, _json(description | {"own_sha256": _digest(description)}))
            _sync(building)
            shutil.rmtree(final, ignore_errors=True)  # a run that went on from an older checkpoint has one
            building.rename(final)
            _sync(final.parent)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    there = stored(folder)
    kept = [step for step in there if step <= progress.step][-keep:]
    for step in there.keys() - set(kept):
        shutil.rmtree(there[step], ignore_errors=True)


def stored(folder: StrPath) -> dict[int, Path]:
    """The checkpoints under `folder` by their steps, the newest last, whole or not."""
    paths = {path.name.removeprefix(PREFIX): path for path in Path(folder).glob(f"{PREFIX}*")}
    return {int(step): paths[step] for step in sorted(filter(str.isdecimal, paths), key=int)}


def step_of(path: Path) -> int:
    """The step that the checkpoint `path` is of."""
    return int(path.name.removeprefix(PREFIX))


def newest_valid(folder: StrPath) -> tuple[Path, list[str]]:
    """The newest checkpoint under `folder` that is whole, and one line for each newer one that is not."""
    skipped = []
    for path in reversed(stored(folder).values()):
        try:
            _verified(path, WEIGHTS, OPTIMIZERS)
        except BrokenCheckpoint as broken:
            skipped.append(str(broken))
        else:
            return path, skipped
    raise _unusable(folder, "; ".join(skipped) or "there is none")


def chosen(folder: StrPath, step: int | None) -> Path:
    """The checkpoint of `step` under `folder`, by default the newest.

    Raises:
        UserError: there is none.
    """
    there = stored(folder)
    if not there:
        raise _unusable(folder, "there is none")
    if step is None:
        return list(there.values())[-1]
    if step not in there:
        steps = ", ".join(map(str, there))
        raise UserError(f"step: got {step}, but the checkpoints under {folder} are of the steps {steps}")
    return there[step]


def others_whole(path: Path) -> list[int]:
    """The steps, above 0, of the checkpoints beside `path` whose weights are whole."""
    whole = []
    for step, other in stored(path.parent).items():
        try:
            _verified(other, WEIGHTS)
        except BrokenCheckpoint:
            continue
        whole += [step] if step else []
    return whole


def _unusable(folder: StrPath, why: str) -> UserError:
    return UserError(f"{folder}: no usable checkpoint ({why}); start a new run with another --out")


def load_weights(path: Path, modules: Mapping[str, nn.Module]) -> None:
    """Load the weights of `modules` from the checkpoint `path`, which may hold other modules too."""
    _, tensors = _verified(path, WEIGHTS)
    for name, module in modules.items():
        prefix = f"{name}."
        state = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        try:
            module.load_state_dict(state)
        except RuntimeError as error:
            why = str(error).splitlines()[-1].strip()
            raise UserError(
                f"{path / WEIGHTS}: does not fit {name!r} as config.json describes it: {why}"
            ) from None


def load(path: Path, modules: Mapping[str, nn.Module], optimizers: Mapping[str, Optimizer]) -> Progress:
    """Load `modules` and `optimizers` from the checkpoint `path`; return how far it had come."""
    load_weights(path, modules)
    description, tensors = _verified(path, OPTIMIZERS)
    try:
        _load_optimizers(optimizers, description["optimizers"], tensors)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path}: its optimisers do not fit the run as config.json describes it: {reason(error)}"
        ) from None
    return Progress(description["step"], description["seconds"])


def _load_optimizers(
    optimizers: Mapping[str, Optimizer], groups_of: dict[str, Any], tensors: dict[str, Tensor]
) -> None:
    for name, optimizer in optimizers.items():
        state: dict[int, dict[str, Tensor]] = {}
        for full_key, value in tensors.items():
            owner, index, key = full_key.split(".", 2)
            if owner == name:
                state.setdefault(int(index), {})[key] = value
        pairs = zip(groups_of[name], optimizer.param_groups, strict=True)
        groups = [_as_built(saved, built) for saved, built in pairs]
        optimizer.load_state_dict({"state": state, "param_groups": groups})
        _lay_out(optimizer)


def _plain(group: dict[str, Any]) -> dict[str, Any]:
    """The optimiser's group as JSON can hold it: a rate that is a tensor, for a CUDA graph, as a number."""
    return {key: value.item() if isinstance(value, Tensor) else value for key, value in group.items()}


def _as_built(saved: dict[str, Any], built: dict[str, Any]) -> dict[str, Any]:
    """The `saved` group as an optimiser takes it that was `built` on a device, maybe another one."""
    group = {**saved, "betas": tuple(saved["betas"])} if "betas" in saved else dict(saved)
    if "capturable" in built:
        group["capturable"] = built["capturable"]
    if isinstance(built["lr"], Tensor):
        group["lr"] = torch.full_like(built["lr"], saved["lr"])
    return group


def _lay_out(optimizer: Optimizer) -> None:
    """Give moments the memory format of their parameter, which a checkpoint does not hold.

    A fused optimiser goes through the memory of parameter and moments side by side, whatever their strides.
    """
    for parameter, entry in optimizer.state.items():
        for key, value in entry.items():
            if value.shape == parameter.shape and value.stride() != parameter.stride():
                entry[key] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _serialise(tensors: Mapping[str, Tensor]) -> bytes:
    safetensors = require("safetensors.torch")
    copies = {key: value.detach().to("cpu", copy=True).contiguous() for key, value in tensors.items()}
    return bytes(safetensors.save(copies))


def _json(description: Mapping[str, Any]) -> bytes:
    return json.dumps(description, indent=1).encode()


def _digest(description: Mapping[str, Any]) -> str:
    return hashlib.sha256(_json(description)).hexdigest()


def _write(path: Path, content: bytes) -> str:
    """Write `content` through to the disk; return its SHA-256."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return hashlib.sha256(content).hexdigest()


def _sync(folder: Path) -> None:
    """Make the names in `folder` durable: a rename may be lost although the file's content is not."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _described(file: Path) -> dict[str, Any]:
    """The content of a checkpoint.json, its checksum compared; earlier versions wrote none, and no format."""
    try:
        description = json.loads(file.read_bytes())
        form = description.get("format", FORMAT)
        own = description.pop("own_sha256", None)
        whole = {"step", "seconds", "optimizers", "sha256"} <= description.keys()
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise BrokenCheckpoint(f"{file}: unreadable ({reason(error)})") from None
    if form != FORMAT:
        raise BrokenCheckpoint(
            f"{file}: has the format {form!r} of another version of ebgan, this one reads {FORMAT}; go on "
            "with that version"
        )
    if not whole or (own is not None and own != _digest(description)):
        raise BrokenCheckpoint(f"{file}: damaged (it is not what was written)")
    return dict(description)


def _verified(path: Path, *names: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The description of the checkpoint `path` and the tensors of the files `names`, checksums compared."""
    description = _described(path / DESCRIPTION)
    checksums = description["sha256"]
    tensors: dict[str, Tensor] = {}
    for name in names:
        try:
            content = (path / name).read_bytes()
        except OSError as error:
            raise BrokenCheckpoint(f"{path / name}: unreadable ({error.strerror})") from None
        if hashlib.sha256(content).hexdigest() != checksums.get(name):
            raise BrokenCheckpoint(
                f"{path / name}: cut short or damaged (its checksum is not the one written)"
            )
        tensors |= require("safetensors.torch").load(content)
    return description, tensors
