"""Networks by name: `generator("4to1")`, `discriminator("8to8", width=0.25)`."""

from __future__ import annotations

from dataclasses import dataclass

from ebgan.errors import one_of
from ebgan.video.discriminator import (
    PATCH,
    DiscriminatorScale,
    MultiscaleDiscriminator,
    PlainMultiscaleDiscriminator,
)
from ebgan.video.generator import GeneratorScale, MultiscaleGenerator, Tanh


@dataclass(frozen=True)
class Nets:
    """The networks that predict `target_frames` from `input_frames`, each scale coarse to fine."""

    input_frames: int
    target_frames: int
    generator: tuple[GeneratorScale, ...]
    discriminator: tuple[DiscriminatorScale, ...]

    @property
    def clip_frames(self) -> int:
        return self.input_frames + self.target_frames


# The two tables of the deck. For G3 of 4to1 it has five maps, which make six layers, but only five kernels,
# 5,3,3,3,5. Here they are 5,3,3,3,3,5, as in the public TensorFlow port of this net; the smaller nets of the
# authors' program have these six at one scale too.
NETS: dict[str, Nets] = {
    "4to1": Nets(
        input_frames=4,
        target_frames=1,
        generator=(
            GeneratorScale((128, 256, 128), (3, 3, 3, 3)),
            GeneratorScale((128, 256, 128), (5, 3, 3, 5)),
            GeneratorScale((128, 256, 512, 256, 128), (5, 3, 3, 3, 3, 5)),
            GeneratorScale((128, 256, 512, 256, 128), (7, 5, 5, 5, 5, 7)),
        ),
        discriminator=(
            DiscriminatorScale((64,), (3,), (512, 256)),
            DiscriminatorScale((64, 128, 128), (3, 3, 3), (1024, 512)),
            DiscriminatorScale((128, 256, 256), (5, 5, 5), (1024, 512)),
            DiscriminatorScale((128, 256, 512, 128), (7, 7, 5, 5), (1024, 512)),
        ),
    ),
    "8to8": Nets(
        input_frames=8,
        target_frames=8,
        generator=(
            GeneratorScale((16, 32, 64), (3, 3, 3, 3)),
            GeneratorScale((16, 32, 64), (5, 3, 3, 3)),
            GeneratorScale((32, 64, 128), (5, 5, 5, 5)),
            GeneratorScale((32, 64, 128, 128), (7, 5, 5, 5, 5)),
        ),
        discriminator=(
            DiscriminatorScale((16,), (3,), (128, 64)),
            DiscriminatorScale((16, 32, 32), (3, 3, 3), (256, 128)),
            DiscriminatorScale((32, 64, 64), (5, 5, 5), (256, 128)),
            DiscriminatorScale((32, 64, 128, 128), (7, 7, 5, 5), (256, 128)),
        ),
    ),
}


def generator(name: str, *, width: float = 1.0, tanh: Tanh = "after") -> MultiscaleGenerator:
    """The generator called `name`, "4to1" or "8to8"; `width` is a factor on the maps of its hidden layers.

    `net(frames)` predicts at four scales, `net.predict(frames)` takes and gives the finest alone: frames
    (B, T, 3, H, W) in [-1, 1], H and W divisible by 8.

    Example:
        >>> import torch
        >>> generator("8to8").predict(torch.zeros(1, 8, 3, 32, 40)).shape
        torch.Size([1, 8, 3, 32, 40])
    """
    one_of("net", name, NETS)
    nets = NETS[name]
    return MultiscaleGenerator(
        nets.generator,
        input_frames=nets.input_frames,
        target_frames=nets.target_frames,
        width=width,
        tanh=tanh,
    )


def discriminator(
    name: str, *, width: float = 1.0, patch: int = PATCH, plain: bool = False
) -> MultiscaleDiscriminator:
    """The discriminator called `name`, "4to1" or "8to8", for patches of `patch` pixels; `width` is a
    factor on maps and units. A `plain` one has PyTorch's own layers, scale by scale, and the same state dict.

    `net(frames, targets)` gives logits (B, 4), one a scale, real being positive.

    Example:
        >>> sum(parameter.numel() for parameter in discriminator("8to8").parameters())
        2601316
    """
    one_of("net", name, NETS)
    nets = NETS[name]
    network = PlainMultiscaleDiscriminator if plain else MultiscaleDiscriminator
    return network(
        nets.discriminator,
        input_frames=nets.input_frames,
        target_frames=nets.target_frames,
        width=width,
        patch=patch,
    )
