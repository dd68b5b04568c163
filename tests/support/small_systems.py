"""A configuration of each system that trains in no time."""

from __future__ import annotations

import dataclasses

from ebgan import disentangle, gan, ladder, video
from ebgan.training import TrainingConfig

SMALL: dict[str, TrainingConfig] = {
    "gan": dataclasses.replace(
        gan.preset(), generator_width=8, discriminator_width=8, pulling_away_weight=0.1
    ),
    "ladder": dataclasses.replace(ladder.preset(model="ebgan"), layers="16-8", generator_layers="8"),
    "disentangle": dataclasses.replace(disentangle.preset(), width=4),
    "video": dataclasses.replace(video.preset("4to1", "adv+gdl"), width=0.05, size=32),
}
