"""`ebgan train gan`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ebgan.cli.options import given, option, overrides
from ebgan.errors import UserError
from ebgan.gan import PRESETS, GanConfig, preset, resume, train
from ebgan.gan.config import Model
from ebgan.training import choose_device


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Options of every `ebgan train`."""

    data: Annotated[
        str | None, option("digits (embedded), mnist, fashion-mnist or images: JPEG and PNG files", "digits")
    ] = None
    out: Annotated[Path | None, option("new run folder", "runs/gan-DATA")] = None
    resume: Annotated[
        Path | None,
        option(
            "run folder to go on with; only --steps, --device, --data-root and --deterministic go with it"
        ),
    ] = None
    data_root: Annotated[
        Path | None,
        option("folder of the data sets; of images their own folder or zip", "EBGAN_DATA of the environment"),
    ] = None
    device: Annotated[
        str, option("auto, cpu, cuda or cuda:NUMBER; auto is CUDA where there is one", "auto")
    ] = "auto"
    deterministic: bool = False
    """On a GPU, use only operators that repeat to the bit; a CPU always does."""


# Made from the configuration, which a type checker cannot follow; it sees the options that the code names.
if TYPE_CHECKING:
    GanOptions = RunOptions
else:
    _presets = {
        data if model == "ebgan" else f"{data} --model {model}": settings
        for model, of_data in PRESETS.items()
        for data, settings in of_data.items()
    }
    GanOptions = overrides(GanConfig, _presets, base=RunOptions)


class TrainGan(GanOptions):
    """Train an energy-based GAN, or a plain one to compare it with.

    Writes a run folder: config.json, metrics.jsonl, TensorBoard events, checkpoints, sample grids
    (samples.png) and curves (energies.png). Ctrl-C saves; --resume goes on as if never stopped.

    Options that are left out have the value of the preset of the model and the data set. EBGAN-PT is
    --pulling-away-weight 0.1.
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
            system = resume(self.resume, device=device, data_root=self.data_root, steps=steps)
            out = self.resume
        else:
            data = self.data or "digits"
            model: Model = options.pop("model", "ebgan")
            out = self.out or Path("runs") / (f"gan-{data}" if model == "ebgan" else f"{model}-{data}")
            config = dataclasses.replace(preset(data, model), **options)
            system = train(config, out, device=device, data_root=self.data_root)
        for name in ("samples", *(plot.name for plot in system.plots)):
            print(f"{name}: {out / name}.png")
