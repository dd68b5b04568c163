"""`ebgan train gan`, `ebgan train ladder` and `ebgan train video`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ebgan import gan, ladder, video
from ebgan.cli.options import given, option, overrides
from ebgan.errors import UserError
from ebgan.gan.config import GanConfig, Model
from ebgan.ladder.config import LadderConfig
from ebgan.ladder.config import Model as LadderModel
from ebgan.training import choose_device
from ebgan.video.config import ConfigName, OptimizerName, VideoConfig
from ebgan.video.losses import Loss


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Options of every `ebgan train`."""

    resume: Annotated[
        Path | None,
        option(
            "run folder to go on with; only --steps, --device, --data-root and --deterministic go with it"
        ),
    ] = None
    data_root: Annotated[
        Path | None,
        option(
            "folder of the data sets; of images and videos their own folder, or a zip of images",
            "EBGAN_DATA of the environment",
        ),
    ] = None
    device: Annotated[
        str, option("auto, cpu, cuda or cuda:NUMBER; auto is CUDA where there is one", "auto", kind=str)
    ] = "auto"
    deterministic: bool = False
    """On a GPU, use only operators that repeat to the bit; a CPU always does."""


@dataclass(frozen=True, kw_only=True)
class GanRunOptions(RunOptions):
    """And those that choose among the presets of GANs."""

    data: Annotated[
        str | None,
        option("digits (embedded), mnist, fashion-mnist or images: JPEG and PNG files", "digits", kind=str),
    ] = None
    out: Annotated[
        Path | None, option("new run folder", "runs/gan-DATA, of --model gan runs/gan-DATA-baseline")
    ] = None


@dataclass(frozen=True, kw_only=True)
class LadderRunOptions(RunOptions):
    """And those that choose among the presets of ladder networks."""

    data: Annotated[str | None, option("digits (embedded), mnist or fashion-mnist", "digits", kind=str)] = (
        None
    )
    model: Annotated[
        LadderModel | None,
        option(
            "ladder whose denoising costs are those of all layers, of the input or of the classes (gamma); "
            "ebgan: of the input, with a generator against it; supervised: no ladder, as a baseline",
            "bottom",
            kind=LadderModel,
        ),
    ] = None
    labels: Annotated[
        int | None, option("examples with a label, as many of each class; or all", "100", kind=int)
    ] = None
    out: Annotated[Path | None, option("new run folder", "runs/ladder-MODEL-LABELS-DATA")] = None


@dataclass(frozen=True, kw_only=True)
class VideoRunOptions(RunOptions):
    """And those that choose among the presets of video prediction."""

    config: Annotated[
        ConfigName | None, option("networks by name: frames given, frames predicted", "8to8", kind=ConfigName)
    ] = None
    loss: Annotated[
        Loss | None, option("whose terms and weights the run has unless they are given", "gdl", kind=Loss)
    ] = None
    data: Annotated[
        str | None, option("moving-digits (embedded), ucf101 or videos", "moving-digits", kind=str)
    ] = None
    optimizer: Annotated[
        OptimizerName | None,
        option("of both networks; sgd, the paper's, is without momentum", "sgd", kind=OptimizerName),
    ] = None
    out: Annotated[Path | None, option("new run folder", "runs/video-CONFIG-LOSS-DATA")] = None


# Made from the configurations, which a type checker cannot follow; it sees the options that the code names.
if TYPE_CHECKING:
    GanOptions = GanRunOptions
    LadderOptions = LadderRunOptions
    VideoOptions = VideoRunOptions
else:
    _presets = {
        data if model == "ebgan" else f"{data} --model {model}": settings
        for model, of_data in gan.PRESETS.items()
        for data, settings in of_data.items()
    }
    GanOptions = overrides(GanConfig, _presets, base=GanRunOptions)
    LadderOptions = overrides(LadderConfig, ladder.PRESETS, base=LadderRunOptions)
    VideoOptions = overrides(VideoConfig, video.PRESETS, base=VideoRunOptions)


class TrainGan(GanOptions):
    """Train an energy-based GAN, or a plain one to compare it with.

    Writes a run folder: config.json, metrics.jsonl, TensorBoard events, checkpoints, sample grids
    (samples.png) and curves (energies.png). Ctrl-C saves; --resume goes on as if never stopped.

    Options that are left out have the value of the preset of the model and the data set. EBGAN-PT is
    --pulling-away-weight 0.1.
    """

    def run(self) -> None:
        options = given(self, GanRunOptions)
        device = choose_device(self.device, deterministic=self.deterministic)
        if self.resume is not None:
            steps = _steps_alone(options, self, ("data", "out"))
            out = self.resume
            system = gan.resume(out, device=device, data_root=self.data_root, steps=steps)
        else:
            data = self.data or "digits"
            model: Model = options.pop("model", "ebgan")
            out = self.out or Path("runs") / (f"gan-{data}" if model == "ebgan" else f"gan-{data}-baseline")
            config = dataclasses.replace(gan.preset(data, model), **options)
            system = gan.train(config, out, device=device, data_root=self.data_root)
        _print_pictures(out, ("samples", *(plot.name for plot in system.plots)))


class TrainLadder(LadderOptions):
    """Train ladder networks: classes from few labels and many examples without.

    Writes a run folder: config.json, metrics.jsonl, TensorBoard events, checkpoints, curves (errors.png,
    costs.png) and pictures (weights.png, reconstructions.png). Ctrl-C saves; --resume goes on as if never
    stopped. Then: ebgan evaluate RUN.

    Options that are left out have the published value for the model and the number of labels.
    """

    def run(self) -> None:
        options = given(self, LadderRunOptions)
        device = choose_device(self.device, deterministic=self.deterministic)
        if self.resume is not None:
            steps = _steps_alone(options, self, ("data", "model", "labels", "out"))
            out = self.resume
            system = ladder.resume(out, device=device, data_root=self.data_root, steps=steps)
        else:
            labels = 100 if self.labels is None else self.labels
            config = ladder.preset(self.data or "digits", self.model or "bottom", labels)
            config = dataclasses.replace(config, **options)
            out = self.out or Path("runs") / f"ladder-{config.model}-{config.labels}-{config.data}"
            system = ladder.train(config, out, device=device, data_root=self.data_root)
        _print_pictures(out, (*system.pictures(), *(plot.name for plot in system.plots)))


class TrainVideo(VideoOptions):
    """Train a network that predicts the next frames of a video, at four scales.

    Writes a run folder: config.json, metrics.jsonl, TensorBoard events, checkpoints, predicted clips
    (predictions.png) and curves (terms.png). Ctrl-C saves; --resume goes on as if never stopped.

    Options that are left out have the value of the preset of the loss. Fine-tuning on larger patches is
    --generator-from RUN --patch 64.
    """

    def run(self) -> None:
        options = given(self, VideoRunOptions)
        device = choose_device(self.device, deterministic=self.deterministic)
        if self.resume is not None:
            steps = _steps_alone(options, self, ("config", "loss", "data", "optimizer", "out"))
            out = self.resume
            system = video.resume(out, device=device, data_root=self.data_root, steps=steps)
        else:
            config = video.preset(self.config or "8to8", self.loss or "gdl", self.optimizer or "sgd")
            config = dataclasses.replace(config, data=self.data or config.data, **options)
            out = self.out or Path("runs") / f"video-{config.config}-{config.loss}-{config.data}"
            system = video.train(config, out, device=device, data_root=self.data_root)
        _print_pictures(out, ("predictions", *(plot.name for plot in system.plots)))


def _steps_alone(options: dict[str, Any], command: RunOptions, chosen: Iterable[str]) -> int | None:
    """The steps to resume to, if given; what a run has stored may not be given again."""
    options = dict(options)
    steps: int | None = options.pop("steps", None)
    fixed = [*options, *(name for name in chosen if getattr(command, name) is not None)]
    if fixed:
        raise UserError(f"{fixed[0]}: a resumed run keeps its own; leave --{fixed[0].replace('_', '-')} out")
    return steps


def _print_pictures(run: Path, names: Iterable[str]) -> None:
    for name in names:
        print(f"{name}: {run / name}.png")
