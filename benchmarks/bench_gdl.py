"""Gradient difference: `python -m benchmarks.bench_gdl [--quick] [--device cpu|cuda] [--output DIR]`.

The usual step of a network that predicts images: its prediction is a leaf that wants a gradient, the target
is not. A batch of large images and one of small ones, a batch of volumes, and the four scales of the video
networks, 8 frames of 3 channels each, named by the finest.

The least traffic, in units of the N elements of a prediction (all scales together: 1.33 of the finest):

                                 forward   forward + backward
    gradient_difference_loss     2 read    2 read, 1 written     one pass: loss and gradient together
    prediction_loss              the same
    multiscale_prediction_loss   the same, but of the target only the finest scale is read
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

import ebgan_kernels
from benchmarks.command import open_session
from benchmarks.operators import Case, Mode, Operator, one_pass_bytes, record_cases
from ebgan_kernels.reference import gdl as reference

# The README and the pictures show these operators.
HEADLINE: tuple[str, ...] = (
    "gradient_difference_loss",
    "gradient_difference_loss, 3-D",
    "multiscale_prediction_loss",
)

LARGE, SMALL, VOLUMES, FRAMES = (32, 3, 256, 256), (8, 3, 32, 32), (2, 1, 96, 96, 96), (8, 24, 32, 32)
SCALES = 4


def _image(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, ...]:
    """A prediction that is off from a target in [-1, 1] by a tenth or so."""
    target = torch.rand(shape) * 2 - 1
    return (target + 0.1 * torch.randn(shape)).to(dtype).requires_grad_(), target.to(dtype)


def _scales(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, ...]:
    """A prediction for each scale, coarse to fine, and the target of the finest."""
    target = torch.rand(shape) * 2 - 1
    levels = reference.average_pyramid(target, SCALES)
    predictions = [(level + 0.1 * torch.randn(level.shape)).to(dtype).requires_grad_() for level in levels]
    return *predictions, target.to(dtype)


def _stream(arguments: tuple[Tensor, ...], mode: Mode) -> object:
    """Pass over the bytes: every tensor is read and, with a backward, one written for each prediction."""
    *coarse, finest, target = arguments
    if mode == "forward":
        return [tensor.sum() for tensor in arguments]
    return [tensor.clone() for tensor in coarse], torch.sub(finest, target)


def _difference(name: str, spatial_dims: int) -> Operator:
    return _operator(
        name,
        _image,
        lambda prediction, target: reference.gradient_difference_loss(
            prediction, target, 1.0, spatial_dims, "mean"
        ),
        partial(ebgan_kernels.gradient_difference_loss, spatial_dims=spatial_dims),
    )


def _operator(
    name: str,
    arguments: Callable[[tuple[int, ...], torch.dtype], tuple[Tensor, ...]],
    plain: Callable[..., Tensor],
    fused: Callable[..., Tensor],
) -> Operator:
    return Operator(name, arguments, plain, fused, _stream, one_pass_bytes)


GRADIENT_DIFFERENCE = _difference("gradient_difference_loss", 2)
GRADIENT_DIFFERENCE_3D = _difference("gradient_difference_loss, 3-D", 3)
PREDICTION = _operator(
    "prediction_loss",
    _image,
    lambda prediction, target: reference.prediction_loss(prediction, target, 2, 1, 1.0, 1.0, 1.0, "mean"),
    ebgan_kernels.prediction_loss,
)
MULTISCALE = _operator(
    "multiscale_prediction_loss",
    _scales,
    lambda *images: reference.multiscale_prediction_loss(
        images[:-1], images[-1], 1, 1.0, 1.0, 1.0, (1.0,) * SCALES
    ),
    lambda *images: ebgan_kernels.multiscale_prediction_loss(images[:-1], images[-1]),
)

# The most wanted first: a budget ends the run where it is spent.
CASES = (
    Case(GRADIENT_DIFFERENCE, LARGE),
    Case(GRADIENT_DIFFERENCE, SMALL),
    Case(GRADIENT_DIFFERENCE_3D, VOLUMES),
    Case(MULTISCALE, FRAMES),
    Case(PREDICTION, LARGE),
    Case(PREDICTION, SMALL),
    Case(GRADIENT_DIFFERENCE, LARGE, torch.bfloat16),
    Case(MULTISCALE, FRAMES, torch.bfloat16),
)
QUICK_CASES = (Case(GRADIENT_DIFFERENCE, SMALL), Case(MULTISCALE, FRAMES))


if __name__ == "__main__":
    record_cases(open_session("gdl", __doc__), CASES, QUICK_CASES)
