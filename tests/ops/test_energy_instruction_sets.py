"""The C++ kernels for every instruction set of this processor, not only for the widest, which they choose."""

from __future__ import annotations

import pytest
import torch

import ebgan_kernels as ek
from ebgan_kernels.reference.energy import Distance
from support.accuracy import assert_within_one_ulp
from support.losses import Case, images, torch_value_and_gradients, value_and_gradients

HALF, BRAIN, SINGLE, DOUBLE = torch.float16, torch.bfloat16, torch.float32, torch.float64
MIXES = [(SINGLE, SINGLE), (DOUBLE, DOUBLE), (HALF, HALF), (BRAIN, SINGLE), (SINGLE, HALF)]


@pytest.mark.parametrize("dtype", [HALF, BRAIN])
@pytest.mark.parametrize("length", [65536, 7])  # whole vectors, and single elements alone
def test_every_half_pattern_is_read_and_rounded_as_torch_does(
    instruction_set: str, dtype: torch.dtype, length: int
) -> None:
    patterns = torch.arange(-32768, 32768).to(torch.int16).view(dtype)
    for scale in (0.75, 3e-4, 1e4):
        scaled = patterns.clone()
        for start in range(0, len(patterns), length):
            part = scaled[start : start + length]
            torch.ops.ebgan_kernels.scale_gradients_([part], torch.tensor(scale))
        expected = (patterns.float() * torch.tensor(scale)).to(dtype)
        torch.testing.assert_close(scaled, expected, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("distance", ["l2", "squared_l2", "mse", "l1"])
@pytest.mark.parametrize(
    "dtypes", MIXES, ids=lambda pair: "-".join(str(d).removeprefix("torch.") for d in pair)
)
def test_values_and_gradients_are_right(
    instruction_set: str, distance: str, dtypes: tuple[torch.dtype, torch.dtype]
) -> None:
    case = Case("discriminator_loss", distance, "identity")
    batch = images(sample=(3, 9, 7), dtypes=dtypes)
    inputs, margin = case.inputs(batch), case.margin(batch)
    value, gradients = value_and_gradients(case, inputs, margin)
    exact_value, exact_gradients = torch_value_and_gradients(case, inputs, margin, DOUBLE)
    precision = 1e-12 if dtypes[0] == DOUBLE else 1e-6
    torch.testing.assert_close(value.double(), exact_value, rtol=precision, atol=0)
    for gradient, exact in zip(gradients, exact_gradients, strict=True):
        if gradient.dtype in (HALF, BRAIN):
            assert_within_one_ulp(gradient, exact)
        else:
            torch.testing.assert_close(gradient.double(), exact, rtol=precision, atol=precision * 1e-2)


@pytest.mark.parametrize("distance", ["l2", "squared_l2", "mse", "l1"])
@pytest.mark.parametrize("width", [256, 255])  # samples that are whole vectors, and ragged ones
def test_large_gradients_are_streamed_right(instruction_set: str, width: int, distance: Distance) -> None:
    *_, reconstruction, target = images(sample=(3, 256, width), fake=4)  # 3 MB: beyond the caches
    ek.generator_loss(reconstruction.requires_grad_(), target, distance=distance).backward()
    exact = reconstruction.detach().double().requires_grad_()
    with ek.backend("reference"):
        ek.generator_loss(exact, target.double(), distance=distance).backward()
    torch.testing.assert_close(reconstruction.grad.double(), exact.grad, rtol=1e-6, atol=1e-9)
