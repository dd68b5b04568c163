"""The options of `ebgan train gan`, and their values for each data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from ebgan.errors import UserError, at_least, one_of, positive
from ebgan.gan.builders import NETS
from ebgan.training import Help, OptimizerName, TrainingConfig, check_rates

Model = Literal["ebgan", "gan"]
Distance = Literal["l2", "squared_l2", "mse", "l1"]
Shaping = Literal["identity", "square"]
OF_THE_NET = "that of --net"


@dataclass(frozen=True, kw_only=True)
class GanConfig(TrainingConfig):
    """Everything that decides the result of a run; sizes left at None are those of the net's name."""

    data: Annotated[str, Help("data set: digits (embedded), mnist, fashion-mnist or images")]
    batch_size: Annotated[int, Help("real images a step, and as many generated ones")]
    model: Annotated[Model, Help("ebgan, or gan: the plain one, as a baseline")] = "ebgan"
    net: Annotated[str, Help("networks by name: " + ", ".join(NETS))]
    noise_size: Annotated[int | None, Help("size of the noise vector z", unset=OF_THE_NET)] = None
    generator_layers: Annotated[
        int | None, Help("weight layers of a fully connected generator (nLayerG)", unset=OF_THE_NET)
    ] = None
    generator_width: Annotated[
        int | None,
        Help("units of the generator's hidden layers (sizeG), or maps of its first", unset=OF_THE_NET),
    ] = None
    discriminator_layers: Annotated[
        int | None, Help("weight layers of a fully connected discriminator (nLayerD)", unset=OF_THE_NET)
    ] = None
    discriminator_width: Annotated[
        int | None,
        Help("units of the discriminator's layers (sizeD), or maps of its first", unset=OF_THE_NET),
    ] = None
    dropout: Annotated[bool, Help("dropout in a fully connected discriminator (dropoutD)")] = False
    margin: Annotated[float | None, Help("the energy up to which generated images are pushed")] = None
    distance: Annotated[Distance, Help("the energy of a reconstruction; the paper's is l2")] = "l2"
    shaping: Annotated[Shaping, Help("f of the losses f(energy); the paper's is identity")] = "identity"
    pulling_away_weight: Annotated[
        float, Help("weight of the pulling-away term; 0.1 is the paper's EBGAN-PT")
    ] = 0.0
    optimizer: Annotated[OptimizerName, Help("of both networks")] = "adam"
    generator_lr: Annotated[float, Help("learning rate of the generator")] = 1e-3
    discriminator_lr: Annotated[float, Help("learning rate of the discriminator")] = 1e-3
    beta1: Annotated[float, Help("Adam's first decay rate, of both")] = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("net", self.net, NETS)
        if self.batch_size < 2:
            raise UserError(f"batch_size: got {self.batch_size}, batch normalisation needs at least 2")
        check_rates(generator_lr=self.generator_lr, discriminator_lr=self.discriminator_lr, beta1=self.beta1)
        at_least("pulling_away_weight", self.pulling_away_weight, 0)
        if self.model == "gan":
            for name, unset in (("margin", None), ("pulling_away_weight", 0)):
                if getattr(self, name) != unset:
                    raise UserError(
                        f"{name}: got {getattr(self, name)}, but --model gan has none; leave it out"
                    )
        elif self.margin is None:
            raise UserError("margin: is missing; --model ebgan needs one, in units of the energy")
        else:
            positive("margin", self.margin)
