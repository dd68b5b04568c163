"""The scores of a run: what can be read from its codes, and how right its swaps are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ebgan.data import ImageSet
from ebgan.disentangle.config import DisentangleConfig
from ebgan.disentangle.grids import evaluating
from ebgan.disentangle.interface import Codes, Encoder
from ebgan.disentangle.probes import Accuracy, probe
from ebgan.disentangle.runs import as_tensor, load_images, shape_of, trained_nets
from ebgan.disentangle.swaps import SwapScores, score_swaps
from ebgan.disentangle.triplets import Identities
from ebgan.errors import at_least
from ebgan.files import StrPath
from ebgan.training import Help, RunFolder
from ebgan.training.meter import meter

CODES = ("s", "z mean", "z sample")
IMAGES, SWAPS = 4000, 2000
BATCH = 250

Array = NDArray[np.int64]


@dataclass(frozen=True)
class DisentangleScores:
    """Accuracies of probes by factor and code, and the scores of swaps. Its `str` is a table."""

    data: str
    images: int
    probes: Mapping[str, Mapping[str, Accuracy]]
    swaps: SwapScores

    def __str__(self) -> str:
        lines = [
            f"factors read from codes, {self.data}, up to {self.images:,} images to fit and to try",
            f"{'':<12}{'':>8}" + "".join(f"{code:>19}" for code in CODES),
            f"{'':<12}{'chance':>8}" + f"{'linear':>11}{'MLP':>8}" * len(CODES),
        ]
        for factor, of in self.probes.items():
            cells = "".join(f"{of[code].linear:>11.1%}{of[code].mlp:>8.1%}" for code in CODES)
            lines.append(f"{factor:<12}{of['s'].chance:>8.1%}{cells}")
        return "\n".join([*lines, "", str(self.swaps)])


def score(
    run: RunFolder,
    config: DisentangleConfig,
    device: torch.device,
    data_root: StrPath | None,
    *,
    images: Annotated[int, Help("Number of images to fit the probes to, and to try them on.")] = IMAGES,
    swaps: Annotated[int, Help("Number of swaps to score.")] = SWAPS,
    seed: Annotated[int, Help("Seed of the choice of images and of the samples of z.")] = 0,
) -> DisentangleScores:
    """Disentangling is scored by probes: the accuracy with which each factor is read, linearly and by a small
    MLP, from the identity's code s, and from the mean and a sample of the style z. They are fitted to codes
    of training images and tried on test images; where the test images have values that no training image has,
    to one half of the test images and tried on the other. Swaps of test images are compared with the true
    image where there is one (PSNR, SSIM), beside the two sources and the mean image in its place. Of digits
    and MNIST a frozen classifier reads the swaps, and slant and width of strokes, less their means over the
    class, are correlated with those of the image that gave the style.
    """
    at_least("images", images, 2)
    at_least("swaps", swaps, 2)
    at_least("seed", seed, 0)
    train, test = (load_images(config, split, data_root) for split in ("train", "test"))
    encoder, decoder = trained_nets(run, config, shape_of(train), device)
    random = np.random.default_rng(seed)
    chosen = {each.split: random.permutation(len(each))[:images] for each in (train, test)}
    torch.manual_seed(seed)
    codes = {each.split: encode(encoder, each, chosen[each.split], device) for each in (train, test)}
    probes: dict[str, dict[str, Accuracy]] = {}
    with meter(len(train.factors) * len(CODES) + 1, unit="score") as show:
        for factor in train.factors:
            labels = {each.split: each.factors[factor].labels[chosen[each.split]] for each in (train, test)}
            probes[factor] = {}
            for code in CODES:
                probes[factor][code] = _probed(
                    {split: (codes[split][code], labels[split]) for split in codes}, seed=seed
                )
                show.update()
        found = score_swaps(
            encoder,
            decoder,
            test,
            Identities(test, config.factors),
            mean=_mean(train),
            count=swaps,
            seed=seed,
        )
        show.update()
    return DisentangleScores(data=config.data, images=images, probes=probes, swaps=found)


def encode(
    encoder: Encoder, images: ImageSet, numbers: Array, device: torch.device
) -> dict[str, NDArray[np.float32]]:
    """The codes of the images of these numbers, by the names in `CODES`."""
    parts: list[Codes] = []
    with evaluating(encoder):
        for start in range(0, len(numbers), BATCH):
            parts.append(encoder(as_tensor(images, numbers[start : start + BATCH]).to(device)))
        codes = Codes(*(torch.cat(each).float() for each in zip(*parts, strict=True)))
        found = dict(zip(CODES, (codes.identity, codes.mean, codes.style()), strict=True))
    return {name: code.cpu().numpy() for name, code in found.items()}


def _probed(codes: Mapping[str, tuple[NDArray[np.float32], Array]], *, seed: int) -> Accuracy:
    (fitted, fitted_labels), (held_out, labels) = codes["train"], codes["test"]
    if np.isin(labels, fitted_labels).all():
        return probe(fitted, fitted_labels, held_out, labels, seed=seed)
    half = len(labels) // 2
    return probe(held_out[:half], labels[:half], held_out[half:], labels[half:], seed=seed)


def _mean(images: ImageSet) -> Tensor:
    return torch.from_numpy(images.images.mean(0, dtype=np.float64)).float() / 127.5 - 1
