"""The definition of the pulling-away term against a loop over pairs, and what is known of its values."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from ebgan_kernels.reference import pulling_away as reference
from support.pulling_away import codes as codes_of
from support.pulling_away import exact_loss_and_weights, gram_of

# As many features as rows or more, and fewer: the N x N and the d x d Gram matrix.
SHAPES = [(2, 2), (5, 8), (7, 3), (40, 6)]


def loop(codes: Tensor) -> float:
    rows = codes.flatten(1).tolist()
    total = 0.0
    for first, second in itertools.permutations(rows, 2):
        product = sum(a * b for a, b in zip(first, second, strict=True))
        total += (product / math.hypot(*first) / math.hypot(*second)) ** 2
    return total / (len(rows) * (len(rows) - 1))


@pytest.mark.parametrize("shape", [*SHAPES, (4, 2, 3, 2), (30, 2, 1, 2)])
def test_it_equals_a_loop_over_the_pairs(shape: tuple[int, ...]) -> None:
    codes = torch.randn(shape, dtype=torch.float64)
    assert reference.pulling_away(codes).item() == pytest.approx(loop(codes), rel=1e-12)


def test_both_gram_matrices_give_the_same_value() -> None:
    codes = torch.randn(9, 9, dtype=torch.float64)
    normalised = codes / reference.norms(codes)
    of_features = reference.feature_loss(normalised.mT @ normalised, torch.tensor(9), 9)
    torch.testing.assert_close(of_features, reference.pulling_away(codes))


@pytest.mark.parametrize("features", [8, 5])
def test_orthogonal_codes_give_0(features: int) -> None:
    codes = torch.eye(features, dtype=torch.float64)[:5] * torch.arange(1.0, 6)[:, None]
    assert reference.pulling_away(codes).item() == 0


@pytest.mark.parametrize("shape", SHAPES)
def test_codes_that_are_equal_up_to_sign_and_length_give_1(shape: tuple[int, int]) -> None:
    factors = torch.linspace(-3, 4, shape[0]).double()[:, None]
    assert reference.pulling_away(factors * torch.randn(shape[1]).double()).item() == pytest.approx(1)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_length_and_the_sign_of_a_code_do_not_matter(shape: tuple[int, int]) -> None:
    codes = torch.randn(shape, dtype=torch.float64)
    factors = torch.linspace(-3, 4, shape[0]).double()[:, None]
    torch.testing.assert_close(reference.pulling_away(factors * codes), reference.pulling_away(codes))


def test_more_codes_than_features_cannot_go_below_the_bound_of_welch_and_a_tight_frame_reaches_it() -> None:
    for rows, features in ((7, 3), (40, 6)):
        codes = torch.randn(rows, features, dtype=torch.float64)
        assert reference.pulling_away(codes).item() > (rows / features - 1) / (rows - 1)
    angles = torch.arange(3, dtype=torch.float64) * (2 * torch.pi / 3)
    frame = torch.stack([angles.cos(), angles.sin()], dim=1)
    assert reference.pulling_away(frame).item() == pytest.approx((3 / 2 - 1) / (3 - 1))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_code_of_zeros_has_cosine_0_with_every_other_and_gradient_0(shape: tuple[int, int]) -> None:
    codes = torch.randn(shape, dtype=torch.float64)
    codes[1] = 0
    codes.requires_grad_()
    loss = reference.pulling_away(codes)
    rows = shape[0]
    others = torch.cat([codes[:1], codes[2:]]).detach()
    pairs = 0 if len(others) < 2 else loop(others) * (rows - 1) * (rows - 2)
    assert loss.item() == pytest.approx(pairs / (rows * (rows - 1)))
    loss.backward()
    assert not codes.grad[1].any() and codes.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("shape", [(4, 4096), (512, 16)])
def test_half_codes_are_multiplied_and_summed_in_float32_also_under_autocast(
    shape: tuple[int, int], dtype: torch.dtype
) -> None:
    codes = torch.randn(shape, dtype=dtype)
    expected = reference.pulling_away(codes.double())
    with torch.autocast("cpu", torch.bfloat16):
        loss = reference.pulling_away(codes)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize("rows", [2, 5, 30])
def test_the_weights_are_those_of_the_gradient(rows: int) -> None:
    codes = codes_of(rows, dtype=torch.float64).requires_grad_()
    loss, weights = reference.pulling_away_weights(gram_of(codes.detach()), True)
    expected_loss, expected_weights = exact_loss_and_weights(gram_of(codes.detach()))
    torch.testing.assert_close((loss, weights), (expected_loss, expected_weights))
    value = reference.pulling_away(codes)
    torch.testing.assert_close(loss, value.detach())
    torch.testing.assert_close(weights @ codes.detach(), *torch.autograd.grad(value, codes))


def test_without_weights_there_are_none() -> None:
    gram = gram_of(codes_of(5))
    loss, weights = reference.pulling_away_weights(gram, False)
    assert weights.numel() == 0 and torch.equal(loss, reference.pulling_away_weights(gram, True)[0])
