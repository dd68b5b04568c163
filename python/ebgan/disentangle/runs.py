"""The networks, optimisers and data of a configuration."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ebgan.data import ImageSet, load
from ebgan.data.registry import Split
from ebgan.disentangle import builders
from ebgan.disentangle.adversary import Energies, Logits
from ebgan.disentangle.classifier import IdentityClassifier
from ebgan.disentangle.config import DisentangleConfig
from ebgan.disentangle.disentangling import Disentangling, Shown, Weights
from ebgan.disentangle.interface import Decoder, Encoder, ImageShape
from ebgan.disentangle.triplets import Identities, TripletBatches
from ebgan.errors import UserError
from ebgan.files import StrPath
from ebgan.training import RunFolder, as_trained, load_newest, make_optimizer, seed_step

SHOWN = 10  # styles and identities in the grids


def load_images(config: DisentangleConfig, split: Split, data_root: StrPath | None) -> ImageSet:
    """The images of a split, at the size of `config`.

    Raises:
        UserError: the set has a size of its own, and is asked for another.
    """
    images = load(config.data, split, data_root, size=config.size)
    if config.size is not None and images.images.shape[-1] != config.size:
        own = images.images.shape[-1]
        raise UserError(f"size: got {config.size}, but {config.data!r} has {own}x{own} alone; leave it out")
    return images


def shape_of(images: ImageSet) -> ImageShape:
    """The shape (C, H, W) of each image."""
    _, channels, height, width = images.images.shape
    return channels, height, width


def as_tensor(images: ImageSet, numbers: NDArray[np.int64]) -> Tensor:
    """The images of these numbers, float32 (N, C, H, W) in [-1, 1]."""
    return torch.from_numpy(images.images[numbers]).float() / 127.5 - 1


def build_nets(config: DisentangleConfig, image: ImageShape) -> tuple[Encoder, Decoder]:
    """The untrained encoder and decoder of `config`, for images of one shape (C, H, W)."""
    sizes = {
        "width": config.width,
        "style_size": config.style_size,
        "identity_size": config.identity_size,
    }
    return builders.encoder(config.net, image, **sizes), builders.decoder(config.net, image, **sizes)


def trained_nets(
    run: RunFolder, config: DisentangleConfig, image: ImageShape, device: torch.device
) -> tuple[Encoder, Decoder]:
    """The encoder and decoder of the checkpoint that `run` is opened at, ready to be used."""
    encoder, decoder = build_nets(config, image)
    for net in (encoder, decoder):
        as_trained(net.to(device), config.precision)
    load_newest(run, {"encoder": encoder, "decoder": decoder})
    return encoder, decoder


def chosen_images(identities: Identities, *, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers of ten images for their styles, and of one image each of ten identities, at most."""
    random = np.random.default_rng(seed)
    groups = identities.groups
    count = min(SHOWN, len(groups))
    of = np.sort(random.permutation(len(groups))[:count])
    columns = np.array([random.choice(groups[group]) for group in of])
    rows = random.permutation(len(identities.ids))[:SHOWN]
    return rows, columns


def build(config: DisentangleConfig, device: torch.device, data_root: StrPath | None) -> Disentangling:
    """Build the networks, optimisers and data of `config`, initialised from its seed."""
    images = load_images(config, "train", data_root)
    identities = Identities(images, config.factors)
    batches = TripletBatches(images, identities, config.batch_size, seed=config.seed, threads=config.threads)
    weights = Weights(
        reconstruction=config.reconstruction_weight,
        swap=config.swap_weight,
        adversarial=config.adversarial_weight,
        kl=config.kl_weight,
        sampling=config.sampling_weight,
        classes=config.class_weight,
    )
    seed_step(config.seed, 0)
    encoder, decoder = build_nets(config, shape_of(images))
    nets: list[nn.Module] = [encoder.to(device), decoder.to(device)]
    classifier, discriminator, discriminator_optimizer = None, None, None
    if weights.classes:
        dropout = config.net == "big"
        classifier = IdentityClassifier(config.identity_size, identities.counts, dropout=dropout).to(device)
        nets.append(classifier)
    if weights.need_discriminator:
        discriminator = _build_discriminator(config, shape_of(images), identities).to(device)
        discriminator_optimizer = make_optimizer(
            config.optimizer, discriminator, config.discriminator_lr, beta1=config.beta1
        )
    rows, columns = chosen_images(identities, seed=config.seed)
    return Disentangling(
        encoder,
        decoder,
        batches,
        discriminator=discriminator,
        classifier=classifier,
        weights=weights,
        adversary=Logits() if config.margin is None else Energies(config.margin),
        generator_optimizer=make_optimizer(
            "adam", nn.ModuleList(nets), config.generator_lr, beta1=config.beta1
        ),
        discriminator_optimizer=discriminator_optimizer,
        precision=config.precision,
        compiled=config.compiled,
        shown=Shown(as_tensor(images, rows), as_tensor(images, columns)),
    )


def _build_discriminator(config: DisentangleConfig, image: ImageShape, identities: Identities) -> nn.Module:
    net, width, counts = config.net, config.width, identities.counts
    if config.adversary == "logits":
        return builders.discriminator(net, image, width=width, identities=counts)
    return builders.energy_discriminator(
        net, image, width=width, identities=counts, identity_size=config.identity_size
    )
