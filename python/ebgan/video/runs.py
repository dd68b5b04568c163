"""The networks, optimisers and data of a configuration."""

from __future__ import annotations

from functools import partial

import torch

from ebgan.data import ClipBatches, load_clips
from ebgan.files import StrPath
from ebgan.training import GeometricDecay, make_optimizer, seed_step
from ebgan.video import builders
from ebgan.video.config import VideoConfig
from ebgan.video.generator import MultiscaleGenerator
from ebgan.video.prediction import VideoPrediction


def build_generator(config: VideoConfig) -> MultiscaleGenerator:
    """The untrained generator of `config`."""
    return builders.generator(config.net, width=config.width, tanh=config.tanh)


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
        seed=config.seed,
        threads=config.threads,
    )
    seed_step(config.seed, 0)
    generator = build_generator(config).to(device)
    optimizer = partial(make_optimizer, config.optimizer, beta1=config.beta1)
    discriminator = discriminator_optimizer = None
    if config.adversarial_weight:
        discriminator = builders.discriminator(config.net, width=config.width, patch=config.patch)
        discriminator = discriminator.to(device)
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
    )
