"""The scores of a generator, beside those of real images and of two sources that training should beat."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ebgan.data import ImageSet
from ebgan.errors import UserError, at_least
from ebgan.gan.interface import Generator
from ebgan.gan.scores import chunks
from ebgan.gan.scores.inception import (
    class_shares,
    inception_score,
    log_probabilities,
    mean_top_probability,
    modified_inception_score,
)
from ebgan.gan.scores.kid import kernel_inception_distance
from ebgan.gan.scores.networks import Scored, ScoreNetwork, find, load_network
from ebgan.gan.scores.results import ClassScores, Scores, SetScores
from ebgan.gan.two_player import sample
from ebgan.training.meter import Meter, meter

SAMPLES = 2_500  # the default, which a run is scored by within two minutes on 2 cores
KIDS = 4  # of the sets that are scored
REAL_AT_LEAST, REAL_AT_MOST = 1_000, 10_000  # images of a set: KID draws subsets of 1,000


def evaluate(
    generator: Generator,
    training: ImageSet,
    *,
    network: str,
    untrained: Generator,
    other: ImageSet | None = None,
    count: int = SAMPLES,
    seed: int = 0,
) -> Scores:
    """Score `count` samples of `generator`, and what to compare them with.

    Four sets are scored, each by its KID against training images and, where the classes of the score network
    are those of the data, by I', inception score, class shares and mean top probability:

    - "samples": samples of `generator`,
    - "real": the images `other`; without them one half of `training`, against its other half,
    - "untrained": samples of the generator `untrained`,
    - "pixel noise": each pixel from the Gaussian fitted to it in `training`, independent of the others.

    Of real images as many are taken, but 1,000 to 10,000 where there are so many, in an order by `seed`.
    Samples are drawn in chunks of 500, each chunk's noise from a seed derived from `seed` and its number, the
    same on every device.

    Args:
        generator: makes images that have a score network; scores are computed on its device.
        training: the images that `generator` was trained on.
        network: "digits" for 8x8 digits, "mnist" for 32x32 ones, "images" for 64x64 photographs.
        untrained: a generator of the same images before training, on the same device.
        other: real images that `generator` was not trained on.
        count: samples, 2 or more.
        seed: non-negative integer.

    Raises:
        UserError: unknown network, images that it does not take, or a number out of range.

    Example (which scores an untrained generator against handwritten digits, padded to 32x32):
        >>> from ebgan.data import load
        >>> from ebgan.gan import generator
        >>> new, digits = generator("mnist"), load("digits")
        >>> scores = evaluate(new, digits, network="mnist", untrained=new, count=500)
        >>> scores.sets["real"].kid.mean < scores.sets["samples"].kid.mean
        True
    """
    at_least("samples", count, 2)
    at_least("seed", seed, 0)
    channels, height, width = sample(generator, 1, seed=seed).shape[1:]
    entry = find(network, (channels, height, width))
    if training.images.shape[1] != channels:
        found = training.images.shape[1]
        raise UserError(f"training: got {found}-channel images, network {network!r} takes {channels}")
    scorer = load_network(network, device=next(generator.parameters()).device)

    def real_count(images: ImageSet) -> int:
        return min(max(count, REAL_AT_LEAST), REAL_AT_MOST, len(images))

    def real(images: ImageSet) -> Iterator[Tensor]:
        return chunks.real(images, real_count(images), height, seed)

    mean, std = chunks.pixel_statistics(real(training))
    there = [real_count(images) for images in (training, other) if images is not None]
    chunk_counts = map(chunks.chunks_of, (*there, count, count, count))
    with meter(sum(chunk_counts) + KIDS, unit="part") as show:
        reference = _scored(scorer, real(training), show)
        scored = {
            "samples": _scored(scorer, chunks.generated(generator, count, seed), show),
            "real": reference if other is None else _scored(scorer, real(other), show),
            "untrained": _scored(scorer, chunks.generated(untrained, count, seed), show),
            "pixel noise": _scored(scorer, chunks.pixel_noise(mean, std, count, seed), show),
        }
        against = dict.fromkeys(scored, reference.features)
        if other is None:
            half = len(reference.features) // 2
            scored["real"] = Scored(*(each[half:] for each in reference))
            against["real"] = reference.features[:half]
        sets = {}
        for name, images in scored.items():
            sets[name] = SetScores(
                count=len(images.features),
                kid=kernel_inception_distance(images.features, against[name], seed=seed),
                classes=_class_scores(images.logits, entry.class_names) if entry.class_names else None,
            )
            show.update()
    return Scores(network, entry.sha256, seed, sets)


def _scored(scorer: ScoreNetwork, images: Iterator[Tensor], show: Meter) -> Scored:
    device = next(scorer.parameters()).device
    parts = []
    with torch.no_grad():
        for chunk in images:
            parts.append(scorer(chunk.to(device)))
            show.update()
    return Scored(*(torch.cat(each) for each in zip(*parts, strict=True)))


def _class_scores(logits: Tensor, names: tuple[str, ...]) -> ClassScores:
    log_p = log_probabilities(logits)
    return ClassScores(
        modified_inception_score=modified_inception_score(log_p),
        inception_score=inception_score(log_p),
        mean_top_probability=mean_top_probability(log_p),
        shares=dict(zip(names, class_shares(log_p).tolist(), strict=True)),
    )
