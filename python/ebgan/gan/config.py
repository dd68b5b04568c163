"""The options of `ebgan train gan`, and their values for each data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ebgan.errors import UserError, at_least, one_of, positive
from ebgan.gan.builders import NETS
from ebgan.training import TrainingConfig, option

Distance = Literal["l2", "squared_l2", "mse", "l1"]
Shaping = Literal["identity", "square"]


@dataclass(frozen=True, kw_only=True)
class GanConfig(TrainingConfig):
    """Everything that decides the result of a run; sizes left at None are those of the net's name."""

    data: str = option("data set: digits (embedded), mnist or fashion-mnist")
    net: str = option("networks by name: digits (8x8) or mnist (32x32, the paper's best of its grid)")
    noise_size: int | None = option("size of the noise vector z", default=None)
    generator_layers: int | None = option("weight layers of the generator (nLayerG)", default=None)
    generator_width: int | None = option("units of the generator's hidden layers (sizeG)", default=None)
    discriminator_layers: int | None = option(
        "weight layers of encoder and decoder, the decoder being one (nLayerD)", default=None
    )
    discriminator_width: int | None = option("units of the encoder's layers (sizeD)", default=None)
    dropout: bool = option("dropout in the encoder (dropoutD)", default=False)
    margin: float = option("the energy up to which generated images are pushed")
    distance: Distance = option("the energy of a reconstruction; the paper's is l2", default="l2")
    shaping: Shaping = option("f of the losses f(energy); the paper's is identity", default="identity")
    generator_lr: float = option("Adam's learning rate of the generator", default=1e-3)
    discriminator_lr: float = option("Adam's learning rate of the discriminator", default=1e-3)
    beta1: float = option("Adam's first decay rate, of both", default=0.9)

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("net", self.net, NETS)
        one_of("precision", self.precision, ("float32", "bfloat16"))
        one_of("distance", self.distance, get_args(Distance))
        one_of("shaping", self.shaping, get_args(Shaping))
        if self.batch_size < 2:
            raise UserError(f"batch_size: got {self.batch_size}, batch normalisation needs at least 2")
        for name in ("margin", "generator_lr", "discriminator_lr"):
            positive(name, getattr(self, name))
        at_least("beta1", self.beta1, 0)
        if self.beta1 >= 1:
            raise UserError(f"beta1: got {self.beta1}, allowed are numbers from 0 to below 1")


# The scale of a margin is that of the energy: ||Dec(Enc(x)) - x|| grows with the square root of the pixels.
PRESETS: dict[str, GanConfig] = {
    "digits": GanConfig(data="digits", net="digits", margin=3.0, beta1=0.5, batch_size=128, steps=10_000),
    "mnist": GanConfig(data="mnist", net="mnist", margin=10.0, batch_size=128, steps=20_000),
    "fashion-mnist": GanConfig(data="fashion-mnist", net="mnist", margin=10.0, batch_size=128, steps=20_000),
}
