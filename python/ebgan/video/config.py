"""The options of `ebgan train video`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from ebgan.data.bouncing import Bounce
from ebgan.errors import at_least, positive
from ebgan.training import Help, OptimizerName, TrainingConfig, check_rates
from ebgan.video.generator import Tanh
from ebgan.video.losses import Loss, Power, Terms

NetName = Literal["4to1", "8to8"]
Patch = Literal[32, 64]


@dataclass(frozen=True, kw_only=True)
class VideoConfig(TrainingConfig):
    """Everything that decides the result of a run; `preset` fills in what belongs to a loss."""

    renamed: ClassVar[Mapping[str, str]] = {"config": "net"}

    net: Annotated[NetName, Help("networks by name: frames given, frames predicted")]
    loss: Annotated[Loss, Help("whose terms and weights a run has unless they are given")]
    data: Annotated[str, Help("data set: moving-digits (embedded), ucf101 or videos")]
    batch_size: Annotated[int, Help("clips a batch; an adversarial step takes two batches")]
    patch: Annotated[Patch, Help("side of the patches to train on, in pixels")] = 32
    size: Annotated[
        int | None,
        Help("side of the frames of moving-digits; walls show where it is the patch's", unset="64"),
    ] = None
    bounce: Annotated[Bounce | None, Help("how moving-digits leave a wall", unset="mirror")] = None
    fold: Annotated[
        int | None, Help("official split of ucf101: 1, 2 or 3", unset="its folders train and test")
    ] = None
    min_motion: Annotated[
        float, Help("least change of a patch between its last frames, root mean square of levels 0 to 255")
    ] = 8.0
    width: Annotated[float, Help("factor on the maps and units of all layers, such as 0.25 on a CPU")] = 1.0
    tanh: Annotated[
        Tanh, Help("after the guess is added, as in the authors' program, or before, as in the deck's figure")
    ] = "after"
    p: Annotated[Power, Help("exponent of the l_p term")]
    alpha: Annotated[float, Help("exponent of the gradient difference")]
    lp_weight: Annotated[float, Help("weight of the l_p term")]
    gdl_weight: Annotated[float, Help("weight of the gradient difference")]
    adversarial_weight: Annotated[float, Help("weight of the adversarial term")]
    optimizer: Annotated[OptimizerName, Help("of both networks; sgd, the paper's, is without momentum")]
    generator_lr: Annotated[float, Help("learning rate of the generator at first")]
    generator_final_lr: Annotated[float, Help("learning rate of the generator after its decay")]
    decay_steps: Annotated[
        int | None, Help("steps of that decay, by one factor a step", unset="--steps of the new run")
    ] = None
    discriminator_lr: Annotated[float, Help("learning rate of the discriminator")]
    beta1: Annotated[float, Help("Adam's first decay rate, of both")]
    generator_from: Annotated[
        str | None, Help("run folder whose generator to start from, as for fine-tuning", unset="none")
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        positive("width", self.width)
        check_rates(
            generator_lr=self.generator_lr,
            generator_final_lr=self.generator_final_lr,
            discriminator_lr=self.discriminator_lr,
            beta1=self.beta1,
        )
        if self.decay_steps is not None:
            at_least("decay_steps", self.decay_steps, 1)
        at_least("min_motion", self.min_motion, 0)
        _ = self.terms  # refuses wrong exponents and weights

    @property
    def terms(self) -> Terms:
        """The terms of the generator's loss."""
        return Terms(
            p=self.p,
            alpha=self.alpha,
            lp_weight=self.lp_weight,
            gdl_weight=self.gdl_weight,
            adversarial_weight=self.adversarial_weight,
        )
