"""The energy family as a table: every public function with every option, called alike, and inputs for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import torch
from torch import Tensor

import ebgan_kernels as ek
from ebgan_kernels.reference.energy import Distance, Shaping

DISTANCES: tuple[Distance, ...] = get_args(Distance)
SHAPINGS: tuple[Shaping, ...] = get_args(Shaping)


@dataclass(frozen=True)
class Case:
    """A public function with its options; calling it gives the loss, or (N,) of `reconstruction_energy`."""

    name: str
    distance: Distance = "l2"
    shaping: Shaping = "identity"

    def __str__(self) -> str:
        return f"{self.name}-{self.distance}-{self.shaping}"

    def __call__(self, inputs: Sequence[Tensor], margin: Tensor | float) -> Tensor:
        if self.name == "reconstruction_energy":
            return ek.reconstruction_energy(*inputs, distance=self.distance)
        if self.name == "hinge_margin_loss":
            return ek.hinge_margin_loss(*inputs, margin, shaping=self.shaping)
        if self.name == "generator_loss":
            return ek.generator_loss(*inputs, distance=self.distance, shaping=self.shaping)
        return ek.discriminator_loss(
            *inputs, margin=margin, distance=self.distance, shaping=self.shaping
        ).loss

    def inputs(self, images: Sequence[Tensor]) -> list[Tensor]:
        """What the function takes, as leaf tensors, made of what `images` returns."""
        if self.name == "reconstruction_energy":
            images = images[:2]
        elif self.name == "generator_loss":
            images = images[2:]
        elif self.name == "hinge_margin_loss":
            with torch.no_grad(), ek.backend("reference"):
                images = [
                    ek.reconstruction_energy(*images[:2], distance=self.distance).to(images[0].dtype),
                    ek.reconstruction_energy(*images[2:], distance=self.distance).to(images[3].dtype),
                ]
        return [image.detach().requires_grad_() for image in images]

    def margin(self, images: Sequence[Tensor]) -> Tensor:
        """1.1 times the mean fake energy in float32: some of several samples are beyond it and some not."""
        with torch.no_grad(), ek.backend("reference"):
            return 1.1 * ek.reconstruction_energy(*images[2:], distance=self.distance).mean().float()


CASES = [
    *(Case("reconstruction_energy", distance) for distance in DISTANCES),
    *(Case("hinge_margin_loss", shaping=shaping) for shaping in SHAPINGS),
    *(
        Case(name, distance, shaping)
        for name in ("discriminator_loss", "generator_loss")
        for distance in DISTANCES
        for shaping in SHAPINGS
    ),
]
# One case a function, for properties that do not depend on the options.
FUNCTIONS = [
    Case("reconstruction_energy"),
    Case("hinge_margin_loss"),
    Case("discriminator_loss"),
    Case("generator_loss"),
]


def images(
    seed: int = 0,
    *,
    sample: Sequence[int] = (3, 5, 7),
    real: int = 3,
    fake: int = 4,
    dtypes: Sequence[torch.dtype] = (torch.float32, torch.float32),
    device: torch.device | str = "cpu",
) -> list[Tensor]:
    """real_reconstruction, real, fake_reconstruction, fake in [-1, 1]; residuals grow over the batch.

    `dtypes` are those of the reconstructions and of the images.
    """
    generator = torch.Generator().manual_seed(seed)
    tensors = []
    for count in (real, fake):
        target = 2 * torch.rand(count, *sample, generator=generator) - 1
        scale = torch.linspace(0.1, 0.9, count).reshape(-1, *(1 for _ in sample))
        tensors += [target + scale * torch.randn(target.shape, generator=generator), target]
    return [tensor.to(device, dtype) for tensor, dtype in zip(tensors, 2 * tuple(dtypes), strict=True)]


def value_and_gradients(
    case: Case, inputs: Sequence[Tensor], margin: Tensor | float
) -> tuple[Tensor, list[Tensor]]:
    """The result, and the gradients of its sum, of the implementation in force."""
    result = case(inputs, margin)
    return result.detach(), list(torch.autograd.grad(result.sum(), inputs))


def torch_value_and_gradients(
    case: Case, inputs: Sequence[Tensor], margin: Tensor | float, dtype: torch.dtype
) -> tuple[Tensor, list[Tensor]]:
    """The same in plain PyTorch in `dtype`, of the inputs as rounded to their own; float64 is exact."""
    with ek.backend("reference"):
        return value_and_gradients(case, [x.detach().to(dtype).requires_grad_() for x in inputs], margin)
