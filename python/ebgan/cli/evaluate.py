"""The command `ebgan evaluate`, made from the descriptions of all systems."""

from __future__ import annotations

import dataclasses
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ebgan.cli.options import CheckpointStep, DataRoot, Device, TrainedRun, evaluation_options, given
from ebgan.systems import SYSTEMS, system_of
from ebgan.training import SCORES, choose_device

_OPTIONS = evaluation_options(SYSTEMS)
_HELP = """\
Score a trained run beside what it should beat, print the table and keep it in the run's scores.json.

"""


@dataclass(frozen=True)
class EvaluateRun:
    """Options of every evaluation."""

    run_folder: TrainedRun
    """Folder of the run to score, such as runs/gan-mnist."""
    device: Device = "auto"
    data_root: DataRoot = None
    step: CheckpointStep = None

    def run(self) -> None:
        device = choose_device(self.device)
        system = system_of(self.run_folder)
        options = given(self, (name for name, _, _ in _OPTIONS))
        table = system.evaluate(
            self.run_folder, device=device, data_root=self.data_root, step=self.step, **options
        )
        print(f"{table}\n\nscores: {self.run_folder / SCORES}")


# Made from the descriptions, which a type checker cannot follow; it sees what all evaluations share.
if TYPE_CHECKING:
    Evaluate = EvaluateRun
else:
    Evaluate = dataclasses.make_dataclass(
        "Evaluate",
        _OPTIONS,
        bases=(EvaluateRun,),
        namespace={"__doc__": _HELP + "\n\n".join(inspect.getdoc(system.score) for system in SYSTEMS)},
        frozen=True,
        kw_only=True,
    )
