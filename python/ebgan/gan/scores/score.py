"""The scores of a run."""

from __future__ import annotations

from typing import Annotated

import torch

from ebgan.data import load
from ebgan.errors import at_least
from ebgan.files import StrPath
from ebgan.gan.builders import image_shape
from ebgan.gan.config import GanConfig
from ebgan.gan.runs import build_generator, image_generator
from ebgan.gan.scores.evaluate import SAMPLES, evaluate
from ebgan.gan.scores.networks import find
from ebgan.gan.scores.results import Scores
from ebgan.training import Help, RunFolder, as_trained, generator_of, seed_step


def score(
    run: RunFolder,
    config: GanConfig,
    device: torch.device,
    data_root: StrPath | None,
    *,
    samples: Annotated[int, Help("Number of samples to draw and score.")] = SAMPLES,
    seed: Annotated[int, Help("Seed of the noise and of the choice of real images.")] = 0,
) -> Scores:
    """A GAN is scored by its samples. The kernel inception distance (KID, lower is better) tells how far they
    are from training images, in the features of a small network that comes with the package. For digits and
    MNIST there are also I' and the inception score (higher is better), the share of each class, and the mean
    probability of the likeliest class. Real images, an untrained generator and noise are scored, too. There
    are scores for digits at 8x8, for MNIST at 32x32 and for images at 64x64.
    """
    # Real images are the test split; of `images`, which need not have one, halves of the training
    # images. The untrained generator is the run's own before its first step.
    at_least("samples", samples, 2)
    at_least("seed", seed, 0)
    shape = image_shape(config.net)
    find(config.data, shape)
    trained = generator_of(run, image_generator(config), device, config.precision)
    seed_step(config.seed, 0)
    untrained = as_trained(build_generator(config).to(device), config.precision)
    return evaluate(
        trained,
        load(config.data, "train", data_root, size=shape[1]),
        network=config.data,
        untrained=untrained,
        other=None if config.data == "images" else load(config.data, "test", data_root),
        count=samples,
        seed=seed,
    )
