"""The networks, optimisers and data of a configuration."""

from __future__ import annotations

import dataclasses
import logging
from functools import partial
from typing import TypeVar

import torch
from torch import nn

from ebgan.data import ClipBatches, ClipSet, DataError, has_test_clips, load_clips
from ebgan.data.registry import Split
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

_REMEDY = "to choose, sort the videos into folders 'train' and 'test'"

_log = logging.getLogger(__name__)


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


def training_clips(config: VideoConfig, data_root: StrPath | None) -> tuple[ClipSet, ClipSet | None]:
    """The clips to train on, and those held out of them; None where the data has a test split.

    The same clips are held out in every run, whatever its seed.
    """
    clips = _load(config, "train", data_root)
    if has_test_clips(config.data, data_root, fold=config.fold):
        return clips, None
    if not config.held_out_share:
        return clips, dataclasses.replace(clips, clips=())
    return clips.hold_out(config.held_out_share)


def test_clips(config: VideoConfig, data_root: StrPath | None) -> ClipSet:
    """The clips to score a run on: the test split, or those that the run held out of training."""
    if not config.held_out_share or has_test_clips(config.data, data_root, fold=config.fold):
        return _load(config, "test", data_root)
    _, held_out = training_clips(config, data_root)
    if not held_out:
        raise DataError(f"data set {config.data!r} has no test split, and too few videos: {_REMEDY}")
    return dataclasses.replace(held_out, split="held out of training")


def build(config: VideoConfig, device: torch.device, data_root: StrPath | None) -> VideoPrediction:
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


def _load(config: VideoConfig, split: Split, data_root: StrPath | None) -> ClipSet:
    return load_clips(config.data, split, data_root, size=config.size, bounce=config.bounce, fold=config.fold)


def _tell(config: VideoConfig, clips: int, held_out: int) -> None:
    """Say before training, and not after it, what there is to score."""
    told = f"{held_out} of {clips + held_out} clips are held out of training, for ebgan evaluate to score"
    if not held_out:
        told = "nothing is held out of training, so that ebgan evaluate will have nothing to score"
    _log.warning("ebgan: data set %r has no test split: %s; %s", config.data, told, _REMEDY)
