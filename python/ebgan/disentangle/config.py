"""The options of `ebgan train disentangle`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from ebgan.disentangle.builders import NETS, WIDTH
from ebgan.errors import UserError, at_least, one_of, positive
from ebgan.training import Help, OptimizerName, TrainingConfig, check_rates

AdversaryName = Literal["logits", "energies"]

_WEIGHTS = (
    "reconstruction_weight",
    "swap_weight",
    "adversarial_weight",
    "kl_weight",
    "sampling_weight",
    "class_weight",
)


@dataclass(frozen=True, kw_only=True)
class DisentangleConfig(TrainingConfig):
    """Everything that decides the result of a run; `preset` has values that work."""

    data: Annotated[
        str,
        Help(
            "Data set: digits or turntable (need no download), mnist, fashion-mnist, sprites, yale-b or norb."
        ),
    ]
    identity: Annotated[
        str,
        Help(
            "Factors of the data that are known, joined by commas; images that agree in all are one identity."
        ),
    ] = "class"
    size: Annotated[
        int | None, Help("Side of the images in pixels, which they are scaled to.", unset="the set's own")
    ] = None
    batch_size: Annotated[
        int, Help("Number of triplets in each step: two images of an identity, one of any.")
    ]
    net: Annotated[str, Help(f"Networks to train, by name: {' or '.join(NETS)}.")] = "small"
    width: Annotated[int, Help("Maps of the first layer of each network (nFeatures).")] = WIDTH
    style_size: Annotated[int, Help("Length of the style z (zSize).")]
    identity_size: Annotated[int, Help("Length of the identity's code s (sSize).")]
    reconstruction_weight: Annotated[float, Help("Weight of the reconstructions from both own codes.")] = 0.5
    swap_weight: Annotated[
        float, Help("Weight of the reconstructions with s of another image of the identity (swap 1).")
    ] = 1.0
    adversarial_weight: Annotated[
        float, Help("Weight of the discriminator's opinion of swaps between identities (swap 2).")
    ] = 0.01
    kl_weight: Annotated[
        float, Help("Weight of the divergence of z from N(0, I), before 6 over the numbers of an image.")
    ] = 0.1
    sampling_weight: Annotated[
        float, Help("Weight of the discriminator's opinion of images with z drawn from N(0, I).")
    ] = 0.0
    class_weight: Annotated[float, Help("Weight of a classifier of the identity, on s.")] = 0.0
    adversary: Annotated[
        AdversaryName,
        Help("What the discriminator gives: logits, as in the release, or energies, as an EBGAN."),
    ] = "logits"
    margin: Annotated[
        float | None,
        Help("Energy up to which decoded images are pushed.", unset="none, the adversary gives logits"),
    ] = None
    optimizer: Annotated[
        OptimizerName, Help("Optimiser of the discriminator; encoder and decoder have Adam.")
    ] = "adam"
    generator_lr: Annotated[float, Help("Learning rate of encoder and decoder.")] = 1e-3
    discriminator_lr: Annotated[float, Help("Learning rate of the discriminator.")] = 1e-3
    beta1: Annotated[float, Help("Decay rate of the first moment in Adam, for all networks.")] = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("net", self.net, NETS)
        for name in ("width", "style_size", "identity_size"):
            at_least(name, getattr(self, name), 1)
        if self.batch_size < 2:
            raise UserError(f"batch_size: got {self.batch_size}, batch normalisation needs at least 2")
        if self.size is not None:
            at_least("size", self.size, 1)
        for name in _WEIGHTS:
            at_least(name, getattr(self, name), 0)
        if not self.reconstruction_weight and not self.swap_weight:
            raise UserError(
                "swap_weight: got 0, and reconstruction_weight is 0, too: nothing would be learnt"
            )
        check_rates(generator_lr=self.generator_lr, discriminator_lr=self.discriminator_lr, beta1=self.beta1)
        if not all(self.factors):
            raise UserError(
                f"identity: got {self.identity!r}, allowed are factors such as class or body,hair"
            )
        if self.adversary == "logits" and self.margin is not None:
            raise UserError(f"margin: got {self.margin}, but --adversary logits has none; leave it out")
        if self.adversary == "energies":
            if self.margin is None:
                raise UserError("margin: is missing; --adversary energies needs one, a mean square")
            positive("margin", self.margin)

    @property
    def factors(self) -> tuple[str, ...]:
        """The factors of the identity."""
        return tuple(each.strip() for each in self.identity.split(","))
