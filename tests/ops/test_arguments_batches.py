"""Batches that do not belong together are refused by every operator that takes several."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import ebgan_kernels as ek
from support.errors import assert_refused

BATCHES: dict[str, tuple[Callable[[], object], tuple[str, ...]]] = {
    "codes of 7 for 8 images": (
        lambda: ek.generator_loss(torch.rand(8, 3), torch.rand(8, 3), codes=torch.rand(7, 5)),
        ("codes has shape (7, 5)", "fake (8, 3)", "one for each image", "pass what D's encoder makes"),
    ),
    "codes of 7 for 8 images in a module": (
        lambda: ek.EBGANGeneratorLoss()(torch.rand(8, 3), torch.rand(8, 3), torch.rand(7, 5)),
        ("codes has shape (7, 5)", "fake (8, 3)"),
    ),
    "codes without a batch": (
        lambda: ek.generator_loss(torch.rand(8, 3), torch.rand(8, 3), codes=torch.tensor(1.0)),
        ("codes has shape ()", "(N, ...)"),
    ),
    "real of 8x8 and fake of 9x9": (
        lambda: ek.discriminator_loss(*[torch.rand(2, 8, 8)] * 2, *[torch.rand(2, 9, 9)] * 2, margin=1.0),
        ("fake has shape (2, 9, 9)", "real (2, 8, 8)", "must be equal", "resize"),
    ),
    "real of 8x8 and fake of 9x9 in a module": (
        lambda: ek.EBGANDiscriminatorLoss(1.0)(*[torch.rand(2, 8, 8)] * 2, *[torch.rand(2, 9, 9)] * 2),
        ("fake has shape (2, 9, 9)", "real (2, 8, 8)"),
    ),
    "predictions of another batch than the target": (
        lambda: ek.multiscale_prediction_loss(
            [torch.rand(3, 4, 4), torch.rand(2, 8, 8)], torch.rand(2, 8, 8)
        ),
        ("predictions[0] has shape (3, 4, 4)", "target (2, 8, 8)"),
    ),
    "u of another batch than z": (
        lambda: ek.gaussian_combinator(torch.rand(4, 3), torch.rand(5, 3), torch.rand(10, 3)),
        ("u has shape (5, 3)", "z of (4, 3)"),
    ),
    "z_clean of another batch than z": (
        lambda: ek.ladder_denoising_cost(
            torch.rand(5, 3),
            torch.rand(4, 3),
            torch.rand(4, 3),
            torch.rand(10, 3),
            torch.rand(3),
            torch.ones(3),
        ),
        ("z_clean has shape (5, 3)", "z of (4, 3)"),
    ),
    "noise of another batch than x": (
        lambda: ek.ladder_layer(torch.rand(1, 4, 3), torch.rand(1, 5, 3)),
        ("noise has shape (1, 5, 3)", "x of (1, 4, 3)"),
    ),
    "channels of 2 scales, kernels of 1": (
        lambda: ek.MultiscaleValidConv2d([1, 1], [2, 2], [3]),
        ("in_channels has 2 values", "out_channels 2", "kernel_sizes 1", "one of each"),
    ),
}


@pytest.mark.parametrize("name", BATCHES)
def test_batches_that_do_not_belong_together_are_refused(name: str) -> None:
    call, fragments = BATCHES[name]
    assert_refused(call, ValueError, fragments)


def test_real_and_fake_batches_may_differ_in_length() -> None:
    real, fake = torch.rand(3, 8, 8), torch.rand(5, 8, 8)
    assert ek.discriminator_loss(real, real, fake, fake, margin=1.0).fake_energy.shape == (5,)
