"""Pictures of ladder networks whose examples are images, of the first network of several."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ebgan.ladder.network import LadderNetwork
from ebgan.pictures import image_grid

ImageShape = tuple[int, int, int]

UNITS, UNIT_COLUMNS = 64, 8
EXAMPLES = 12


def weights(network: LadderNetwork, image: ImageShape) -> np.ndarray:
    """The weights of the first 64 units of layer 1; grey is 0, each unit is scaled to its greatest weight."""
    units = network.encoder[0].weight.detach()[0].T[:UNITS]
    scaled = units / units.abs().amax(1, keepdim=True).clamp_min(torch.finfo(units.dtype).tiny)
    return image_grid(scaled.reshape(-1, *image), columns=UNIT_COLUMNS)


def reconstructions(clean: Tensor, corrupted: Tensor, denoised: Tensor, image: ImageShape) -> np.ndarray:
    """Three rows, clean, corrupted and denoised, of the first examples (S, P, N, D) in [0, 1]."""
    rows = [each[0, 0, :EXAMPLES] for each in (clean, corrupted, denoised)]
    names = ("clean", "corrupted", "denoised")
    return image_grid(to_images(torch.cat(rows), image), columns=len(rows[0]), row_names=names)


def to_images(examples: Tensor, image: ImageShape) -> Tensor:
    """Vectors in [0, 1] as images (N, C, H, W) in [-1, 1]."""
    return examples.reshape(-1, *image) * 2 - 1
