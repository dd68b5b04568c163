"""How right swaps are: against the true image, by a classifier, and by what the style should keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ebgan.data import ImageSet
from ebgan.disentangle.grids import evaluating
from ebgan.disentangle.handwriting import correlation, deviations, slant, stroke_width
from ebgan.disentangle.interface import Decoder, Encoder, padded
from ebgan.disentangle.poses import MISSING, Poses
from ebgan.disentangle.runs import as_tensor
from ebgan.disentangle.triplets import Identities
from ebgan.gan.scores.networks import NETWORKS, load_network
from ebgan.video.metrics import psnr, ssim

TRIES = 50  # pairs that are drawn for each that is wanted, as not every pair has a true image
BATCH = 250


@dataclass(frozen=True)
class Likeness:
    """PSNR in dB and SSIM against the true images, averaged over these."""

    psnr: float
    ssim: float


@dataclass(frozen=True)
class Handwriting:
    """The share of `count` swaps that are read as the class of the identity's image, and correlations.

    `slant` and `stroke_width` are correlations with the style's image, those `of_identity` with the other's,
    of deviations from the mean over the class.
    """

    count: int
    read_right: float
    slant: float
    stroke_width: float
    slant_of_identity: float
    stroke_width_of_identity: float


@dataclass(frozen=True)
class SwapScores:
    """Scores of swaps; each part is None where the data has no true swaps or no classifier."""

    count: int
    likeness: Mapping[str, Likeness] | None
    handwriting: Handwriting | None

    def __str__(self) -> str:
        lines: list[str] = []
        if self.likeness is not None:
            lines.append(f"{self.count:,} swaps against the true image{'PSNR':>12}{'SSIM':>9}")
            lines += [f"{name:<32}{of.psnr:>12.2f}{of.ssim:>9.3f}" for name, of in self.likeness.items()]
        if (of := self.handwriting) is not None:
            lines += [
                f"{of.count:,} swaps: {of.read_right:.1%} are read as the class of the identity's image",
                f"{'correlation with the image of the':<36}{'style':>8}{'identity':>10}",
                f"{'slant':<36}{of.slant:>8.2f}{of.slant_of_identity:>10.2f}",
                f"{'width of strokes':<36}{of.stroke_width:>8.2f}{of.stroke_width_of_identity:>10.2f}",
            ]
        return "\n".join(lines) or "swaps: this data has neither true swaps nor a classifier"


def score_swaps(
    encoder: Encoder,
    decoder: Decoder,
    images: ImageSet,
    identities: Identities,
    *,
    mean: Tensor,
    count: int,
    seed: int,
) -> SwapScores:
    """Score up to `count` swaps of random pairs of images; `mean` (C, H, W) is the mean image."""
    random = np.random.default_rng(seed)
    poses = Poses(images, identities)
    style, identity = random.integers(len(images), size=(2, TRIES * count))
    true = poses.true(style=style, identity=identity)
    differ = (true != MISSING) & (true != style) & (true != identity)
    likeness = None
    if differ.any():
        kept = np.flatnonzero(differ)[:count]
        wanted = as_tensor(images, true[kept])
        given, other = as_tensor(images, style[kept]), as_tensor(images, identity[kept])
        candidates = {
            "the swap": swap(encoder, decoder, given, other),
            "the image that gave the style": given,
            "the image that gave the identity": other,
            "the mean training image": mean.expand_as(wanted),
        }
        likeness = {name: compared(each, wanted) for name, each in candidates.items()}
        return SwapScores(len(kept), likeness, None)
    return SwapScores(count, None, _handwriting(encoder, decoder, images, style[:count], identity[:count]))


def swap(encoder: Encoder, decoder: Decoder, style: Tensor, identity: Tensor) -> Tensor:
    """Each style (N, C, H, W) with its identity (N, C, H, W), by the means of z: (N, C, H, W), on the CPU."""
    device = next(encoder.parameters()).device
    with evaluating(encoder, decoder):
        parts = [
            decoder(encoder(left.to(device)).mean, encoder(right.to(device)).identity).float().cpu()
            for left, right in zip(style.split(BATCH), identity.split(BATCH), strict=True)
        ]
    return torch.cat(parts)


def compared(images: Tensor, true: Tensor) -> Likeness:
    """PSNR and SSIM of images (N, C, H, W) in [-1, 1] against the true ones."""
    colour = images.expand(-1, 3, -1, -1), true.expand(-1, 3, -1, -1)
    return Likeness(
        float(psnr(*colour, definition="paper").mean()), float(ssim(*colour, padding="valid").mean())
    )


def _handwriting(
    encoder: Encoder, decoder: Decoder, images: ImageSet, style: np.ndarray, identity: np.ndarray
) -> Handwriting | None:
    entry = NETWORKS.get(images.name)
    if entry is None or not entry.class_names:
        return None
    given, other = as_tensor(images, style), as_tensor(images, identity)
    made = swap(encoder, decoder, given, other)
    network = load_network(images.name)
    inner = entry.image[1] // 8
    read = torch.cat([network(padded(part, inner)).logits.argmax(1) for part in made.split(BATCH)])
    right = read == torch.from_numpy(images.labels[identity])
    classes = [torch.from_numpy(images.labels[each]) for each in (identity, style, identity)]
    slants, widths = (
        [deviations(measure(each), of) for each, of in zip((made, given, other), classes, strict=True)]
        for measure in (slant, stroke_width)
    )
    return Handwriting(
        count=len(made),
        read_right=float(right.float().mean()),
        slant=correlation(slants[0], slants[1]),
        stroke_width=correlation(widths[0], widths[1]),
        slant_of_identity=correlation(slants[0], slants[2]),
        stroke_width_of_identity=correlation(widths[0], widths[2]),
    )
