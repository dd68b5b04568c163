"""FID and KID by torchmetrics, in the features of a network that the user gives as a file."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ebgan.errors import UserError, reason
from ebgan.files import StrPath
from ebgan.gan.scores.kid import KID

SUBSETS, SUBSET_SIZE = 100, 1000  # as KID by the score network has them
Extract = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Distances:
    """FID and KID of `count` images, in the features of an extractor."""

    count: int
    fid: float
    kid: KID


@dataclass(frozen=True)
class Extractor:
    """A feature extractor in a file: `features` gives (N, D) float32 of images (N, C, H, W) in [-1, 1].

    Attributes:
        path: the file.
        sha256: its hash, without which figures do not compare.
        network: the program in it.
    """

    path: str
    sha256: str
    network: Extract

    def features(self, images: Iterable[Tensor]) -> Tensor:
        """The features (N, D) of all chunks of images.

        Raises:
            UserError: the program does not take such images, or gives something else than (N, D) numbers.
        """
        with torch.no_grad():
            return torch.cat([self._of_chunk(chunk) for chunk in images])

    def _of_chunk(self, images: Tensor) -> Tensor:
        pixels = images.detach().float().clamp(-1, 1).add(1).mul(127.5).round().byte().cpu()
        count, _, height, width = pixels.shape
        try:
            found: Any = self.network(pixels.expand(count, 3, height, width))
        except Exception as error:
            raise UserError(
                f"extractor: {self.path} does not take uint8 images ({count}, 3, {height}, {width}) "
                f"({reason(error)}); export it for such, with the number of images dynamic"
            ) from None
        if not isinstance(found, Tensor) or found.ndim != 2 or len(found) != count:
            shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise UserError(
                f"extractor: {self.path} gives {shape} of {count} images, expected features ({count}, D)"
            )
        return found.float()


def load_extractor(path: StrPath) -> Extractor:
    """The feature extractor in the file `path`, which `torch.export.save` wrote; it runs on the CPU.

    The program takes uint8 images (N, 3, H, W), 0 to 255, N being dynamic, and gives features (N, D): the
    convention of torchmetrics. It brings the images to its size by itself.

    Raises:
        UserError: torchmetrics is not installed, or the file cannot be read as such a program.

    Example:
        >>> import tempfile
        >>> class Means(nn.Module):
        ...     def forward(self, images):
        ...         return images.float().mean((2, 3))
        >>> images, path = torch.zeros(2, 3, 8, 8, dtype=torch.uint8), f"{tempfile.mkdtemp()}/means.pt2"
        >>> number = {0: torch.export.Dim("number")}
        >>> torch.export.save(torch.export.export(Means(), (images,), dynamic_shapes=(number,)), path)
        >>> load_extractor(path).features([torch.zeros(5, 3, 8, 8)]).shape
        torch.Size([5, 3])
    """
    _torchmetrics("fid")
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"extractor: {path} cannot be read ({reason(error)}); name a file") from None
    try:
        network = torch.export.load(io.BytesIO(content)).module()
    except Exception as error:
        raise UserError(
            f"extractor: {path} is no exported program ({reason(error)[:100]}); write one by "
            "torch.export.save(torch.export.export(network, (images,)), FILE)"
        ) from None
    return Extractor(str(path), hashlib.sha256(content).hexdigest(), network)


def distances(features: Tensor, real_features: Tensor, *, seed: int = 0) -> Distances:
    """FID and KID by torchmetrics between two sets of features.

        FID = |mean_x - mean_y|^2 + tr(cov_x + cov_y - 2 (cov_x cov_y)^(1/2))

    KID as in `kernel_inception_distance`. FID is biased upwards, the more, the smaller the sets are:
    compare it at equal numbers of images alone.

    Args:
        features: (N, D), N at least 2.
        real_features: (M, D), M at least 2.
        seed: seed of KID's random subsets.
    """
    identity = nn.Identity()
    identity.num_features = features.shape[1]  # type: ignore[assignment]  # torchmetrics asks for it
    fid = _torchmetrics("fid").FrechetInceptionDistance(feature=identity)
    size = min(SUBSET_SIZE, len(features), len(real_features))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*will save all extracted features")  # we hold them already
        kid = _torchmetrics("kid").KernelInceptionDistance(
            feature=identity, subsets=SUBSETS, subset_size=size
        )
    for metric in (fid, kid):
        metric.update(real_features.double(), real=True)
        metric.update(features.double(), real=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        mean, std = kid.compute()
    return Distances(len(features), float(fid.compute()), KID(float(mean), float(std)))


def _torchmetrics(name: str) -> Any:
    """The module `torchmetrics.image.NAME`, or one line that says how to install it."""
    try:
        return import_module(f"torchmetrics.image.{name}")
    except ModuleNotFoundError:
        raise UserError(
            "extractor: FID and KID by an extractor need torchmetrics: pip install torchmetrics"
        ) from None
