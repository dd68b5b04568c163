"""The scores of a run."""

from __future__ import annotations

from pathlib import Path

import torch

from ebgan.data import load
from ebgan.errors import at_least
from ebgan.gan import build_generator, image_shape, open_run, trained_generator
from ebgan.scores.evaluate import SAMPLES, evaluate
from ebgan.scores.networks import find
from ebgan.scores.record import write_scores
from ebgan.scores.results import Scores
from ebgan.training import newest_valid, seed_step


def evaluate_run(
    path: Path,
    *,
    count: int = SAMPLES,
    seed: int = 0,
    device: torch.device | str = "cpu",
    data_root: Path | None = None,
) -> Scores:
    """Score the newest checkpoint of the run in the folder `path`, and write `path`/scores.json.

    Real images for comparison are the test split of MNIST; of `images` they are halves of the training
    images, which need not have one. The untrained generator is the run's own before its first step. See
    `evaluate` for the rest.

    Raises:
        UserError: no run, no whole checkpoint or no score network for its images; or the data is not there.
    """
    at_least("samples", count, 2)
    at_least("seed", seed, 0)
    device = torch.device(device)
    run, config = open_run(path)
    shape = image_shape(config.net)
    find(config.data, shape)
    trained = trained_generator(path, device)
    checkpoint, _ = newest_valid(run.checkpoints)
    seed_step(config.seed, 0)
    untrained = build_generator(config).to(device)
    scores = evaluate(
        trained,
        load(config.data, "train", data_root, size=shape[1]),
        network=config.data,
        untrained=untrained,
        other=None if config.data == "images" else load(config.data, "test", data_root),
        count=count,
        seed=seed,
    )
    write_scores(run, scores, checkpoint=checkpoint, config=config, device=device, samples=count)
    return scores
