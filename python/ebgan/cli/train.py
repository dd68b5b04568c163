"""The command `ebgan train SYSTEM`, made for every system from its description."""

from __future__ import annotations

import dataclasses
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from ebgan.cli.options import DataRoot, Device, given, option, training_options
from ebgan.errors import UserError
from ebgan.training import Description, choose_device, kind_of

_HELP = """
A run folder gets config.json, metrics.jsonl, TensorBoard events, checkpoints and pictures. Ctrl-C saves the
run and stops it; with --resume it continues as if it had never stopped. The preset, chosen by {},
gives every option that is left out.
"""


@dataclass(frozen=True, kw_only=True)
class TrainSystem:
    """Options of every `ebgan train`."""

    system: ClassVar[Description[Any, Any]]

    resume: Annotated[
        Path | None,
        option(
            "Run folder to continue; it takes --steps, --device, --data-root and --deterministic, no others."
        ),
    ] = None
    out: Annotated[Path | None, option("Folder of the new run.", "runs/NAME, named after the options")] = None
    data_root: DataRoot = None
    device: Device = "auto"
    fast: bool = False
    """Set the switches that were measured to be fastest on this device; options that are given stay."""
    deterministic: bool = False
    """Use only GPU operators that repeat to the bit, as those of a CPU always do."""

    def run(self) -> None:
        options = given(self, (field.name for field in dataclasses.fields(self.system.config)))
        device = choose_device(self.device, deterministic=self.deterministic)
        if self.resume is not None:
            out, steps = self.resume, options.pop("steps", None)
            for name in (*options, *given(self, ["out"]), *(["fast"] if self.fast else [])):
                given_as = name.replace("_", "-")
                raise UserError(f"{name}: a resumed run keeps its own value; leave --{given_as} out")
            trained = self.system.resume(out, device=device, data_root=self.data_root, steps=steps)
        else:
            config = self.system.configure(**options)
            if self.fast:
                config, choice = self.system.configure_fast(device, **options)
                print(f"--fast on {kind_of(device)}: {choice}")
            out = self.out or Path("runs") / self.system.run_name(config)
            trained = self.system.train(config, out, device=device, data_root=self.data_root)
        for name in (*trained.pictures(), *(plot.name for plot in trained.plots)):
            print(f"{name}: {out / name}.png")


def train_command(system: Description[Any, Any]) -> type[TrainSystem]:
    """The command that trains `system`: a dataclass of its options."""
    choosing = ", ".join(f"--{name}" for name in system.choosing)
    return dataclasses.make_dataclass(
        f"Train{system.name.capitalize()}",
        training_options(system),
        bases=(TrainSystem,),
        namespace={
            "system": system,
            "__doc__": inspect.cleandoc(system.help) + "\n" + _HELP.format(choosing),
        },
        frozen=True,
        kw_only=True,
    )
