"""Every operator with valid arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

import ebgan_kernels as ek

IMAGES, CODES, UNITS = torch.rand(2, 3, 8, 8), torch.rand(2, 5), torch.rand(4, 3)
MARGIN = torch.tensor(2.0)

# Lists hold one tensor a scale.
OPERATORS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "reconstruction_energy": (
        ek.reconstruction_energy,
        {"reconstruction": IMAGES, "target": IMAGES},
    ),
    "hinge_margin_loss": (
        ek.hinge_margin_loss,
        {"real_energy": torch.ones(2), "fake_energy": torch.ones(3), "margin": MARGIN},
    ),
    "discriminator_loss": (
        ek.discriminator_loss,
        {"real_reconstruction": IMAGES, "real": IMAGES, "fake_reconstruction": IMAGES, "fake": IMAGES}
        | {"margin": MARGIN},
    ),
    "generator_loss": (
        ek.generator_loss,
        {"fake_reconstruction": IMAGES, "fake": IMAGES, "codes": CODES},
    ),
    "pulling_away": (ek.pulling_away, {"codes": CODES}),
    "gradient_difference_loss": (ek.gradient_difference_loss, {"prediction": IMAGES, "target": IMAGES}),
    "prediction_loss": (ek.prediction_loss, {"prediction": IMAGES, "target": IMAGES}),
    "multiscale_prediction_loss": (
        ek.multiscale_prediction_loss,
        {"predictions": [IMAGES[..., :4, :4], IMAGES], "target": IMAGES},
    ),
    "average_pyramid": (ek.average_pyramid, {"x": IMAGES, "levels": 2}),
    "valid_conv2d": (
        ek.valid_conv2d,
        {"input": IMAGES, "weight": torch.rand(4, 3, 3, 3), "bias": torch.rand(4)},
    ),
    "multiscale_valid_conv2d": (
        ek.multiscale_valid_conv2d,
        {"inputs": [IMAGES], "weights": [torch.rand(4, 3, 3, 3)], "biases": [torch.rand(4)]},
    ),
    "gaussian_combinator": (
        ek.gaussian_combinator,
        {"z": UNITS, "u": UNITS, "parameters": torch.rand(10, 3)},
    ),
    "ladder_denoising_cost": (
        ek.ladder_denoising_cost,
        {"z_clean": UNITS, "z": UNITS, "u": UNITS, "parameters": torch.rand(10, 3)}
        | {"mean": torch.rand(3), "std": torch.ones(3)},
    ),
    "ladder_layer": (
        ek.ladder_layer,
        {"x": UNITS[None], "noise": UNITS[None], "beta": torch.rand(3), "gamma": torch.rand(3)},
    ),
}
