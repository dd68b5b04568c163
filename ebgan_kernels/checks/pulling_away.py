"""Checks of the pulling-away term's argument; ``ebgan_kernels.checks`` holds what all families share."""

from __future__ import annotations

from torch import Tensor

from ebgan_kernels.checks import check_floating, check_together


def check_codes_of(fake: Tensor, codes: Tensor) -> None:
    """Checks that codes are of the batch ``fake``: floating, a code for each image, on the same device."""
    check_floating("codes", codes)
    if codes.dim() == 0 or codes.shape[0] != fake.shape[0]:
        raise ValueError(
            f"codes has shape {tuple(codes.shape)} and fake {tuple(fake.shape)}; codes must be (N, ...), one"
            " for each image of fake: pass what D's encoder makes of that batch"
        )
    check_together("fake", fake, "codes", codes)


def check_codes(codes: Tensor, processes: int = 1) -> None:
    """Checks that codes are floating (N, ...), with at least 2 samples over all processes together."""
    check_floating("codes", codes)
    if codes.dim() == 0:
        raise ValueError("codes has no dimension; it must be a batch of codes (N, ...): use codes[None]")
    if codes.shape[0] * processes < 2:
        raise ValueError(
            f"codes has shape {tuple(codes.shape)}; the pulling-away term needs codes of at least 2 samples"
            " (there is no pair in fewer): use a larger batch, or leave the term out"
        )
