"""Measures of how close predicted frames are to real ones: those of arXiv:1511.05440, in all definitions.

The paper and the program that its authors published differ, so each measure takes a `definition`. All of them
take a prediction and a target (..., 3, H, W) in [-1, 1], compute in float64 and give one number a frame,
(...), without gradients. Decibels are

    dB(e) = 10 log10(255^2 / max(e, 1e-4))

at most 88.13, of an error e of levels from 0 to 255.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Literal, get_args

import torch
from torch import Tensor

from ebgan.errors import UserError, one_of

PsnrDefinition = Literal["authors", "paper"]
SharpnessDefinition = Literal["authors", "paper", "ratio"]
Padding = Literal["full", "valid"]

PEAK = 255.0
LEAST_ERROR = 1e-4
# Levels of 0 to 255 in one unit of [-1, 1]. The authors' program takes 128, which lowers a PSNR by 0.03 dB.
LEVELS: dict[PsnrDefinition, float] = {"authors": 128.0, "paper": 127.5}
LUMA = (0.299, 0.587, 0.114)
WINDOW, SIGMA = 11, 1.5


def psnr(prediction: Tensor, target: Tensor, *, definition: PsnrDefinition = "authors") -> Tensor:
    """Peak signal-to-noise ratio, in dB: dB(s^2 mean (prediction - target)^2) over colours and pixels.

    Args:
        prediction: (..., 3, H, W) in [-1, 1].
        target: of the same shape.
        definition: s is 128 for "authors", 127.5 for "paper", whose peak is the greatest value of a pixel.

    Returns:
        (...), float64, one number a frame.

    Raises:
        UserError: the shapes differ or are others, or the option is unknown.

    Example:
        >>> grey = torch.zeros(3, 16, 16)
        >>> psnr(grey, grey), psnr(grey + 0.1, grey)
        (tensor(88.1308, dtype=torch.float64), tensor(25.9866, dtype=torch.float64))
    """
    one_of("definition", definition, get_args(PsnrDefinition))
    prediction, target = _checked(prediction, target)
    return _decibels(LEVELS[definition] ** 2 * (prediction - target).square().mean((-3, -2, -1)))


def sharpness(prediction: Tensor, target: Tensor, *, definition: SharpnessDefinition = "authors") -> Tensor:
    """Sharpness: how close the edges of the prediction are, in strength, to those of the target.

    With |d_y| and |d_x| the absolute differences of a pixel to the one above and to the one on its left:

    - "authors", dB: dB(128^2 S / (3 H W)), S the sum of ||d_y Y'| - |d_y Y|| + ||d_x Y'| - |d_x Y|| over the
      pixels that are not at the border. As in the program, 128 is squared though the differences are not.
    - "paper", dB: of frames in [0, 1] and peak 1, -10 log10 of the mean of
      |(|d_y Y'| + |d_x Y'|) - (|d_y Y| + |d_x Y|)|.
    - "ratio": sum(|d_y Y'| + |d_x Y'|) / sum(|d_y Y| + |d_x Y|). 1 is as sharp as the target, blur is less,
      and noise more. Our reading of the sharpness in LeCun's deck, whose formula is in no source we know.

    Args:
        prediction: (..., 3, H, W) in [-1, 1].
        target: of the same shape.
        definition: as above.

    Returns:
        (...), float64, one number a frame.

    Raises:
        UserError: the shapes differ or are others, or the option is unknown.

    Example:
        >>> board = torch.ones(3, 16, 16)
        >>> board[:, ::2, ::2] = board[:, 1::2, 1::2] = -1
        >>> sharpness(board / 4, board, definition="ratio")
        tensor(0.2500, dtype=torch.float64)
    """
    one_of("definition", definition, get_args(SharpnessDefinition))
    ours, theirs = (_gradients(frames) for frames in _checked(prediction, target))
    if definition == "ratio":
        floor = LEAST_ERROR / PEAK  # a target without edges: 1 where the prediction has none either
        sharp, real = (edges.sum(0).mean((-3, -2, -1)).clamp_min(floor) for edges in (ours, theirs))
        return sharp / real
    if definition == "paper":
        differences = (ours.sum(0) - theirs.sum(0)).abs().mean((-3, -2, -1))
        return _decibels(PEAK**2 / 2 * differences)
    differences = (ours - theirs).abs()[..., :-1, :-1].sum((0, -3, -2, -1))
    return _decibels(LEVELS["authors"] ** 2 * differences / math.prod(target.shape[-3:]))


def ssim(prediction: Tensor, target: Tensor, *, padding: Padding = "full") -> Tensor:
    """Structural similarity (Wang et al., 2004) of the luma, at most 1, which equal frames have.

    The luma 0.299 R + 0.587 G + 0.114 B is mapped to 0 to 255; the window is Gaussian, 11x11 with a standard
    deviation of 1.5; K1 = 0.01, K2 = 0.03, L = 255.

    Args:
        prediction: (..., 3, H, W) in [-1, 1].
        target: of the same shape.
        padding: "full", as the authors have it: the window goes over the border by up to 10 pixels, where
            both frames are black; or "valid", as Wang et al. have it: it stays inside.

    Returns:
        (...), float64, one number a frame.

    Raises:
        UserError: the shapes differ or are others, or the option is unknown.

    Example:
        >>> grey = torch.zeros(3, 16, 16)
        >>> ssim(grey, grey + 0.2, padding="valid")
        tensor(0.9836, dtype=torch.float64)
    """
    one_of("padding", padding, get_args(Padding))
    x, y = (127.5 * (luma(frames) + 1) for frames in _checked(prediction, target))
    if padding == "valid" and min(x.shape[-2:]) < WINDOW:
        height, width = x.shape[-2:]
        raise UserError(
            f"padding: got 'valid' for frames of {height}x{width}, allowed from {WINDOW}x{WINDOW} up"
        )
    products = torch.stack((x, y, x * x, y * y, x * y))
    mean_x, mean_y, square_x, square_y, product = _blurred(products, WINDOW - 1 if padding == "full" else 0)
    c1, c2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    variances = square_x - mean_x**2 + square_y - mean_y**2
    structure = (2 * (product - mean_x * mean_y) + c2) / (variances + c2)
    return (luminance * structure).mean((-2, -1))


METRICS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "psnr": psnr,
    "psnr_paper": partial(psnr, definition="paper"),
    "ssim": ssim,
    "ssim_valid": partial(ssim, padding="valid"),
    "sharpness": sharpness,
    "sharpness_paper": partial(sharpness, definition="paper"),
    "sharpness_ratio": partial(sharpness, definition="ratio"),
}


def _checked(prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    *_, channels, height, width = (0, 0, 0, *target.shape)
    if prediction.shape != target.shape or channels != 3 or min(height, width) < 3:
        raise UserError(
            f"prediction: got {tuple(prediction.shape)} for a target of {tuple(target.shape)}, allowed are "
            "two of the same shape (..., 3, H, W), H and W at least 3"
        )
    return prediction.detach().double(), target.detach().double()


def _decibels(error: Tensor) -> Tensor:
    return 10 * (PEAK**2 / error.clamp_min(LEAST_ERROR)).log10()


def _gradients(frames: Tensor) -> Tensor:
    """|d_y| and |d_x| (2, ..., 3, H-1, W-1) of the pixels that have one above and one on their left."""
    here = frames[..., 1:, 1:]
    return torch.stack((here - frames[..., :-1, 1:], here - frames[..., 1:, :-1])).abs()


def luma(frames: Tensor) -> Tensor:
    """The brightness (..., H, W) that the eye sees in frames (..., 3, H, W), by ITU-R BT.601."""
    return torch.einsum("...chw,c->...hw", frames, frames.new_tensor(LUMA))


def _blurred(maps: Tensor, padding: int) -> Tensor:
    """The Gaussian window over maps (..., H, W), as two products: a band matrix across and one down.

    In float64 that takes 0.3 of the time of convolutions (15 maps of 240x320, one thread of an Intel Xeon,
    torch 2.13, 2026-11-25).
    """
    height, width = maps.shape[-2:]
    return _band(height, padding, maps).T @ (maps @ _band(width, padding, maps))


def _band(size: int, padding: int, like: Tensor) -> Tensor:
    """The matrix (size, size + 2 padding - 10) that takes a line of pixels to the averages along it."""
    averages = size + 2 * padding - WINDOW + 1
    pixel, average = torch.meshgrid(torch.arange(size), torch.arange(averages), indexing="ij")
    offsets = (pixel - average + padding - WINDOW // 2).to(like)
    band = (-(offsets**2) / (2 * SIGMA**2)).exp().masked_fill(offsets.abs() > WINDOW // 2, 0)
    return band / (-(torch.arange(WINDOW).to(like) - WINDOW // 2).square() / (2 * SIGMA**2)).exp().sum()
