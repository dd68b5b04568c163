"""The networks, optimisers and data of a configuration."""

from __future__ import annotations

import dataclasses
import logging
from functools import partial
from pathlib import Path

import torch

from ebgan.data import ClipBatches, ClipSet, DataError, has_test_clips, load_clips
from ebgan.data.registry import Split
from ebgan.training import GeometricDecay, make_optimizer, seed_step
from ebgan.video import builders
from ebgan.video.config import VideoConfig
from ebgan.video.generator import MultiscaleGenerator
from ebgan.video.prediction import VideoPrediction

_REMEDY = "to choose, sort the videos into folders 'train' and 'test'"

_log = logging.getLogger(__name__)


def build_generator(config: VideoConfig) -> MultiscaleGenerator:
    """The untrained generator of `config`."""
    return builders.generator(config.net, width=config.width, tanh=config.tanh)


def training_clips(config: VideoConfig, data_root: Path | None) -> tuple[ClipSet, ClipSet | None]:
    """The clips to train on, and those held out of them; None where the data has a test split.

    The same clips are held out in every run, whatever its seed.
    """
    clips = _load(config, "train", data_root)
    if has_test_clips(config.data, data_root, fold=config.fold):
        return clips, None
    if not config.held_out_share:
        return clips, dataclasses.replace(clips, clips=())
    return clips.hold_out(config.held_out_share)


def test_clips(config: VideoConfig, data_root: Path | None) -> ClipSet:
    """The clips to score a run on: the test split, or those that the run held out of training."""
    if not config.held_out_share or has_test_clips(config.data, data_root, fold=config.fold):
        return _load(config, "test", data_root)
    _, held_out = training_clips(config, data_root)
    if not held_out:
        raise DataError(f"data set {config.data!r} has no test split, and too few videos: {_REMEDY}")
    return dataclasses.replace(held_out, split="held out of training")


def build(config: VideoConfig, device: torch.device, data_root: Path | None) -> VideoPrediction:
    """Build the networks, optimisers and data of `config`, initialised from its seed."""
    clips, held_out = training_clips(config, data_root)
    if held_out is not None:
        _tell(config, len(clips), len(held_out))
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


def _load(config: VideoConfig, split: Split, data_root: Path | None) -> ClipSet:
    return load_clips(config.data, split, data_root, size=config.size, bounce=config.bounce, fold=config.fold)


def _tell(config: VideoConfig, clips: int, held_out: int) -> None:
    """Say before training, and not after it, what there is to score."""
    told = f"{held_out} of {clips + held_out} clips are held out of training, for ebgan evaluate to score"
    if not held_out:
        told = "nothing is held out of training, so that ebgan evaluate will have nothing to score"
    _log.warning("ebgan: data set %r has no test split: %s; %s", config.data, told, _REMEDY)
