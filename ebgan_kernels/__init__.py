"""Fused kernels for the losses and convolutions of energy-based and adversarial image and video models.

Every public name is here. A family of operators has one name in every folder: ``ops/<family>.py`` holds its
public functions and modules, with the autograd beside it in ``ops/<family>_autograd.py``, and ``checks``,
``native``, ``reference``, ``triton``, ``csrc/math``, ``csrc/operators``, ``csrc/cpu`` and ``csrc/cuda`` hold
files of the same name. ``families`` lists them.
"""

from ebgan_kernels.backends import BACKENDS, Backend, BackendError, backend, backend_report
from ebgan_kernels.ops.energy import (
    DiscriminatorLoss,
    discriminator_loss,
    generator_loss,
    hinge_margin_loss,
    reconstruction_energy,
)
from ebgan_kernels.ops.energy_modules import (
    EBGANDiscriminatorLoss,
    EBGANGeneratorLoss,
    HingeMarginLoss,
    ReconstructionEnergy,
)
from ebgan_kernels.ops.gdl import (
    GradientDifferenceLoss,
    PredictionLoss,
    gradient_difference_loss,
    prediction_loss,
)
from ebgan_kernels.ops.gdl_scales import (
    MultiscalePredictionLoss,
    average_pyramid,
    multiscale_prediction_loss,
)
from ebgan_kernels.ops.ladder import (
    GaussianCombinator,
    gaussian_combinator,
    ladder_denoising_cost,
    ladder_layer,
)
from ebgan_kernels.ops.pulling_away import PullingAwayLoss, pulling_away
from ebgan_kernels.ops.valid_conv import (
    MultiscaleValidConv2d,
    ValidConv2d,
    multiscale_valid_conv2d,
    valid_conv2d,
)
from ebgan_kernels.reference.ladder import LadderLayer
from ebgan_kernels.version import __version__

__all__ = [
    "BACKENDS",
    "Backend",
    "BackendError",
    "DiscriminatorLoss",
    "EBGANDiscriminatorLoss",
    "EBGANGeneratorLoss",
    "GaussianCombinator",
    "GradientDifferenceLoss",
    "HingeMarginLoss",
    "LadderLayer",
    "MultiscalePredictionLoss",
    "MultiscaleValidConv2d",
    "PredictionLoss",
    "PullingAwayLoss",
    "ReconstructionEnergy",
    "ValidConv2d",
    "__version__",
    "average_pyramid",
    "backend",
    "backend_report",
    "discriminator_loss",
    "gaussian_combinator",
    "generator_loss",
    "gradient_difference_loss",
    "hinge_margin_loss",
    "ladder_denoising_cost",
    "ladder_layer",
    "multiscale_prediction_loss",
    "multiscale_valid_conv2d",
    "prediction_loss",
    "pulling_away",
    "reconstruction_energy",
    "valid_conv2d",
]
