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

ImageShape = tuple[int, int, int]


class Scored(NamedTuple):
    """What a score network returns for images (N, C, H, W): `features` (N, D) and `logits` (N, K)."""

    features: Tensor
    logits: Tensor


class ScoreNetwork(nn.Module):
    """A convolutional classifier of images (N, `channels`, H, W) in [-1, 1] into K = `classes`.

    Each of `widths` is a block of a 3x3 convolution, 2x2 max pooling, batch normalisation and ReLU. The
    features are the last block's maps averaged over the image, D = widths[-1], and one linear layer makes the
    logits from them.

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


# By the name of the data set whose GANs they score.
NETWORKS: dict[str, Entry] = {
    "mnist": Entry((1, 32, 32), (32, 64, 128), 10, tuple("0123456789"), sha256=""),
    "images": Entry((3, 64, 64), (32, 64, 96, 128), 120, (), sha256=""),
}


def find(name: str, image: ImageShape) -> Entry:
    """The score network `name`, which must take images of the shape `image` (C, H, W)."""
    entry = NETWORKS.get(name)
    if entry is None or entry.image != image:
        known = " and ".join(f"{known} of {_by(each.image)}" for known, each in NETWORKS.items())
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
    path = files("ebgan.scores") / "weights" / f"{name}.safetensors"
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
