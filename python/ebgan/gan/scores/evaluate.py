"""The scores of a generator, beside those of real images and of two sources that training should beat."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ebgan.data import ImageFiles, ImageSet
from ebgan.errors import UserError, at_least
from ebgan.files import StrPath
from ebgan.gan.interface import Generator
from ebgan.gan.scores import chunks
from ebgan.gan.scores.extractor import Extractor, distances
from ebgan.gan.scores.inception import (
    class_shares,
    inception_score,
    log_probabilities,
    mean_top_probability,
    modified_inception_score,
)
from ebgan.gan.scores.kid import kernel_inception_distance
from ebgan.gan.scores.manifold import manifold_scores
from ebgan.gan.scores.nearest import Nearest, NearestScores, nearest, nearest_scores, save_nearest
from ebgan.gan.scores.networks import Entry, Scored, ScoreNetwork, find, load_network
from ebgan.gan.scores.results import ClassScores, OwnScores, Scores, SetScores
from ebgan.gan.scores.separation import separation
from ebgan.gan.two_player import sample
from ebgan.training.meter import Meter, meter

SAMPLES = 2_500  # the default, which a run is scored by within two minutes on 2 cores
KIDS = 4  # of the sets that are scored
NEAREST = chunks.CHUNK  # samples, and held-out images, whose nearest training images are looked for
NEAREST_AMONG = 100_000  # training images at most

Images = ImageSet | ImageFiles
Energy = Callable[[Tensor], Tensor]
REAL_AT_LEAST, REAL_AT_MOST = 1_000, 10_000  # images of a set: KID draws subsets of 1,000


def evaluate(
    generator: Generator,
    training: Images,
    *,
    network: str,
    untrained: Generator,
    other: Images | None = None,
    energy: Energy | None = None,
    count: int = SAMPLES,
    seed: int = 0,
    picture: StrPath | None = None,
    extractor: Extractor | None = None,
) -> Scores:
    """Score `count` samples of `generator`, and what to compare them with.

    Four sets are scored, each against training images by its KID, precision, recall, density and coverage
    and, where the classes of the score network are those of the data, by I', inception score, class shares
    and mean top probability:

    - "samples": samples of `generator`,
    - "real": the images `other`; without them one half of `training`, against its other half,
    - "untrained": samples of the generator `untrained`,
    - "pixel noise": each pixel from the Gaussian fitted to it in `training`, independent of the others.

    Of real images as many are taken, but 1,000 to 10,000 where there are so many, in an order by `seed`.
    Samples are drawn in chunks of 500, each chunk's noise from a seed derived from `seed` and its number, the
    same on every device.

    With `other`, 500 samples and 500 of these are compared by their distances to the nearest of up to 100,000
    training images, and with `energy` their energies.

    Args:
        generator: makes images that the score network takes; scores are computed on its device.
        training: the images that `generator` was trained on.
        network: "digits" for 8x8 digits, "mnist" for 32x32 ones, "images" for others of any size, which are
            scaled to its 64x64 pixels, grey ones repeated as RGB.
        untrained: a generator of the same images before training, on the same device.
        other: real images that `generator` was not trained on.
        energy: the energies (N,) of images (N, C, H, W), by the discriminator that `generator` learned from.
        count: samples, 2 or more.
        seed: non-negative integer.
        picture: PNG file of the samples that are nearest to a training image, each above that image.
        extractor: a network of the user's, in whose features FID and KID of each set are computed, too.

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
    if training.shape[0] != channels:
        found = training.shape[0]
        raise UserError(f"training: got {found}-channel images, network {network!r} takes {channels}")
    scorer = load_network(network, device=next(generator.parameters()).device)

    def real_count(images: Images) -> int:
        return min(max(count, REAL_AT_LEAST), REAL_AT_MOST, len(images))

    def real(images: Images) -> Iterator[Tensor]:
        return chunks.real(images, real_count(images), height, seed)

    mean, std = chunks.pixel_statistics(real(training))
    sources: dict[str, Callable[[], Iterator[Tensor]]] = {
        "samples": lambda: chunks.generated(generator, count, seed),
        "real": lambda: real(training if other is None else other),
        "untrained": lambda: chunks.generated(untrained, count, seed),
        "pixel noise": lambda: chunks.pixel_noise(mean, std, count, seed),
    }
    there = [real_count(images) for images in (training, other) if images is not None]
    among = min(len(training), NEAREST_AMONG) if other is not None else 0
    passes = sum(map(chunks.chunks_of, (*there, count, count, count)))
    if extractor is not None:
        passes += sum(map(chunks.chunks_of, (there[0], there[-1], count, count, count)))
    total = passes + KIDS + chunks.chunks_of(among)

    def scored_by_network(images: Iterator[Tensor]) -> Scored:
        return _scored(scorer, entry, images, show)

    with meter(total, unit="part") as show:
        reference = scored_by_network(real(training))
        scored = {
            name: reference if name == "real" and other is None else scored_by_network(images())
            for name, images in sources.items()
        }
        against = dict.fromkeys(scored, reference.features)
        half = len(reference.features) // 2
        if other is None:
            scored["real"] = Scored(*(each[half:] for each in reference))
            against["real"] = reference.features[:half]
        sets = {}
        for name, images in scored.items():
            sets[name] = SetScores(
                count=len(images.features),
                kid=kernel_inception_distance(images.features, against[name], seed=seed),
                manifold=manifold_scores(images.features, against[name]),
                classes=_class_scores(images.logits, entry.class_names) if entry.class_names else None,
            )
            show.update()
        apart = near = None
        if other is not None:
            drawn, held_out = next(chunks.generated(generator, count, seed)), next(real(other))
            searched = chunks.real(training, among, height, seed)
            near = _nearest(drawn, held_out, _shown(searched, show), picture)
            if energy is not None:
                every = chunks.generated(generator, count, seed)
                apart = separation(_energies(energy, real(other)), _energies(energy, every))
        own = None
        if extractor is not None:
            features = extractor.features(_shown(real(training), show))
            compared = {}
            for name, source in sources.items():
                of_set, of_real = extractor.features(_shown(source(), show)), features
                if name == "real" and other is None:
                    of_set, of_real = features[half:], features[:half]
                compared[name] = distances(of_set, of_real, seed=seed)
            own = OwnScores(extractor.path, extractor.sha256, compared)
    return Scores(network, entry.sha256, seed, sets, apart, near, own)


def _nearest(
    drawn: Tensor, held_out: Tensor, training: Iterator[Tensor], picture: StrPath | None
) -> NearestScores:
    both = torch.cat([drawn, held_out.to(drawn.device)])
    found = nearest(both, training)
    count = len(drawn)
    if picture is not None:
        save_nearest(drawn, Nearest(*(each[:count] for each in found)), picture)
    return nearest_scores(found.distances[:count], found.distances[count:])


def _energies(energy: Energy, images: Iterator[Tensor]) -> Tensor:
    with torch.no_grad():
        return torch.cat([energy(chunk).cpu() for chunk in images])


def _shown(images: Iterator[Tensor], show: Meter) -> Iterator[Tensor]:
    for chunk in images:
        yield chunk
        show.update()


def _brought_to(images: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Images (N, C, H, W) of any size as (N, *shape), with grey repeated as RGB."""
    channels, height, width = shape
    if images.shape[2:] != (height, width):
        images = interpolate(images, (height, width), mode="bilinear", antialias=True)
    return images.expand(-1, channels, -1, -1)


def _scored(scorer: ScoreNetwork, entry: Entry, images: Iterator[Tensor], show: Meter) -> Scored:
    device = next(scorer.parameters()).device
    parts = []
    with torch.no_grad():
        for chunk in images:
            parts.append(scorer(_brought_to(chunk.to(device), entry.image)))
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
