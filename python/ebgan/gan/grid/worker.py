"""Trains and scores one run of a grid, from where it is: `python -m ebgan.gan.grid.worker RUN SAMPLES`."""

from __future__ import annotations

import sys
from pathlib import Path

from ebgan.errors import UserError
from ebgan.gan.runs import build
from ebgan.gan.system import SYSTEM
from ebgan.training import Interrupted, NonFinite, Trainer
from ebgan.training.checkpoint import stored
from ebgan.training.device import as_device


def work(path: Path, samples: int) -> None:
    """Train the run in the folder `path` to its end and score it by so many samples; what is done stays."""
    run, config = SYSTEM.open_run(path)
    reached = max(stored(run.checkpoints), default=None)
    if reached != config.steps:
        trainer = Trainer(build(config, as_device("auto"), run.data_root()), run, config)
        if reached is not None:
            trainer.restore()
        try:
            trainer.train()
        except NonFinite as error:  # such a point is scored as it was at its last checkpoint
            print(f"ebgan: {error}", file=sys.stderr)
    SYSTEM.evaluate(path, samples=samples)


def main() -> int:
    try:
        work(Path(sys.argv[1]), int(sys.argv[2]))
    except (UserError, Interrupted) as error:
        print(f"ebgan: {error}", file=sys.stderr)
        return 128 + error.signal if isinstance(error, Interrupted) else 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
