"""The networks, optimisers and data of a configuration, and the networks that a run has trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ebgan.data import ImageSet, load
from ebgan.errors import UserError
from ebgan.files import StrPath
from ebgan.ladder.batches import Examples, SemiSupervisedBatches, examples
from ebgan.ladder.builders import new_network
from ebgan.ladder.config import IMAGES, LadderConfig
from ebgan.ladder.ebgan import LadderEBGAN
from ebgan.ladder.generator import ImageGenerator, LadderGenerator
from ebgan.ladder.ladder import Ladder
from ebgan.ladder.layers import initialise
from ebgan.ladder.network import LadderNetwork
from ebgan.ladder.statistics import set_statistics
from ebgan.training import LinearDecay, RunFolder, adam, as_trained, autocast, load_newest


def build(config: LadderConfig, device: torch.device, data_root: StrPath | None) -> Ladder:
    """Build the networks, optimisers and data of `config`, each network initialised from its seed."""
    images = load(config.data, "train", data_root)
    batches = build_batches(config, learnt_from(config, examples(images, device)))
    networks = build_network(config, images)
    schedule_steps = config.schedule_steps or config.steps
    shared: dict[str, Any] = {
        "seeds": config.network_seeds,
        "schedule": LinearDecay(config.lr, schedule_steps, config.decay_start),
        "input_noise": config.input_noise,
        "layer_noise": config.layer_noise,
        "precision": config.precision,
        "compiled": config.compiled,
        "image": images.images.shape[1:],
    }
    optimizer = partial(adam, beta1=config.beta1)
    if config.model != "ebgan":
        initialise(config.network_seeds, networks)
        networks.to(device)
        return Ladder(networks, batches, config.lambdas, optimizer=optimizer(networks, config.lr), **shared)
    assert config.codes and config.margin and config.margin_share and config.generator_lr
    sizes = (config.codes, *config.generator_hidden, networks.sizes[0])
    generators = LadderGenerator(sizes, networks=config.seeds)
    initialise(config.network_seeds, networks, generators)
    networks.to(device)
    generators.to(device)
    return LadderEBGAN(
        networks,
        generators,
        batches,
        lambda_0=config.lambda_bottom,
        margin=LinearDecay(config.margin, max(1, round(schedule_steps * config.margin_share))),
        optimizer=optimizer(networks, config.lr),
        generator_optimizer=optimizer(generators, config.generator_lr),
        **shared,
    )


def image_generator(config: LadderConfig) -> Mapping[str, ImageGenerator]:
    """The untrained generators of `config`, which draw images, by their name in the checkpoints.

    Raises:
        UserError: the model has no generator.
    """
    if config.model != "ebgan":
        raise UserError(
            f"model: --model {config.model} trains no generator to sample from; train one with --model ebgan"
        )
    assert config.codes
    image = IMAGES[config.data]
    sizes = (config.codes, *config.generator_hidden, math.prod(image))
    return {"generator": ImageGenerator(sizes, image, networks=config.seeds)}


def build_network(config: LadderConfig, images: ImageSet) -> LadderNetwork:
    """The networks of `config` for such `images`, whose first weights are still to be drawn."""
    inputs, classes = images.images[0].size, len(images.classes)
    name = "bottom" if config.model == "ebgan" else config.model
    return new_network(name, inputs, config.hidden, classes, config.combinator, config.seeds)


def build_batches(config: LadderConfig, data: Examples) -> SemiSupervisedBatches:
    """The batches of `config`."""
    return SemiSupervisedBatches(
        data, labels=config.labels, batch_size=config.batch_size, seeds=config.network_seeds
    )


def learnt_from(config: LadderConfig, data: Examples) -> Examples:
    """The examples that a run may learn from: all but those that it holds out."""
    if config.held_out >= len(data):
        raise UserError(f"held_out: got {config.held_out}, but {data.name!r} has {len(data)} examples")
    return data.part(0, len(data) - config.held_out)


def load_network(
    run: RunFolder,
    config: LadderConfig,
    device: torch.device,
    data_root: StrPath | None,
    *,
    done: Callable[[], object] = lambda: None,
) -> LadderNetwork:
    """The networks of `run`, by the checkpoint that it is opened at, ready to classify.

    Their statistics are those of the run's training data, which is read for that; `done` is called after
    those of each network.
    """
    images = load(config.data, "train", data_root)
    networks = as_trained(build_network(config, images).to(device), config.precision)
    load_newest(run, {"network": networks})
    data = learnt_from(config, examples(images, device))
    with autocast(device, config.precision):
        set_statistics(networks, statistics_from(config, data), done=done)
    return networks.eval()


def statistics_from(config: LadderConfig, data: Examples) -> list[Tensor]:
    """The examples that each network's statistics are taken of: all, or those with a label for the supervised
    baseline, which sees no others.
    """
    if config.model != "supervised":
        return [data.features] * config.seeds
    chosen = build_batches(config, data).chosen
    return [data.features[torch.from_numpy(numbers)] for numbers in chosen]
