"""Operators of the family gdl with valid arguments, and its modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

import ebgan_kernels as ek
from support.arguments import IMAGES

# Lists hold one tensor a scale.
OPERATORS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "gradient_difference_loss": (ek.gradient_difference_loss, {"prediction": IMAGES, "target": IMAGES}),
    "prediction_loss": (ek.prediction_loss, {"prediction": IMAGES, "target": IMAGES}),
    "multiscale_prediction_loss": (
        ek.multiscale_prediction_loss,
        {"predictions": [IMAGES[..., :4, :4], IMAGES], "target": IMAGES},
    ),
    "average_pyramid": (ek.average_pyramid, {"x": IMAGES, "levels": 2}),
}
MODULES: dict[type[nn.Module], Callable[[], nn.Module]] = {
    ek.GradientDifferenceLoss: ek.GradientDifferenceLoss,
    ek.PredictionLoss: ek.PredictionLoss,
    ek.MultiscalePredictionLoss: ek.MultiscalePredictionLoss,
}
