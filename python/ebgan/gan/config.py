"""The options of `ebgan train gan`, and their values for each data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from ebgan.errors import UserError, at_least, one_of, positive, share
from ebgan.gan.builders import NETS
from ebgan.training import Help, OptimizerName, TrainingConfig, check_rates

Model = Literal["ebgan", "gan"]
Distance = Literal["l2", "squared_l2", "mse", "l1"]
Shaping = Literal["identity", "square"]
OF_THE_NET = "given by --net"


@dataclass(frozen=True, kw_only=True)
class GanConfig(TrainingConfig):
    """Everything that decides the result of a run; a size that is None is the one that `net` has."""

    added = TrainingConfig.added | {"accumulate", "averaging", "crop_from", "discriminator_optimizer", "flip"}

    data: Annotated[
        str,
        Help(
            "Data set: digits (needs no download), mnist, fashion-mnist, sprites, yale-b or images (yours)."
        ),
    ]
    batch_size: Annotated[int, Help("Number of real images in each step; as many are generated.")]
    model: Annotated[Model, Help("ebgan is energy-based, gan a plain GAN to compare it with.")] = "ebgan"
    net: Annotated[
        str, Help(f"Pair of networks to train, by name: {', '.join(NETS)}.", unset="given by --data")
    ]
    accumulate: Annotated[
        int,
        Help(
            "Number of equal parts that a batch is worked through in before each update: N take a share of "
            "the memory and more time. Batch normalisation and the pulling-away term see a part alone."
        ),
    ] = 1
    flip: Annotated[bool, Help("Mirror half of the real images left to right, another half each time.")] = (
        False
    )
    crop_from: Annotated[
        int | None,
        Help(
            "Side in pixels that images are scaled to, to take a random square of the net's size from each.",
            unset="no crops",
        ),
    ] = None
    noise_size: Annotated[int | None, Help("Size of the noise vector z.", unset=OF_THE_NET)] = None
    generator_layers: Annotated[
        int | None,
        Help("Number of weight layers in a fully connected generator (nLayerG).", unset=OF_THE_NET),
    ] = None
    generator_width: Annotated[
        int | None,
        Help("Units in each hidden layer of the generator (sizeG), or maps in its first.", unset=OF_THE_NET),
    ] = None
    discriminator_layers: Annotated[
        int | None,
        Help("Number of weight layers in a fully connected discriminator (nLayerD).", unset=OF_THE_NET),
    ] = None
    discriminator_width: Annotated[
        int | None,
        Help("Units in each layer of the discriminator (sizeD), or maps in its first.", unset=OF_THE_NET),
    ] = None
    dropout: Annotated[bool, Help("Use dropout in a fully connected discriminator (dropoutD).")] = False
    margin: Annotated[
        float | Literal["auto"] | None,
        Help(
            "Energy up to which the discriminator pushes generated images; --model gan has none. auto takes "
            "a multiple of the energy that the auto-encoder alone reaches on the real images."
        ),
    ] = None
    distance: Annotated[
        Distance, Help("Energy: the distance of an image to its reconstruction; the paper uses l2.")
    ] = "l2"
    shaping: Annotated[
        Shaping, Help("Function f that both losses apply to energies; the paper uses identity.")
    ] = "identity"
    pulling_away_weight: Annotated[
        float, Help("Weight of the pulling-away term in the generator's loss; EBGAN-PT uses 0.1.")
    ] = 0.0
    optimizer: Annotated[OptimizerName, Help("Optimiser of both networks; sgd has no momentum.")] = "adam"
    discriminator_optimizer: Annotated[
        OptimizerName | None,
        Help("Optimiser of the discriminator, where it has another.", unset="that of --optimizer"),
    ] = None
    generator_lr: Annotated[float, Help("Learning rate of the generator.")] = 1e-3
    discriminator_lr: Annotated[float, Help("Learning rate of the discriminator.")] = 1e-3
    beta1: Annotated[float, Help("Decay rate of the first moment in Adam, for both networks.")] = 0.5
    averaging: Annotated[
        float,
        Help(
            "Decay of a running average of the generator's weights, such as 0.999, to draw samples from; 0 "
            "draws them from the weights of the step."
        ),
    ] = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("net", self.net, NETS)
        if self.batch_size < 2:
            raise UserError(f"batch_size: got {self.batch_size}, batch normalisation needs at least 2")
        at_least("accumulate", self.accumulate, 1)
        if self.batch_size % self.accumulate or self.batch_size // self.accumulate < 2:
            raise UserError(
                f"accumulate: got {self.accumulate}, which does not part a batch of {self.batch_size} into "
                "equal parts of at least 2 images"
            )
        side = NETS[self.net].image[1]
        if self.crop_from is not None and self.crop_from <= side:
            raise UserError(
                f"crop_from: got {self.crop_from}, but the images of net {self.net!r} are {side}x{side}; "
                f"allowed are numbers above {side}"
            )
        check_rates(generator_lr=self.generator_lr, discriminator_lr=self.discriminator_lr, beta1=self.beta1)
        at_least("pulling_away_weight", self.pulling_away_weight, 0)
        share("averaging", self.averaging)
        if self.model == "gan":
            for name, unset in (("margin", None), ("pulling_away_weight", 0)):
                if getattr(self, name) != unset:
                    raise UserError(
                        f"{name}: got {getattr(self, name)}, but --model gan has none; leave it out"
                    )
        elif self.margin is None:
            raise UserError("margin: is missing; --model ebgan needs one, in units of the energy, or auto")
        elif self.margin != "auto":
            positive("margin", self.margin)
