"""The command `ebgan train SYSTEM`, made for every system from its description."""

from __future__ import annotations

import dataclasses
import inspect
import os
import shlex
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from ebgan.cli.options import DataRoot, Device, given, option, training_options
from ebgan.errors import UserError
from ebgan.training import Description, Trainer, World, choose_device, joined, kind_of, summary

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
    config: Annotated[
        Path | None,
        option("A config.json of a run, which gives every option that is left out in place of the preset."),
    ] = None
    out: Annotated[Path | None, option("Folder of the new run.", "runs/NAME, named after the options")] = None
    data_root: DataRoot = None
    device: Device = "auto"
    fast: bool = False
    """Set the switches that were measured to be fastest on this device; options that are given stay."""
    deterministic: bool = False
    """Use only GPU operators that repeat to the bit, as those of a CPU always do."""
    dry_run: bool = False
    """Take a few steps, print sizes, memory and the time of the whole run, and write nothing."""

    def run(self) -> None:
        with joined() as here:
            self._train(here)
        if here.size > 1:
            # All is written. Torch's own end, after Python's, aborted a process in 3 of some 50 runs of two
            # over gloo, which torchrun takes for a failure; ended here, none of 40 (torch 2.13, 2026-11-28).
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)

    def _train(self, here: World) -> None:
        options = given(self, (field.name for field in dataclasses.fields(self.system.config)))
        device = choose_device(self.device, deterministic=self.deterministic)
        if self.resume is not None:
            self._refuse_but_steps(options)
            trainer = self.system.restore(
                self.resume, device=device, data_root=self.data_root, steps=options.get("steps")
            )
        else:
            config, data_root = self._configured(options)
            if self.fast:
                config, choice = self.system.fastest(config, device, keep=options)
                if here.first:
                    print(f"--fast on {kind_of(device)}: {choice}")
            out = self.out or Path("runs") / self.system.run_name(config)
            if self.dry_run:
                told, found = self.system.rehearse(config, out, device=device, data_root=data_root)
                print(f"{told}\n{found}")
                return
            trainer = self.system.begin(config, out, device=device, data_root=data_root)
        if here.first:
            print(summary(trainer), end="\n\n", flush=True)
        trainer.train()
        if here.first:
            print(self._results(trainer))

    def _refuse_but_steps(self, options: dict[str, Any]) -> None:
        flags = {name for name in ("dry_run", "fast") if getattr(self, name)}
        for name in sorted({*options, *given(self, ["config", "out"]), *flags} - {"steps"}):
            given_as = name.replace("_", "-")
            raise UserError(f"{name}: a resumed run keeps its own value; leave --{given_as} out")

    def _configured(self, options: dict[str, Any]) -> tuple[Any, Path | None]:
        """The configuration of a new run, and the root of its data."""
        if self.config is None:
            return self.system.configure(**options), self.data_root
        run, config = self.system.read_config(self.config)
        return dataclasses.replace(config, **options), run.data_root(self.data_root)

    def _results(self, trainer: Trainer[Any]) -> str:
        """The pictures that were drawn, and the commands that go on from here."""
        run, config = trainer.run.path, trainer.config
        folder = shlex.quote(str(run))
        commands = [f"ebgan {each.format(run=folder)}" for each in self.system.then(config)]
        more = 2 * config.steps
        with suppress(UserError):  # a learning rate that has fallen to 0 takes no more steps
            dataclasses.replace(config, steps=more)
            commands.append(f"ebgan {self.system.commands[0]} --resume {folder} --steps {more}")
        pictures = [f"{path.stem}: {path}" for path in sorted(run.glob("*.png"))]
        return "\n".join([*pictures, "", "What to do next:", *(f"  {each}" for each in commands)])


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
