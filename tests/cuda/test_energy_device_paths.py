"""The CUDA kernels of the energy family at the limits between paths: one block, clusters, two passes."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from support.accuracy import assert_within_one_ulp
from support.losses import Case, images, torch_value_and_gradients, value_and_gradients

HALVES = (torch.float16, torch.bfloat16, torch.float32)
MIXES = [*product(HALVES, HALVES), (torch.float64, torch.float64)]
# Around the limits of a vector, of a part of a pass (8192) and, on an H200, of 1, 2, 4 and 8 blocks of
# 113 KiB, then of 8 blocks of 227 KiB, beyond which samples take two passes.
ELEMENTS = (
    1, 3, 7, 8, 9, 783, 784, 4095, 8191, 8193, 3 * 64 * 64, 28880, 28888, 3 * 128 * 128,
    57760, 57768, 115521, 115528, 3 * 256 * 256, 231041, 464500, 464900, 1000003,
)  # fmt: skip


def _assert_right(case: Case, batch: list[torch.Tensor]) -> None:
    inputs = case.inputs(batch)
    margin = case.margin(inputs)
    value, gradients = value_and_gradients(case, inputs, margin)
    exact, exact_gradients = torch_value_and_gradients(case, inputs, margin, torch.float64)
    tolerance = 1e-12 if value.dtype == torch.float64 else 3e-6
    torch.testing.assert_close(value.double(), exact, rtol=tolerance, atol=0)
    for gradient, exact_gradient in zip(gradients, exact_gradients, strict=True):
        if gradient.dtype in (torch.float16, torch.bfloat16):
            assert_within_one_ulp(gradient, exact_gradient)
        else:
            torch.testing.assert_close(gradient.double(), exact_gradient, rtol=tolerance, atol=0)


@pytest.mark.parametrize("distance", ["l2", "l1"])
@pytest.mark.parametrize("elements", ELEMENTS)
def test_every_size_of_sample_is_right(cuda: torch.device, elements: int, distance: str) -> None:
    case = Case("discriminator_loss", distance)  # type: ignore[arg-type]
    _assert_right(case, images(sample=(elements,), real=2, fake=3, device=cuda))


@pytest.mark.parametrize("elements", [63, 1001, 3 * 64 * 64, 3 * 256 * 256, 500_001])
@pytest.mark.parametrize("dtypes", MIXES, ids=str)
def test_every_mix_of_dtypes_is_right_on_every_path(
    cuda: torch.device, dtypes: tuple[torch.dtype, torch.dtype], elements: int
) -> None:
    _assert_right(Case("discriminator_loss"), images(sample=(elements,), dtypes=dtypes, device=cuda))


@pytest.mark.parametrize("elements", [784, 3 * 64 * 64])
def test_real_and_fake_pairs_of_different_dtypes_share_a_launch(cuda: torch.device, elements: int) -> None:
    real = images(sample=(elements,), dtypes=(torch.bfloat16, torch.float32), device=cuda)[:2]
    fake = images(1, sample=(elements,), dtypes=(torch.float32, torch.float16), device=cuda)[2:]
    _assert_right(Case("discriminator_loss", "mse"), real + fake)


def test_a_batch_larger_than_the_device_is_right(cuda: torch.device) -> None:
    _assert_right(Case("discriminator_loss"), images(sample=(9,), real=70_001, fake=65_536, device=cuda))


@pytest.mark.parametrize("elements", [1001, 3 * 128 * 128, 3 * 256 * 256, 500_001])
def test_same_input_gives_the_same_bits(cuda: torch.device, elements: int) -> None:
    case = Case("discriminator_loss", shaping="square")
    batch = images(sample=(elements,), real=64, fake=64, device=cuda)
    inputs, margin = case.inputs(batch), case.margin(batch)
    value, gradients = value_and_gradients(case, inputs, margin)
    for _ in range(3):
        again, gradients_again = value_and_gradients(case, inputs, margin)
        assert torch.equal(again, value)
        assert all(map(torch.equal, gradients_again, gradients))
