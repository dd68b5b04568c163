from __future__ import annotations

from collections.abc import Callable

import pytest

from ebgan.training import seed_step
from ebgan.video import LOSSES, Terms, VideoPrediction, discriminator, generator
from ebgan.video.losses import Loss
from support.moving_squares import MovingSquares

WIDTH = 0.05


@pytest.fixture
def system() -> Callable[..., VideoPrediction]:
    """Systems of tiny 4to1 networks."""

    def build(terms: Terms | Loss = "adv+gdl", **options: object) -> VideoPrediction:
        seed_step(0, 0)
        terms = terms if isinstance(terms, Terms) else LOSSES[terms]
        nets = generator("4to1", width=WIDTH), discriminator("4to1", width=WIDTH)
        options.setdefault("discriminator", nets[1] if terms.adversarial_weight else None)
        return VideoPrediction(nets[0], MovingSquares(None, 2, frames=5), terms, **options)

    return build
