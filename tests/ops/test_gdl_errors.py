"""Wrong input: the message names the argument, what came, what is allowed, and what to do."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

import ebgan_kernels as ek
from support.errors import assert_refused

X = torch.zeros(2, 3, 8, 8)
HALVED = torch.zeros(2, 3, 4, 4)

WRONG: dict[str, tuple[Callable[[], object], type[Exception], tuple[str, ...]]] = {
    "shapes differ": (
        lambda: ek.prediction_loss(X, torch.zeros(2, 1, 8, 8)),
        ValueError,
        ("prediction has shape (2, 3, 8, 8)", "target (2, 1, 8, 8)", "nothing is broadcast", "reshape"),
    ),
    "two devices": (
        lambda: ek.gradient_difference_loss(X, X.to("meta")),
        ValueError,
        ("target is on meta", "prediction on cpu", "target.to(prediction.device)"),
    ),
    "float64 beside float32": (
        lambda: ek.prediction_loss(X.double(), X),
        TypeError,
        ("prediction is torch.float64", "target torch.float32", "float64 goes only with float64"),
    ),
    "integer images": (
        lambda: ek.gradient_difference_loss(X.to(torch.uint8), X),
        TypeError,
        ("prediction is torch.uint8", "float16, bfloat16, float32 or float64", "prediction.float()"),
    ),
    "no tensor": (lambda: ek.prediction_loss(X, 0.0), TypeError, ("target is float", "torch.Tensor")),
    "a row alone": (
        lambda: ek.gradient_difference_loss(torch.zeros(8), torch.zeros(8)),
        ValueError,
        ("prediction has shape (8,)", "spatial_dims=2", "at least (H, W)", "prediction[None]"),
    ),
    "a volume without its depth": (
        lambda: ek.prediction_loss(torch.zeros(8, 8), torch.zeros(8, 8), spatial_dims=3),
        ValueError,
        ("prediction has shape (8, 8)", "spatial_dims=3", "at least (D, H, W)"),
    ),
    "a value each sample without samples": (
        lambda: ek.prediction_loss(torch.zeros(8, 8), torch.zeros(8, 8), reduction="none"),
        ValueError,
        ("prediction has shape (8, 8)", "samples (N, ...)", "reduction 'none'", "prediction[None]"),
    ),
    "one column": (
        lambda: ek.gradient_difference_loss(X[..., :1], X[..., :1]),
        ValueError,
        ("prediction has shape (2, 3, 8, 1)", "(H, W)", "at least 2", "no pair"),
    ),
    "one slice": (
        lambda: ek.prediction_loss(X[:, :1], X[:, :1], spatial_dims=3),
        ValueError,
        ("prediction has shape (2, 1, 8, 8)", "(D, H, W)", "at least 2", "another spatial_dims"),
    ),
    "alpha below 1": (
        lambda: ek.gradient_difference_loss(X, X, alpha=0.5),
        ValueError,
        ("alpha is 0.5", "1 or more"),
    ),
    "alpha that is not a number": (
        lambda: ek.GradientDifferenceLoss(alpha=math.nan),
        ValueError,
        ("alpha is nan", "1 or more"),
    ),
    "infinite alpha": (
        lambda: ek.prediction_loss(X, X, alpha=math.inf),
        ValueError,
        ("alpha is inf", "finite"),
    ),
    "alpha of another type": (
        lambda: ek.prediction_loss(X, X, alpha="1"),
        TypeError,
        ("alpha is str", "a float"),
    ),
    "p of 3": (lambda: ek.prediction_loss(X, X, p=3), ValueError, ("p is 3", "1 or 2")),
    "four spatial axes": (
        lambda: ek.PredictionLoss(spatial_dims=4),
        ValueError,
        ("spatial_dims is 4", "2, for (H, W), or 3, for (D, H, W)"),
    ),
    "unknown reduction": (
        lambda: ek.prediction_loss(X, X, reduction="batchmean"),
        ValueError,
        ("reduction is 'batchmean'", "'mean', 'sum', 'none'"),
    ),
    "negative weight": (
        lambda: ek.prediction_loss(X, X, gdl_weight=-1.0),
        ValueError,
        ("gdl_weight is -1.0", "0 or more"),
    ),
    "both weights zero": (
        lambda: ek.MultiscalePredictionLoss(lp_weight=0.0, gdl_weight=0.0),
        ValueError,
        ("lp_weight and gdl_weight are both 0", "one must be positive"),
    ),
    "no predictions": (
        lambda: ek.multiscale_prediction_loss([], X),
        ValueError,
        ("predictions is empty", "one tensor a scale", "coarsest first"),
    ),
    "a tensor for a list": (
        lambda: ek.multiscale_prediction_loss(X, X),
        ValueError,
        ("predictions is a tensor", "a list of one tensor a scale"),
    ),
    "predictions fine to coarse": (
        lambda: ek.multiscale_prediction_loss([X, HALVED], X),
        ValueError,
        ("predictions[1] has shape (2, 3, 4, 4)", "target (2, 3, 8, 8)"),
    ),
    "a scale of the wrong size": (
        lambda: ek.multiscale_prediction_loss([HALVED, HALVED, X], X),
        ValueError,
        ("predictions[0] has shape (2, 3, 4, 4)", "target (2, 3, 8, 8)", "divided by 4", "coarse to fine"),
    ),
    "a scale of one pixel": (
        lambda: ek.multiscale_prediction_loss([torch.zeros(2, 3, 1, 1), X[..., :2, :2]], X[..., :2, :2]),
        ValueError,
        ("predictions[0] has shape (2, 3, 1, 1)", "each at least 2"),
    ),
    "a scale on another device": (
        lambda: ek.multiscale_prediction_loss([HALVED.to("meta"), X], X),
        ValueError,
        ("predictions[0] is on meta", "target on cpu"),
    ),
    "a scale in float64": (
        lambda: ek.multiscale_prediction_loss([HALVED.double(), X], X),
        TypeError,
        ("predictions[0] torch.float64", "target is torch.float32", "float64 goes only with float64"),
    ),
    "scale weights that do not count the scales": (
        lambda: ek.multiscale_prediction_loss([HALVED, X], X, scale_weights=[1.0]),
        ValueError,
        ("scale_weights has 1 values", "predictions 2", "one weight a scale"),
    ),
    "a negative scale weight": (
        lambda: ek.multiscale_prediction_loss([HALVED, X], X, scale_weights=[1.0, -2.0]),
        ValueError,
        ("scale_weights[1] is -2.0", "0 or more"),
    ),
    "a size that cannot be halved so often": (
        lambda: ek.average_pyramid(torch.zeros(2, 12, 8), 4),
        ValueError,
        ("x has shape (2, 12, 8)", "4 levels", "multiples of 8", "crop or pad"),
    ),
    "no levels": (lambda: ek.average_pyramid(X, 0), ValueError, ("levels is 0", "at least 1")),
    "a pyramid of a row": (
        lambda: ek.average_pyramid(torch.zeros(8), 2),
        ValueError,
        ("x has shape (8,)", "at least (H, W)"),
    ),
    "a pyramid of integers": (
        lambda: ek.average_pyramid(X.long(), 2),
        TypeError,
        ("x is torch.int64", "float16, bfloat16, float32 or float64", "x.float()"),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_is_named_with_what_came_and_what_is_allowed(name: str) -> None:
    assert_refused(*WRONG[name])


def test_wrong_input_is_refused_under_torch_compile_too() -> None:
    torch._dynamo.reset()
    with pytest.raises(Exception, match="nothing is broadcast"):
        torch.compile(ek.prediction_loss, backend="eager", fullgraph=True)(X, X[:1])
