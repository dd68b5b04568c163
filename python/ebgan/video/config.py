"""The options of `ebgan train video`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from ebgan.data import ClipAugmentation
from ebgan.data.bouncing import Bounce
from ebgan.errors import at_least, positive, share
from ebgan.training import Help, OptimizerName, TrainingConfig, check_rates
from ebgan.video.generator import Tanh
from ebgan.video.losses import Loss, Power, Terms

NetName = Literal["4to1", "8to8"]
Patch = Literal[32, 64]


@dataclass(frozen=True, kw_only=True)
class VideoConfig(TrainingConfig):
    """Everything that decides the result of a run; `preset` fills in what belongs to a loss."""

    renamed: ClassVar[Mapping[str, str]] = {"config": "net"}
    added: ClassVar[frozenset[str]] = TrainingConfig.added | {
        "channels_last",
        "flip",
        "held_out_share",
        "permute_colours",
        "reverse_time",
        "scale_colours",
    }

    net: Annotated[
        NetName, Help("Pair of networks to train: 4to1 predicts 1 frame from 4, 8to8 predicts 8 from 8.")
    ]
    loss: Annotated[
        Loss, Help("Loss of the generator; it sets the exponents and weights that are not given.")
    ]
    data: Annotated[str, Help("Data set: moving-digits (needs no download), ucf101 or videos (yours).")]
    batch_size: Annotated[int, Help("Number of clips in a batch; each step takes one for each network.")]
    patch: Annotated[Patch, Help("Side of the patches to train on, in pixels.")] = 32
    size: Annotated[
        int | None,
        Help("Side of the frames of moving-digits, in pixels; as large as --patch shows walls.", unset="64"),
    ] = None
    bounce: Annotated[Bounce | None, Help("How moving-digits leave a wall.", unset="mirror")] = None
    fold: Annotated[
        int | None, Help("Official split of ucf101 to use: 1, 2 or 3.", unset="its folders train and test")
    ] = None
    held_out_share: Annotated[
        float,
        Help(
            "Share of the clips to hold out of training where the data has no test split; ebgan evaluate "
            "then scores these."
        ),
    ] = 0.0
    min_motion: Annotated[
        float,
        Help("Least change between the last two frames of a patch: root mean square, in levels of 0 to 255."),
    ] = 8.0
    flip: Annotated[bool, Help("Mirror half of the patches left to right.")] = False
    reverse_time: Annotated[bool, Help("Play half of the patches backwards.")] = False
    permute_colours: Annotated[bool, Help("Exchange the colour channels of each patch at random.")] = False
    scale_colours: Annotated[
        float,
        Help("Greatest random change of gain and offset of each colour channel; 0 leaves colours alone."),
    ] = 0.0
    channels_last: Annotated[
        bool, Help("Keep the channels of weights and activations side by side in memory.")
    ] = False
    width: Annotated[float, Help("Factor on the maps and units of all layers, such as 0.25 on a CPU.")] = 1.0
    tanh: Annotated[
        Tanh, Help("Apply tanh after the coarser guess is added (authors' program) or before (LeCun's deck).")
    ] = "after"
    p: Annotated[Power, Help("Exponent of the l_p term.")]
    alpha: Annotated[float, Help("Exponent of the gradient difference term.")]
    lp_weight: Annotated[float, Help("Weight of the l_p term.")]
    gdl_weight: Annotated[float, Help("Weight of the gradient difference term.")]
    adversarial_weight: Annotated[float, Help("Weight of the adversarial term.")]
    optimizer: Annotated[
        OptimizerName, Help("Optimiser of both networks; sgd, the paper's, has no momentum.")
    ]
    generator_lr: Annotated[float, Help("Learning rate of the generator in step 1.")]
    generator_final_lr: Annotated[float, Help("Learning rate of the generator after --decay-steps.")]
    decay_steps: Annotated[
        int | None,
        Help(
            "Steps in which the generator's rate falls, by one factor each.", unset="--steps of the new run"
        ),
    ] = None
    discriminator_lr: Annotated[float, Help("Learning rate of the discriminator.")]
    beta1: Annotated[float, Help("Decay rate of the first moment in Adam, for both networks.")]
    generator_from: Annotated[
        str | None, Help("Run folder whose trained generator to start from, to fine-tune it.", unset="none")
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
        share("held_out_share", self.held_out_share)
        _ = self.terms, self.augmentation  # which refuse wrong values

    @property
    def augmentation(self) -> ClipAugmentation | None:
        """The random changes of the patches; None where there are none."""
        chosen = ClipAugmentation(
            flip=self.flip,
            reverse_time=self.reverse_time,
            permute_colours=self.permute_colours,
            scale_colours=self.scale_colours,
        )
        return None if chosen == ClipAugmentation() else chosen

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
