"""The networks, optimisers and data of a configuration."""

from __future__ import annotations

from functools import partial
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
from ebgan.training import make_optimizer, seed_step


def build_generator(config: GanConfig) -> Generator:
    """The untrained generator of `config`."""
    return builders.generator(
        config.net,
        **_given(noise_size=config.noise_size, layers=config.generator_layers, width=config.generator_width),
    )


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
    images = open_set(config.data, "train", data_root, size=size)
    if images.shape[0] != channels:
        found = images.shape[0]
        raise UserError(f"net: {config.net!r} is for {channels}-channel images, {config.data!r} has {found}")
    seed_step(config.seed, 0)
    generator = build_generator(config).to(device)
    discriminator = build_discriminator(config).to(device)
    batches = Batches(images, config.batch_size, size=size, seed=config.seed, threads=config.threads)
    optimizer = partial(make_optimizer, config.optimizer, beta1=config.beta1)
    shared: dict[str, Any] = {
        "generator_optimizer": optimizer(generator, config.generator_lr),
        "discriminator_optimizer": optimizer(discriminator, config.discriminator_lr),
        "precision": config.precision,
        "compiled": config.compiled,
    }
    if config.model == "gan":
        return GAN(generator, discriminator, batches, **shared)
    assert config.margin is not None  # GanConfig refuses an EBGAN without one
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
