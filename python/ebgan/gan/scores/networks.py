"""The small frozen networks behind the scores: their classes give I', their features KID.

Scores compare only under the same network. So each network's weights lie in the package, their SHA-256 stands
here, and every score is printed with it. `scripts/train_score_network.py` trained them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ebgan.errors import UserError, require
from ebgan_kernels.ops.module import Module

ImageShape = tuple[int, int, int]


class Scored(NamedTuple):
    """The result of a score network for images (N, C, H, W): `features` (N, D) and `logits` (N, K)."""

    features: Tensor
    logits: Tensor


class ScoreNetwork(Module):
    """A convolutional classifier of images (N, `channels`, H, W) in [-1, 1] into K = `classes`.

    Each of `widths` is a block of a 3x3 convolution, 2x2 max pooling, batch normalisation and ReLU. The
    features are the last block's maps averaged over the image, D = widths[-1], and one linear layer makes the
    logits from them.

    Args:
        channels: C, the channels of the images.
        widths: the maps of each block.
        classes: K.

    Example:
        >>> network = ScoreNetwork(channels=1, widths=(32, 64, 128), classes=10)
        >>> features, logits = network(torch.zeros(16, 1, 32, 32))
        >>> features.shape, logits.shape
        (torch.Size([16, 128]), torch.Size([16, 10]))
    """

    def __init__(self, *, channels: int, widths: Sequence[int], classes: int) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        inputs = channels
        for width in widths:
            # Without bias: the normalisation would take it away again.
            convolution = nn.Conv2d(inputs, width, 3, padding=1, bias=False)
            blocks += [convolution, nn.MaxPool2d(2), nn.BatchNorm2d(width), nn.ReLU()]
            inputs = width
        self.blocks = nn.Sequential(*blocks)
        self.classifier = nn.Linear(inputs, classes)

    def forward(self, images: Tensor) -> Scored:
        """The features (N, D) and the logits (N, K).

        Args:
            images: (N, `channels`, H, W) in [-1, 1].
        """
        features = self.blocks(images).mean((2, 3))
        return Scored(features, self.classifier(features))


@dataclass(frozen=True)
class Entry:
    """A score network of images of one shape (C, H, W), and the SHA-256 of its file of weights.

    `class_names` are empty where what it was taught to tell apart says nothing about samples; then its
    features alone are of use.
    """

    image: ImageShape
    widths: tuple[int, ...]
    classes: int
    class_names: tuple[str, ...]
    sha256: str

    def build(self) -> ScoreNetwork:
        """The network before training."""
        return ScoreNetwork(channels=self.image[0], widths=self.widths, classes=self.classes)


# Networks by the name of the data set whose GANs they score. Accuracies: CPU, 2026-11-22 and 28.
NETWORKS: dict[str, Entry] = {
    # Trained on the 1,442 embedded digits for training; right on 99.15 % of the 355 others.
    "digits": Entry(
        image=(1, 8, 8),
        widths=(32, 64, 128),
        classes=10,
        class_names=tuple("0123456789"),
        sha256="35cb22430b1421d57f4f7e47ea1b82b455d2ed17232157875611fe53f58c24a0",
    ),
    # Trained on MNIST's 60,000 training images; right on 99.50 % of the 10,000 test images.
    "mnist": Entry(
        image=(1, 32, 32),
        widths=(32, 64, 128),
        classes=10,
        class_names=tuple("0123456789"),
        sha256="8bac5b2667f01e9287135f9aef147866790f68627e7f7b5d97724cd20a8245e4",
    ),
    # Trained to tell by how many quarters a photograph is turned, on 1,596 of Stanford Dogs; right on 76.94 %
    # of 399 others, each turned all four ways. KID by its features, of 1,650 dogs of Tiny ImageNet against
    # 1,650 others: 0.000 as they are, 0.095 with a Gaussian blur of 0.5 pixels, 0.131 of 1 but 0.051 of 2
    # pixels, 0.124 with noise of 0.2, 0.044 upside down; and 0.004 to 0.037 of one breed against the five
    # others. About 75 photographs are in both sets (8x8 grey thumbnails correlate by more than 0.95).
    "images": Entry(
        image=(3, 64, 64),
        widths=(32, 64, 96, 128),
        classes=4,
        class_names=(),
        sha256="eb3e4a1b61973dc4896f332a8f40e30a13ed51de6b5bdc75d90d70514aa2a14d",
    ),
}


ANY_SHAPE = "images"  # the network whose features are of use for all images, brought to its shape


def network_for(data: str, image: ImageShape) -> str:
    """The name of the score network for images of the shape `image` (C, H, W) from the set `data`."""
    return data if data in NETWORKS and NETWORKS[data].image == image else ANY_SHAPE


def find(name: str, image: ImageShape) -> Entry:
    """The score network `name`, which must take images of the shape `image` (C, H, W)."""
    entry = NETWORKS.get(name)
    if entry is None or (entry.image != image and name != ANY_SHAPE):
        known = " and ".join(
            f"{known} of {'any shape' if known == ANY_SHAPE else _by(each.image)}"
            for known, each in NETWORKS.items()
        )
        raise UserError(f"there are no scores for {name} of {_by(image)}, only for {known}")
    return entry


def load_network(name: str, *, device: torch.device | str = "cpu") -> ScoreNetwork:
    """The frozen score network `name`, "mnist" or "images", in evaluation mode.

    Raises:
        UserError: its file of weights is missing or not the one that belongs to this version.

    Example:
        >>> import torch
        >>> load_network("mnist")(torch.zeros(2, 1, 32, 32)).features.shape
        torch.Size([2, 128])
    """
    entry = NETWORKS[name]
    path = files("ebgan.gan.scores") / "weights" / f"{name}.safetensors"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: unreadable ({error.strerror}); reinstall ebgan-kernels") from None
    if (found := hashlib.sha256(content).hexdigest()) != entry.sha256:
        raise UserError(
            f"{path}: its SHA-256 is {found}, expected {entry.sha256}: scores would not compare; "
            "reinstall ebgan-kernels"
        )
    network = entry.build()
    network.load_state_dict(require("safetensors.torch").load(content))
    return network.to(device).eval().requires_grad_(False)


def _by(image: ImageShape) -> str:
    return "x".join(map(str, image))
