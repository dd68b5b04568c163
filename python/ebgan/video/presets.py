"""Settings of each loss: the paper's optimiser, or Adam."""

from __future__ import annotations

from dataclasses import asdict

from ebgan.errors import one_of
from ebgan.training import OptimizerName
from ebgan.video.config import NetName, VideoConfig
from ebgan.video.losses import LOSSES, Loss

# The paper's rates, for SGD. It gives both ends of the decay; the one factor a step between them is ours.
# Adam's rates keep the proportions.
GENERATOR_LR, GENERATOR_FINAL_LR, DISCRIMINATOR_LR = 0.04, 0.005, 0.02
ADAM_FACTOR = 0.01


def preset(net: NetName = "8to8", loss: Loss = "gdl", optimizer: OptimizerName = "sgd") -> VideoConfig:
    """The settings of `loss`, on the embedded data set unless replaced.

    Example:
        >>> preset("4to1", "adv+gdl").batch_size, preset(optimizer="adam").generator_lr
        (8, 0.0004)
    """
    one_of("loss", loss, LOSSES)
    terms = LOSSES[loss]
    factor = ADAM_FACTOR if optimizer == "adam" else 1.0
    return VideoConfig(
        net=net,
        loss=loss,
        data="moving-digits",
        steps=20_000,
        held_out_share=0.1,
        batch_size=8 if terms.adversarial_weight else 4,
        **asdict(terms),
        optimizer=optimizer,
        generator_lr=GENERATOR_LR * factor,
        generator_final_lr=GENERATOR_FINAL_LR * factor,
        discriminator_lr=DISCRIMINATOR_LR * factor,
        beta1=0.5 if terms.adversarial_weight else 0.9,
        picture_every=500,
        checkpoint_every=500,
    )


# What `--help` lists: all that differs between settings.
PRESETS: dict[str, VideoConfig] = {
    **{loss: preset(loss=loss) for loss in LOSSES},
    "--optimizer adam": preset(optimizer="adam"),
}
