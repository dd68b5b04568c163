"""The multi-scale prediction loss and the average pyramid in Triton, against the reference in float64."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from ebgan_kernels.reference import gdl as reference
from support.accuracy import assert_within_one_ulp
from support.needed import needed_of

HALF, BRAIN, SINGLE, DOUBLE = torch.float16, torch.bfloat16, torch.float32, torch.float64


def grid(shape: Sequence[int], seed: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Multiples of 1/8, whose averages are exact in float32 over six levels."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randint(-16, 16, tuple(shape), generator=generator) / 8).to(device, dtype)


def scales(
    shape: Sequence[int], levels: int, dtypes: Sequence[torch.dtype], device: torch.device
) -> tuple[list[Tensor], Tensor]:
    """Predictions coarse to fine, dtypes taking turns, and the target, whose dtype is the last."""
    *leading, height, width = shape
    predictions = [
        grid((*leading, height >> k, width >> k), k, dtypes[k % len(dtypes)], device)
        for k in reversed(range(levels))
    ]
    return predictions, grid(shape, levels, dtypes[-1], device)


def torch_results(
    predictions: Sequence[Tensor], target: Tensor, *options: object, scale: float = 1.0
) -> tuple[Tensor, ...]:
    """Loss and gradients of the reference in float64."""
    leaves = [x.double().requires_grad_() for x in predictions]
    loss = reference.multiscale_prediction_loss(leaves, target.double(), *options)  # type: ignore[arg-type]
    return loss.detach(), *torch.autograd.grad(scale * loss, leaves)


def assert_right(values: Sequence[Tensor], exacts: Sequence[Tensor]) -> None:
    for value, exact in zip(values, exacts, strict=True):
        if value.dtype in (HALF, BRAIN):
            assert_within_one_ulp(value, exact)
        else:
            tolerance = 1e-12 if value.dtype == DOUBLE else 2e-6
            torch.testing.assert_close(value.double(), exact, rtol=tolerance, atol=tolerance / 10)


@pytest.mark.parametrize(("p", "alpha"), [(1, 1.0), (2, 2.0), (1, 1.5)])
@pytest.mark.parametrize(
    ("shape", "levels"), [((2, 3, 16, 16), 1), ((2, 3, 16, 16), 4), ((1, 32, 96), 5), ((64, 64), 6)]
)
def test_every_number_of_scales_is_right(operator, device, shape, levels, p, alpha):
    predictions, target = scales(shape, levels, [SINGLE], device)
    options = (p, alpha, 0.75, 1.5, [0.5 + k for k in range(levels)])
    loss, gradients = operator("multiscale_prediction_loss")(predictions, target, *options, (1 << levels) - 1)
    assert_right([loss, *gradients], torch_results(predictions, target, *options))
    alone, none = operator("multiscale_prediction_loss")(predictions, target, *options, 0)
    assert torch.equal(alone, loss) and not none


def test_only_the_gradients_that_are_needed_are_made(operator, device):
    predictions, target = scales((2, 16, 16), 3, [SINGLE], device)
    options = (1, 1.0, 0.75, 1.5, [1.0, 2.0, 3.0])
    loss, complete = operator("multiscale_prediction_loss")(predictions, target, *options, 0b111)
    one = torch.ones((), device=device)
    for needed in range(1 << 3):
        again, gradients = operator("multiscale_prediction_loss")(predictions, target, *options, needed)
        assert torch.equal(again, loss)
        expected = needed_of(complete, needed)
        buffers = [torch.full_like(x, 7) for x in expected]
        operator("multiscale_prediction_loss_backward_")(
            buffers, one, predictions, target, *options, needed, False
        )
        torch.testing.assert_close(list(gradients), expected)
        torch.testing.assert_close(buffers, expected)


@pytest.mark.parametrize("dtypes", [[HALF, BRAIN, SINGLE], [BRAIN], [DOUBLE]])
def test_each_scale_is_read_as_it_is(operator, device, dtypes):
    predictions, target = scales((2, 3, 16, 24), 3, dtypes, device)
    options = (2, 2.0, 0.75, 1.5, [1.0, 2.0, 3.0])
    loss, gradients = operator("multiscale_prediction_loss")(predictions, target, *options, 0b111)
    assert [g.dtype for g in gradients] == [x.dtype for x in predictions]
    assert_right([loss, *gradients], torch_results(predictions, target, *options))


def test_filled_buffers_stay_where_the_incoming_gradient_is_one_and_are_recomputed_where_not(
    operator, device
):
    predictions, target = scales((2, 16, 16), 3, [SINGLE], device)
    options = (1, 1.0, 0.75, 1.5, [1.0, 2.0, 3.0])
    for scale in (1.0, -0.5):
        buffers = [torch.full_like(x, 7) for x in predictions]
        grad_loss = torch.tensor(scale, device=device)
        operator("multiscale_prediction_loss_backward_")(
            buffers, grad_loss, predictions, target, *options, 0b111, True
        )
        if scale == 1:
            assert all((buffer == 7).all() for buffer in buffers)
        else:
            assert_right(buffers, torch_results(predictions, target, *options, scale=scale)[1:])


def test_the_loss_of_an_empty_batch_is_nan(operator, device):
    predictions, target = scales((0, 3, 16, 16), 3, [SINGLE], device)
    loss, gradients = operator("multiscale_prediction_loss")(
        predictions, target, 1, 1.0, 1.0, 1.0, [1.0, 1.0, 1.0], 0b111
    )
    assert loss.isnan() and [g.shape for g in gradients] == [x.shape for x in predictions]


@pytest.mark.parametrize("dtype", [SINGLE, HALF, BRAIN, DOUBLE])
@pytest.mark.parametrize(
    ("shape", "levels"), [((2, 3, 16, 16), 2), ((2, 3, 8, 136), 4), ((1, 64, 96), 6), ((48, 80), 5)]
)
def test_a_pyramid_is_rounded_once(operator, device, shape, levels, dtype):
    x = torch.randn(shape, device=device, dtype=DOUBLE).to(dtype)
    got = operator("average_pyramid")(x, levels)
    exact = reference.average_pyramid(x.double(), levels)[:-1]
    assert [(y.shape, y.dtype) for y in got] == [(y.shape, dtype) for y in exact]
    for value, expected in zip(got, exact, strict=True):
        tolerance = 1e-14 if dtype == DOUBLE else 1e-6
        if dtype in (SINGLE, DOUBLE):
            torch.testing.assert_close(value.double(), expected, rtol=tolerance, atol=tolerance)
        else:
            assert_within_one_ulp(value, expected)


@pytest.mark.parametrize("dtype", [SINGLE, BRAIN, DOUBLE])
@pytest.mark.parametrize(("shape", "levels"), [((2, 3, 16, 16), 2), ((2, 3, 8, 136), 4), ((1, 64, 96), 6)])
def test_a_pyramids_gradient_is_that_of_all_its_averages(operator, device, shape, levels, dtype):
    x = torch.randn(shape, device=device, dtype=DOUBLE, requires_grad=True)
    exact = reference.average_pyramid(x, levels)[:-1]
    gradients = [grid(y.shape, k, dtype, device) for k, y in enumerate(exact)]
    (expected,) = torch.autograd.grad(exact, x, [g.double() for g in gradients])
    got = operator("average_pyramid_backward")(gradients)
    assert got.dtype == dtype
    assert_right([got], [expected])


def test_the_same_input_gives_the_same_bits(operator, device):
    predictions, target = scales((2, 3, 32, 32), 4, [SINGLE], device)
    arguments = (predictions, target, 1, 1.0, 1.0, 1.0, [1.0] * 4, 0b1111)
    (first, gradients), (second, again) = (
        operator("multiscale_prediction_loss")(*arguments) for _ in range(2)
    )
    assert torch.equal(first, second)
    assert len(gradients) == 4 and all(map(torch.equal, gradients, again))


def test_the_operators_are_registered_rightly(operator, device):
    predictions, target = scales((2, 8, 8), 2, [SINGLE], device)
    options = (1, 1.0, 1.0, 1.0, [1.0, 1.0])
    torch.library.opcheck(operator("multiscale_prediction_loss"), (predictions, target, *options, 0b11))
    buffers = [torch.zeros_like(x) for x in predictions]
    torch.library.opcheck(
        operator("multiscale_prediction_loss_backward_"),
        (buffers, torch.ones((), device=device), predictions, target, *options, 0b11, False),
    )
    torch.library.opcheck(operator("average_pyramid"), (target, 3))
    torch.library.opcheck(operator("average_pyramid_backward"), (predictions[:1],))
