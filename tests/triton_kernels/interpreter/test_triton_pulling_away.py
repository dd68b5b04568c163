"""The pulling-away operator in Triton: values at the edges of blocks, degenerate rows, registration."""

from __future__ import annotations

import pytest
import torch

from ebgan_kernels.reference import pulling_away as reference
from support.accuracy import assert_as_accurate_as_torch
from support.pulling_away import codes, exact_loss_and_weights, gram_of

SINGLE, DOUBLE = torch.float32, torch.float64


@pytest.fixture
def weights_operator(operator):
    return operator("pulling_away_weights")


@pytest.fixture
def blocks_of_256(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has a program take a row in blocks of 256 columns."""
    from ebgan_kernels.triton import pulling_away

    monkeypatch.setattr(pulling_away, "LARGEST_BLOCK", 256)


def assert_accurate(weights_operator, device, rows: int, seeds: int) -> None:
    grams = [gram_of(codes(rows, seed, device=device)) for seed in range(seeds)]
    ours = [weights_operator(gram, True) for gram in grams]
    torchs = [reference.pulling_away_weights(gram, True) for gram in grams]
    exacts = [exact_loss_and_weights(gram) for gram in grams]
    for results in zip(*(zip(*seeds, strict=True) for seeds in (ours, torchs, exacts)), strict=True):
        assert {value.dtype for value in results[0]} == {SINGLE}
        assert_as_accurate_as_torch(*results)


@pytest.mark.parametrize("rows", [2, 3, 4, 5, 64])
def test_loss_and_weights_are_as_accurate_as_torch(weights_operator, device, rows):
    assert_accurate(weights_operator, device, rows, seeds=8)


@pytest.mark.parametrize("rows", [255, 256, 257])
def test_rows_around_the_smallest_block_are_as_accurate_as_torch(weights_operator, device, rows):
    assert_accurate(weights_operator, device, rows, seeds=2)


@pytest.mark.parametrize("rows", [257, 512, 513, 770])
def test_rows_of_several_blocks_are_as_accurate_as_torch(weights_operator, device, blocks_of_256, rows):
    assert_accurate(weights_operator, device, rows, seeds=1)


@pytest.mark.parametrize("rows", [5, 257])
def test_float64_is_computed_in_float64(weights_operator, device, blocks_of_256, rows):
    gram = gram_of(codes(rows, dtype=DOUBLE, device=device))
    exact = exact_loss_and_weights(gram)
    torch.testing.assert_close(weights_operator(gram, True), exact, rtol=1e-13, atol=0.0)


@pytest.mark.parametrize("rows", [2, 30])
def test_weights_times_codes_are_the_gradient(weights_operator, device, rows):
    leaf = codes(rows, dtype=DOUBLE, device=device).requires_grad_()
    cosines = torch.nn.functional.cosine_similarity(leaf[:, None], leaf[None], dim=-1)
    loss = (cosines.square().sum() - rows) / (rows * (rows - 1))
    (expected,) = torch.autograd.grad(loss, leaf)
    got, weights = weights_operator(gram_of(leaf.detach()), True)
    torch.testing.assert_close(got, loss.detach(), rtol=1e-12, atol=0.0)
    torch.testing.assert_close(weights @ leaf.detach(), expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("rows", [6, 300])
def test_weights_that_are_not_needed_are_not_made(weights_operator, device, blocks_of_256, rows):
    gram = gram_of(codes(rows, device=device))
    loss, weights = weights_operator(gram, False)
    assert weights.numel() == 0
    assert torch.equal(loss, weights_operator(gram, True)[0])


def test_a_row_of_norm_zero_has_cosine_and_gradient_zero(weights_operator, device):
    some = codes(6, device=device)
    some[2] = 0
    loss, weights = weights_operator(gram_of(some), True)
    kept = [0, 1, 3, 4, 5]
    others, weights_of_others = weights_operator(gram_of(some[kept]), True)
    assert not weights[2].any() and not weights[:, 2].any()
    torch.testing.assert_close(loss, others * (5 * 4) / (6 * 5))
    torch.testing.assert_close(weights[kept][:, kept], weights_of_others * (5 * 4) / (6 * 5))


def test_norms_whose_product_overflows_float32_do_no_harm(weights_operator, device):
    gram = gram_of(codes(7, device=device))
    loss, weights = weights_operator(gram, True)
    scaled_loss, scaled_weights = weights_operator(gram * 2.0**100, True)
    torch.testing.assert_close(scaled_loss, loss)
    torch.testing.assert_close(scaled_weights * 2.0**100, weights)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_and_infinity_reach_the_loss_and_the_weights_they_touch(weights_operator, device, value):
    some = codes(6, device=device)
    some[4, 3] = value
    loss, weights = weights_operator(gram_of(some), True)
    assert loss.isnan()
    assert weights[4].isnan().all() and weights[:, 4].isnan().all() and weights.diagonal().isnan().all()
    untouched = weights[:4, :4][~torch.eye(4, dtype=torch.bool, device=device)]
    assert untouched.isfinite().all()


def test_the_same_input_gives_the_same_bits(weights_operator, device, blocks_of_256):
    gram = gram_of(codes(300, device=device))
    assert all(map(torch.equal, weights_operator(gram, True), weights_operator(gram, True)))


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE])
def test_the_operator_is_registered_rightly(weights_operator, device, dtype, need_weights):
    torch.library.opcheck(weights_operator, (gram_of(codes(5, dtype=dtype, device=device)), need_weights))
