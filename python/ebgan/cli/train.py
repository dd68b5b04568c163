"""`ebgan train gan`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ebgan.cli.options import given, option, overrides
from ebgan.errors import UserError, one_of
from ebgan.gan import PRESETS, GanConfig, resume, train
from ebgan.training import choose_device


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Options of every `ebgan train`."""

    data: Annotated[str | None, option("digits (embedded), mnist or fashion-mnist", "digits")] = None
    out: Annotated[Path | None, option("new run folder", "runs/gan-DATA")] = None
    resume: Annotated[
        Path | None,
        option(
            "run folder to go on with; only --steps, --device, --data-root and --deterministic go with it"
        ),
    ] = None
    data_root: Annotated[Path | None, option("folder of the data sets", "EBGAN_DATA of the environment")] = (
        None
    )
    device: Annotated[
        str, option("auto, cpu, cuda or cuda:NUMBER; auto is CUDA where there is one", "auto")
    ] = "auto"
    deterministic: bool = False
    """On a GPU, use only operators that repeat to the bit; a CPU always does."""


# Made from the configuration, which a type checker cannot follow; it sees the options that the code names.
if TYPE_CHECKING:
    GanOptions = RunOptions
else:
    GanOptions = overrides(GanConfig, PRESETS, base=RunOptions)


class TrainGan(GanOptions):
    """Train an energy-based GAN.

    Writes a run folder: config.json, metrics.jsonl, TensorBoard events, checkpoints, sample grids
    (samples.png) and the curves of both energies (energies.png). Ctrl-C saves; --resume goes on as if
    never stopped.

    Options that are left out have the value of the data set's preset.
    """

    def run(self) -> None:
        options = given(self, RunOptions)
        device = choose_device(self.device, deterministic=self.deterministic)
        if self.resume is not None:
            steps = options.pop("steps", None)
            fixed = [*options, *(name for name in ("data", "out") if getattr(self, name) is not None)]
            if fixed:
                raise UserError(
                    f"{fixed[0]}: a resumed run keeps its own; leave --{fixed[0].replace('_', '-')} out"
                )
            resume(self.resume, device=device, data_root=self.data_root, steps=steps)
            out = self.resume
        else:
            data = self.data or "digits"
            one_of("data", data, PRESETS)
            out = self.out or Path("runs") / f"gan-{data}"
            train(dataclasses.replace(PRESETS[data], **options), out, device=device, data_root=self.data_root)
        print(f"samples: {out / 'samples.png'}\nenergies: {out / 'energies.png'}")
