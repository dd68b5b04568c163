"""The networks, optimisers and data of a configuration."""

from __future__ import annotations

from functools import partial
from typing import TypeVar

import torch
from torch import nn

from ebgan.data import ClipBatches, load_clips
from ebgan.files import StrPath
from ebgan.training import (
    GeometricDecay,
    RunFolder,
    as_trained,
    load_newest,
    make_optimizer,
    seed_step,
)
from ebgan.video import builders
from ebgan.video.config import VideoConfig
from ebgan.video.generator import MultiscaleGenerator
from ebgan.video.prediction import VideoPrediction

Net = TypeVar("Net", bound=nn.Module)


def build_generator(config: VideoConfig) -> MultiscaleGenerator:
    """The untrained generator of `config`, its weights laid out as the run has them."""
    return laid_out(builders.generator(config.net, width=config.width, tanh=config.tanh), config)


def laid_out(net: Net, config: VideoConfig) -> Net:
    """Make the weights of `net`, and with them its activations, lie channels-last where `config` says so."""
    if config.channels_last:
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
    return net


def trained_generator_of(run: RunFolder, config: VideoConfig, device: torch.device) -> MultiscaleGenerator:
    """The generator of `run` by its newest whole checkpoint, which predicts as it did in training."""
    net = as_trained(build_generator(config).to(device), config.precision)
    load_newest(run, {"generator": net})
    return net


def build(config: VideoConfig, device: torch.device, data_root: StrPath | None) -> VideoPrediction:
    """Build the networks, optimisers and data of `config`, initialised from its seed."""
    clips = load_clips(
        config.data, "train", data_root, size=config.size, bounce=config.bounce, fold=config.fold
    )
    batches = ClipBatches(
        clips,
        config.batch_size,
        frames=builders.NETS[config.net].clip_frames,
        size=config.patch,
        scales=4,
        min_motion=config.min_motion,
        augmentation=config.augmentation,
        seed=config.seed,
        threads=config.threads,
    )
    seed_step(config.seed, 0)
    generator = build_generator(config).to(device)
    optimizer = partial(make_optimizer, config.optimizer, beta1=config.beta1)
    discriminator = discriminator_optimizer = None
    if config.adversarial_weight:
        discriminator = builders.discriminator(config.net, width=config.width, patch=config.patch)
        discriminator = laid_out(discriminator.to(device), config)
        discriminator_optimizer = optimizer(discriminator, config.discriminator_lr)
    return VideoPrediction(
        generator,
        batches,
        config.terms,
        discriminator=discriminator,
        generator_optimizer=optimizer(generator, config.generator_lr),
        discriminator_optimizer=discriminator_optimizer,
        schedule=GeometricDecay(
            config.generator_lr, config.generator_final_lr, config.decay_steps or config.steps
        ),
        precision=config.precision,
        compiled=config.compiled,
    )
