"""From a configuration to a run: build, train, resume, and load what a run has learnt."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from torch import nn
from torch.optim import SGD, Adam, Optimizer

from ebgan import training
from ebgan.data import ClipBatches, load_clips
from ebgan.errors import UserError, require_training
from ebgan.training import RunFolder, Trainer, load_newest, resume_run, seed_step
from ebgan.video import builders
from ebgan.video.config import VideoConfig
from ebgan.video.generator import MultiscaleGenerator
from ebgan.video.prediction import VideoPrediction
from ebgan.video.schedule import GeometricDecay

COMMAND = "train video"


def build_generator(config: VideoConfig) -> MultiscaleGenerator:
    """The untrained generator of `config`."""
    return builders.generator(config.config, width=config.width, tanh=config.tanh)


def build(config: VideoConfig, device: torch.device, data_root: Path | None) -> VideoPrediction:
    """Networks, optimisers and data of `config`, initialised from its seed."""
    clips = load_clips(
        config.data, "train", data_root, size=config.size, bounce=config.bounce, fold=config.fold
    )
    batches = ClipBatches(
        clips,
        config.batch_size,
        frames=builders.NETS[config.config].clip_frames,
        size=config.patch,
        scales=4,
        min_motion=config.min_motion,
        seed=config.seed,
        threads=config.threads,
    )
    seed_step(config.seed, 0)
    generator = build_generator(config).to(device)
    discriminator = discriminator_optimizer = None
    if config.adversarial_weight:
        discriminator = builders.discriminator(config.config, width=config.width, patch=config.patch)
        discriminator = discriminator.to(device)
        discriminator_optimizer = _optimizer(config, discriminator, config.discriminator_lr)
    return VideoPrediction(
        generator,
        batches,
        config.terms,
        discriminator=discriminator,
        generator_optimizer=_optimizer(config, generator, config.generator_lr),
        discriminator_optimizer=discriminator_optimizer,
        schedule=GeometricDecay(
            config.generator_lr, config.generator_final_lr, config.decay_steps or config.steps
        ),
        precision=config.precision,
    )


def _optimizer(config: VideoConfig, net: nn.Module, lr: float) -> Optimizer:
    if config.optimizer == "sgd":
        return SGD(net.parameters(), lr=lr)
    return Adam(net.parameters(), lr=lr, betas=(config.beta1, 0.999))


def train(
    config: VideoConfig, out: Path, *, device: torch.device, data_root: Path | None = None
) -> VideoPrediction:
    """Train by `config` in the new run folder `out`."""
    require_training()
    # Stored with the run: one that is resumed with more steps must not decay anew.
    config = dataclasses.replace(config, decay_steps=config.decay_steps or config.steps)
    system = build(config, device, data_root)
    if config.generator_from is not None:
        _start_from(Path(config.generator_from), config, system.generator)
    run = RunFolder.create(out, COMMAND, config)
    Trainer(system, run, config).train()
    return system


def resume(
    path: Path, *, device: torch.device, data_root: Path | None = None, steps: int | None = None
) -> VideoPrediction:
    """Go on with the run in the folder `path`, by its stored configuration, to `steps` if given."""
    return resume_run(open_run(path), build, device=device, data_root=data_root, steps=steps)


def open_run(path: Path) -> tuple[RunFolder, VideoConfig]:
    """The run folder `path` of a video system and its configuration."""
    return training.open_run(path, VideoConfig, COMMAND)


def trained_generator(path: Path, device: torch.device) -> MultiscaleGenerator:
    """The generator of the run in the folder `path`, as its newest whole checkpoint has it."""
    run, config = open_run(path)
    net = build_generator(config).to(device)
    load_newest(run, {"generator": net})
    return net


def _start_from(path: Path, config: VideoConfig, net: MultiscaleGenerator) -> None:
    run, other = open_run(path)
    for name in ("config", "width", "tanh"):
        theirs, ours = getattr(other, name), getattr(config, name)
        if theirs != ours:
            raise UserError(f"generator_from: {path} has the {name} {theirs}, this run {ours}")
    load_newest(run, {"generator": net})
