"""The options of `ebgan train gan`, and their values for each data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from ebgan.errors import UserError, at_least, one_of, positive
from ebgan.gan.builders import NETS
from ebgan.training import Help, TrainingConfig

Distance = Literal["l2", "squared_l2", "mse", "l1"]
Shaping = Literal["identity", "square"]


@dataclass(frozen=True, kw_only=True)
class GanConfig(TrainingConfig):
    """Everything that decides the result of a run; sizes left at None are those of the net's name."""

    data: Annotated[str, Help("data set: digits (embedded), mnist or fashion-mnist")]
    net: Annotated[str, Help("networks by name: digits (8x8) or mnist (32x32, the paper's best of its grid)")]
    noise_size: Annotated[int | None, Help("size of the noise vector z")] = None
    generator_layers: Annotated[int | None, Help("weight layers of the generator (nLayerG)")] = None
    generator_width: Annotated[int | None, Help("units of the generator's hidden layers (sizeG)")] = None
    discriminator_layers: Annotated[
        int | None, Help("weight layers of encoder and decoder, the decoder being one (nLayerD)")
    ] = None
    discriminator_width: Annotated[int | None, Help("units of the encoder's layers (sizeD)")] = None
    dropout: Annotated[bool, Help("dropout in the encoder (dropoutD)")] = False
    margin: Annotated[float, Help("the energy up to which generated images are pushed")]
    distance: Annotated[Distance, Help("the energy of a reconstruction; the paper's is l2")] = "l2"
    shaping: Annotated[Shaping, Help("f of the losses f(energy); the paper's is identity")] = "identity"
    generator_lr: Annotated[float, Help("Adam's learning rate of the generator")] = 1e-3
    discriminator_lr: Annotated[float, Help("Adam's learning rate of the discriminator")] = 1e-3
    beta1: Annotated[float, Help("Adam's first decay rate, of both")] = 0.5

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
# Margin and learning rates of the 32x32 sets are the paper's best; it leaves beta1, batch size and steps
# open. With Adam's usual beta1 of 0.9 the generator lost modes on MNIST, with 0.5 it did not. Matrices of the
# digits' size gain little from a second thread, and waiting for it on a busy machine cost a factor of 25 (2.3
# to 5.4 against 60 to 149 steps a second; 2 cores, 2026-11-22).
PRESETS: dict[str, GanConfig] = {
    "digits": GanConfig(data="digits", net="digits", margin=3.0, batch_size=128, steps=8_000, threads=1),
    "mnist": GanConfig(data="mnist", net="mnist", margin=10.0, batch_size=128, steps=10_000),
    "fashion-mnist": GanConfig(data="fashion-mnist", net="mnist", margin=10.0, batch_size=128, steps=10_000),
}
