"""The networks, optimisers and data of a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from ebgan.data import Batches, open_set
from ebgan.errors import UserError
from ebgan.files import StrPath
from ebgan.gan import builders
from ebgan.gan.config import GanConfig
from ebgan.gan.ebgan import EBGAN
from ebgan.gan.gan import GAN
from ebgan.gan.interface import Generator
from ebgan.gan.two_player import TwoPlayer
from ebgan.training import make_optimizer, seed_step, world


def build_generator(config: GanConfig) -> Generator:
    """The untrained generator of `config`."""
    return builders.generator(
        config.net,
        **_given(noise_size=config.noise_size, layers=config.generator_layers, width=config.generator_width),
    )


def image_generator(config: GanConfig) -> Mapping[str, Generator]:
    """The untrained generator that samples are drawn from, by its name in the checkpoints."""
    return {"averaged_generator" if config.averaging else "generator": build_generator(config)}


def build_discriminator(config: GanConfig) -> nn.Module:
    """The untrained discriminator of `config`: an auto-encoder, or the plain GAN's classifier."""
    build = builders.discriminator if config.model == "ebgan" else builders.classifier
    return build(
        config.net,
        **_given(
            layers=config.discriminator_layers,
            width=config.discriminator_width,
            dropout=config.dropout or None,
        ),
    )


def build(config: GanConfig, device: torch.device, data_root: StrPath | None) -> TwoPlayer:
    """Build the networks, optimisers and data of `config`, initialised from its seed."""
    channels, size, _ = builders.image_shape(config.net)
    images = open_set(config.data, "train", data_root, size=config.crop_from or size)
    if images.shape[0] != channels:
        found = images.shape[0]
        raise UserError(f"net: {config.net!r} is for {channels}-channel images, {config.data!r} has {found}")
    if config.crop_from and images.shape[1] != config.crop_from:
        raise UserError(
            f"crop_from: {config.data!r} keeps its size of {images.shape[1]} pixels; leave it out"
        )
    here = world()
    here.check_batch(config.batch_size, config.accumulate)
    seed_step(config.seed, 0)
    generator = build_generator(config).to(device)
    discriminator = build_discriminator(config).to(device)
    if here.size > 1 and device.type == "cuda":  # torch's own refuses a CPU
        generator, discriminator = map(nn.SyncBatchNorm.convert_sync_batchnorm, (generator, discriminator))
    batches = Batches(
        images, config.batch_size, size=size, flip=config.flip, seed=config.seed, threads=config.threads
    )
    of_discriminator = config.discriminator_optimizer or config.optimizer
    shared: dict[str, Any] = {
        "generator_optimizer": make_optimizer(
            config.optimizer, generator, config.generator_lr, beta1=config.beta1
        ),
        "discriminator_optimizer": make_optimizer(
            of_discriminator, discriminator, config.discriminator_lr, beta1=config.beta1
        ),
        "precision": config.precision,
        "compiled": config.compiled,
        "averaging": config.averaging,
        "accumulate": config.accumulate,
    }
    if config.model == "gan":
        return GAN(generator, discriminator, batches, **shared)
    if not isinstance(config.margin, (int, float)):
        raise UserError("margin: is to be measured before the networks are built; see ebgan.gan.margin")
    return EBGAN(
        generator,
        discriminator,
        batches,
        margin=config.margin,
        distance=config.distance,
        shaping=config.shaping,
        pulling_away_weight=config.pulling_away_weight,
        **shared,
    )


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
