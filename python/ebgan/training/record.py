"""The file that the scores of a run are kept in, with where they come from."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import torch

import ebgan_kernels
from ebgan.files import replaced
from ebgan.training.checkpoint import step_of
from ebgan.training.run_folder import RunFolder
from ebgan.training.system import TrainingConfig

SCORES = "scores.json"


def write_scores(
    run: RunFolder,
    scores: Any,
    options: Mapping[str, Any],
    *,
    config: TrainingConfig,
    device: torch.device,
) -> None:
    """Write the dataclass `scores` to scores.json, with the options it lacks and the step they are of.

    They are the scores of the checkpoint that `run` is opened at.
    """
    content = {
        "table": str(scores),
        "scores": dataclasses.asdict(scores),
        **{name: value for name, value in options.items() if not hasattr(scores, name)},
        "step": step_of(run.checkpoint()),
        "command": run.command(),
        "config": dataclasses.asdict(config),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "ebgan-kernels": ebgan_kernels.__version__,
        },
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    with replaced(run.path / SCORES) as new:
        new.write_text(json.dumps(content, indent=1) + "\n")
