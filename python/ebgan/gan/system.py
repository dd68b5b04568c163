"""GANs as a system of the command line: how a run is named, built and scored."""

from __future__ import annotations

from ebgan.gan.builders import NETS
from ebgan.gan.config import GanConfig
from ebgan.gan.margin import measured
from ebgan.gan.presets import PRESETS, preset
from ebgan.gan.runs import build, image_generator
from ebgan.gan.scores.score import score
from ebgan.gan.two_player import TwoPlayer
from ebgan.training import Description, Workload


def run_name(config: GanConfig) -> str:
    return f"gan-{config.data}" if config.model == "ebgan" else f"gan-{config.data}-baseline"


def workload(config: GanConfig) -> Workload:
    return _WORKLOADS[config.net]


_WORKLOADS: dict[str, Workload] = {
    "digits": "gan digits",
    "mnist": "gan mnist",
    "celeba-64": "gan celeba-64",
    "sprites": "gan mnist",
    "yale-b": "gan mnist",
    "imagenet-128": "gan celeba-64",
    "imagenet-256": "gan celeba-64",
}


SYSTEM: Description[GanConfig, TwoPlayer] = Description(
    name="gan",
    help="""Train an energy-based GAN, or a plain one to compare it with.

    The run draws grids of samples (samples.png) and curves of the energies (energies.png). The option
    `--pulling-away-weight 0.1` makes it an EBGAN-PT.
    """,
    config=GanConfig,
    preset=preset,
    presets={
        data if model == "ebgan" else f"{data} --model {model}": settings
        for model, of_data in PRESETS.items()
        for data, settings in of_data.items()
    },
    run_name=run_name,
    build=build,
    score=score,
    workload=workload,
    also=("demo",),
    image_generator=image_generator,
    measure=measured,
    shared=True,
    nets={
        name: f"{nets.kind}, for {'x'.join(map(str, nets.image))} images (channels, height, width)"
        for name, nets in NETS.items()
    },
    examples=(
        "train gan",
        "train gan --model gan",
        "train gan --data mnist --pulling-away-weight 0.1 --out runs/mnist-pt",
        "train gan --data images --data-root PHOTOGRAPHS --generator-width 256",
        "train gan --data images --data-root PHOTOGRAPHS --margin auto",
        "train gan --resume runs/gan-digits --steps 16000",
    ),
    then=lambda config: ("evaluate {run}", "sample {run} --count 64"),
)
train, resume, open_run, evaluate_run = SYSTEM.train, SYSTEM.resume, SYSTEM.open_run, SYSTEM.evaluate
trained_generator = SYSTEM.trained_generator
