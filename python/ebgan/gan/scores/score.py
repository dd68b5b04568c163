"""The scores of a run."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from ebgan.data import load, open_set
from ebgan.errors import at_least
from ebgan.files import StrPath
from ebgan.gan.builders import image_shape
from ebgan.gan.config import GanConfig
from ebgan.gan.runs import build_discriminator, build_generator, image_generator
from ebgan.gan.scores.evaluate import SAMPLES, Energy, evaluate
from ebgan.gan.scores.extractor import load_extractor
from ebgan.gan.scores.networks import network_for
from ebgan.gan.scores.results import Scores
from ebgan.training import Help, RunFolder, as_trained, generator_of, load_newest, seed_step
from ebgan_kernels import reconstruction_energy


def score(
    run: RunFolder,
    config: GanConfig,
    device: torch.device,
    data_root: StrPath | None,
    *,
    samples: Annotated[int, Help("Number of samples to draw and score.")] = SAMPLES,
    seed: Annotated[int, Help("Seed of the noise and of the choice of real images.")] = 0,
    extractor: Annotated[
        str | None,
        Help(
            "File of a feature extractor of your own, by which FID and KID are computed, too: a program of "
            "torch.export that makes features (N, D) of uint8 images (N, 3, H, W). It needs torchmetrics.",
            unset="none",
        ),
    ] = None,
) -> Scores:
    """A GAN is scored by its samples. The kernel inception distance (KID, lower is better) tells how far they
    are from training images, in the features of a small network that comes with the package. For digits and
    MNIST there are also I' and the inception score (higher is better), the share of each class, and the mean
    probability of the likeliest class. Precision and density tell whether samples look real, recall and
    coverage whether all that is real is drawn. Real images, an untrained generator and noise are scored, too.
    Where the data set has test images, the distance to the nearest training image is that of samples beside
    that of test images (nearest.png shows the nearest ones), and AUC tells how well the energies of an EBGAN
    tell test images from samples. With --extractor there are FID and KID in the features of your own network.
    """
    # Real images are the test split; of `images`, which need not have one, halves of the training
    # images. The untrained generator is the run's own before its first step.
    at_least("samples", samples, 2)
    at_least("seed", seed, 0)
    own = None if extractor is None else load_extractor(extractor)
    shape = image_shape(config.net)
    trained = generator_of(run, image_generator(config), device, config.precision)
    seed_step(config.seed, 0)
    untrained = as_trained(build_generator(config).to(device), config.precision)
    return evaluate(
        trained,
        open_set(config.data, "train", data_root, size=shape[1]),
        network=network_for(config.data, shape),
        untrained=untrained,
        other=None if config.data == "images" else load(config.data, "test", data_root, size=shape[1]),
        energy=_energy(run, config, device) if config.model == "ebgan" else None,
        picture=run.path / "nearest.png",
        extractor=own,
        count=samples,
        seed=seed,
    )


def _energy(run: RunFolder, config: GanConfig, device: torch.device) -> Energy:
    """The energy of images by the trained discriminator of `run`, as its loss measures it."""
    discriminator = as_trained(build_discriminator(config).to(device), config.precision).eval()
    load_newest(run, {"discriminator": discriminator})

    def energy(images: Tensor) -> Tensor:
        images = images.to(device)
        return reconstruction_energy(discriminator(images).reconstruction, images, distance=config.distance)

    return energy
