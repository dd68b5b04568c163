"""The definition of the gradient-difference family against values worked out by hand and loops over pairs."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from ebgan_kernels.reference import gdl as reference

P = torch.tensor([[0.0, 1.0, 3.0], [2.0, -1.0, 3.0]])
T = torch.tensor([[0.0, 2.0, 1.0], [0.0, 1.0, 1.0]])
# |steps| along rows: of P 1, 2; 3, 4, of T 2, 1; 1, 0; so |q| = 1, 1, 2, 4.
# |steps| down columns: of P 2, 2, 0, of T 0, 1, 0; so |q| = 2, 1, 0.


@pytest.mark.parametrize(
    ("alpha", "reduction", "loss"),
    [(1.0, "mean", 8 / 4 + 3 / 3), (1.0, "sum", 11.0), (2.0, "mean", 22 / 4 + 5 / 3), (2.0, "sum", 27.0)],
)
def test_gradient_difference_of_two_images_of_two_rows(alpha: float, reduction: str, loss: float) -> None:
    result = reference.gradient_difference_loss(P, T, alpha, 2, reduction)
    assert result.item() == pytest.approx(loss, rel=1e-6)


@pytest.mark.parametrize(("p", "lp"), [(1, 9 / 6), (2, 17 / 6)])
def test_prediction_loss_is_the_weighted_sum_of_both_terms(p: int, lp: float) -> None:
    # residuals 0, -1, 2, 2, -2, 2
    loss = reference.prediction_loss(P, T, 2, p, 1.0, 0.5, 2.0, "mean")
    assert loss.item() == pytest.approx(0.5 * lp + 2 * 3.0, rel=1e-6)


def loop(prediction: Tensor, target: Tensor, alpha: float, spatial_dims: int, mean: bool) -> float:
    """Over every pair of elements that are neighbours along one of the last axes."""
    total = 0.0
    for axis in range(prediction.dim() - spatial_dims, prediction.dim()):
        terms = []
        for index in itertools.product(*map(range, prediction.shape)):
            after = (*index[:axis], index[axis] + 1, *index[axis + 1 :])
            if after[axis] < prediction.shape[axis]:
                step = abs(float(prediction[after] - prediction[index]))
                wanted = abs(float(target[after] - target[index]))
                terms.append(abs(step - wanted) ** alpha)
        total += sum(terms) / (len(terms) if mean else 1)
    return total


@pytest.mark.parametrize("alpha", [1.0, 2.0, 1.5, 3.0])
@pytest.mark.parametrize(("spatial_dims", "shape"), [(2, (2, 3, 4, 5)), (2, (3, 2)), (3, (2, 3, 4, 2))])
def test_gradient_difference_equals_a_loop_over_pairs(
    alpha: float, spatial_dims: int, shape: tuple[int, ...]
) -> None:
    prediction, target = torch.randn(2, *shape, dtype=torch.float64)
    for reduction in ("mean", "sum"):
        loss = reference.gradient_difference_loss(prediction, target, alpha, spatial_dims, reduction)
        expected = loop(prediction, target, alpha, spatial_dims, reduction == "mean")
        assert loss.item() == pytest.approx(expected, rel=1e-12)


def test_none_is_the_mean_form_of_each_sample() -> None:
    prediction, target = torch.randn(2, 3, 2, 4, 5, dtype=torch.float64)
    losses = reference.prediction_loss(prediction, target, 2, 2, 1.5, 0.5, 2.0, "none")
    one_by_one = [
        reference.prediction_loss(a, b, 2, 2, 1.5, 0.5, 2.0, "mean")
        for a, b in zip(prediction, target, strict=True)
    ]
    torch.testing.assert_close(losses, torch.stack(one_by_one))


@pytest.mark.parametrize("alpha", [1.0, 2.0, 1.5])
def test_a_constant_and_a_sign_cost_nothing(alpha: float) -> None:
    target = torch.randint(-9, 9, (2, 3, 6, 5)).double()
    for prediction in (target, target + 4.5, -target):
        assert reference.gradient_difference_loss(prediction, target, alpha, 2, "mean") == 0


@pytest.mark.parametrize("alpha", [1.0, 2.0, 1.5])
def test_a_missing_vertical_edge_costs_its_height_once_a_row(alpha: float) -> None:
    rows, step = 6, 0.5
    target = torch.zeros(rows, 8, dtype=torch.float64)
    target[:, 3:] = step
    loss = reference.gradient_difference_loss(torch.zeros_like(target), target, alpha, 2, "sum")
    assert loss.item() == pytest.approx(rows * step**alpha)


def test_only_pairs_inside_the_image_count() -> None:
    # Wrapped around, or against a frame of zeros, a ramp would have more than its own steps.
    ramp = torch.arange(5.0).expand(4, 5)
    assert reference.gradient_difference_loss(ramp, torch.zeros(4, 5), 1.0, 2, "sum").item() == 4 * 4


def test_the_gradient_at_a_tie_is_zero() -> None:
    target = torch.randn(2, 3, 4)
    for alpha in (1.0, 2.0, 1.5):
        prediction = target.clone().requires_grad_()
        reference.prediction_loss(prediction, target, 2, 1, alpha, 1.0, 1.0, "mean").backward()
        assert not prediction.grad.any()


def test_a_term_of_weight_zero_is_left_out() -> None:
    infinite = torch.full((2, 2), torch.inf)  # whose steps are NaN, and so would be 0 times them
    assert reference.prediction_loss(infinite, torch.zeros(2, 2), 2, 1, 1.0, 1.0, 0.0, "mean") == torch.inf


def test_the_pyramid_is_made_of_averages_of_blocks() -> None:
    x = torch.arange(32.0).reshape(2, 4, 4)
    coarsest, middle, finest = reference.average_pyramid(x, 3)
    assert finest is x
    assert middle[0].tolist() == [[2.5, 4.5], [10.5, 12.5]]
    assert coarsest.flatten().tolist() == [7.5, 23.5]


def test_half_averages_are_rounded_once() -> None:
    # Blocks average to 257, 257, 257 and 258, which bfloat16 has as 256, 256, 256 and 258 (ties to even):
    # their average would be 256.5, rounded to 256; that of x is 257.25, rounded to 258.
    x = torch.tensor(
        [[256.0, 258, 256, 258], [256, 258, 256, 258], [256, 258, 258, 258], [256, 258, 258, 258]]
    )
    coarsest, middle, _ = reference.average_pyramid(x.bfloat16(), 3)
    assert middle.tolist() == [[256, 256], [256, 258]] and coarsest.item() == 258


def test_the_multiscale_loss_is_the_weighted_sum_over_scales() -> None:
    target = torch.randn(2, 3, 8, 12, dtype=torch.float64)
    predictions = [torch.randn(2, 3, 8 // k, 12 // k, dtype=torch.float64) for k in (4, 2, 1)]
    loss = reference.multiscale_prediction_loss(predictions, target, 2, 1.0, 1.0, 0.5, [1.0, 2.0, 3.0])
    averages = [torch.nn.functional.avg_pool2d(target, k) for k in (4, 2)]
    expected = sum(
        weight * reference.prediction_loss(prediction, average, 2, 2, 1.0, 1.0, 0.5, "mean")
        for weight, prediction, average in zip((1, 2, 3), predictions, (*averages, target), strict=True)
    )
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_images_are_compared_in_float32(dtype: torch.dtype) -> None:
    ones = torch.ones(2, 50_001, dtype=dtype)
    loss = reference.prediction_loss(ones, torch.zeros(2, 50_001), 2, 2, 1.0, 1.0, 1.0, "sum")
    assert loss.dtype == torch.float32 and loss.item() == 100_002
