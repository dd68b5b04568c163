"""Options that are numbers take those of Python and NumPy, and say so of what they do not take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import ebgan_kernels as ek
from support.errors import assert_refused
from support.operators import IMAGES, OPERATORS

# Options that are numbers: the operator or module, the rest of its arguments, and the option with a value.
NUMBERS: list[tuple[Callable[..., Any], dict[str, Any], str, float]] = [
    (ek.hinge_margin_loss, {"real_energy": torch.ones(2), "fake_energy": torch.ones(2)}, "margin", 10),
    (ek.discriminator_loss, OPERATORS["discriminator_loss"][1], "margin", 10),
    (ek.generator_loss, OPERATORS["generator_loss"][1], "pulling_away_weight", 2),
    (ek.gradient_difference_loss, OPERATORS["prediction_loss"][1], "alpha", 2),
    (ek.gradient_difference_loss, OPERATORS["prediction_loss"][1], "spatial_dims", 2),
    (ek.prediction_loss, OPERATORS["prediction_loss"][1], "p", 2),
    (ek.prediction_loss, OPERATORS["prediction_loss"][1], "alpha", 2),
    (ek.prediction_loss, OPERATORS["prediction_loss"][1], "lp_weight", 2),
    (ek.prediction_loss, OPERATORS["prediction_loss"][1], "gdl_weight", 2),
    (ek.multiscale_prediction_loss, OPERATORS["multiscale_prediction_loss"][1], "p", 2),
    (ek.multiscale_prediction_loss, OPERATORS["multiscale_prediction_loss"][1], "lp_weight", 2),
    (ek.average_pyramid, {"x": IMAGES}, "levels", 2),
    (ek.HingeMarginLoss, {}, "margin", 10),
    (ek.EBGANDiscriminatorLoss, {}, "margin", 10),
    (ek.EBGANGeneratorLoss, {}, "pulling_away_weight", 2),
    (ek.GradientDifferenceLoss, {}, "alpha", 2),
    (ek.GradientDifferenceLoss, {}, "spatial_dims", 3),
    (ek.PredictionLoss, {}, "p", 2),
    (ek.PredictionLoss, {}, "alpha", 2),
    (ek.PredictionLoss, {}, "gdl_weight", 2),
    (ek.MultiscalePredictionLoss, {}, "lp_weight", 2),
    (ek.GaussianCombinator, {}, "units", 2),
]


def same(first: Any, second: Any) -> bool:
    if isinstance(first, nn.Module):
        return repr(first) == repr(second)
    if isinstance(first, Tensor):
        return torch.equal(first, second)
    return all(map(same, first, second))


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.float16, np.int64], ids=lambda k: k.__name__)
@pytest.mark.parametrize(
    ("function", "others", "option", "value"), NUMBERS, ids=lambda x: getattr(x, "__name__", str(x)[:12])
)
def test_a_number_of_numpy_is_taken_as_pythons(
    function: Callable[..., Any], others: dict[str, Any], option: str, value: float, kind: type
) -> None:
    if option in ("levels", "units"):
        kind = np.int64  # they are no measures but counts
    torch.manual_seed(0)
    expected = function(**{**others, option: value})
    torch.manual_seed(0)
    assert same(expected, function(**{**others, option: kind(value)}))


@pytest.mark.parametrize("kind", [np.float32, np.int64], ids=lambda k: k.__name__)
def test_weights_of_scales_may_be_numpys(kind: type) -> None:
    arguments = OPERATORS["multiscale_prediction_loss"][1]
    expected = ek.multiscale_prediction_loss(**arguments, scale_weights=[1, 2])
    for weights in ([kind(1), kind(2)], np.array([1, 2], kind)):
        assert torch.equal(ek.multiscale_prediction_loss(**arguments, scale_weights=weights), expected)
        module = ek.MultiscalePredictionLoss(scale_weights=weights)
        assert torch.equal(module(**arguments), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.uint8])
def test_a_margin_may_be_a_0d_tensor_of_any_number(dtype: torch.dtype) -> None:
    margin, energies = torch.tensor(10, dtype=dtype), (torch.zeros(2), torch.zeros(2))
    assert ek.hinge_margin_loss(*energies, margin).item() == 10
    module = ek.HingeMarginLoss(margin)
    assert module(*energies).item() == 10 and module.margin.dtype is torch.float32
    margin.fill_(3)
    assert module.margin.item() == 10, "the module has a copy"


@pytest.mark.parametrize(
    ("function", "others", "option", "value"),
    [row for row in NUMBERS if row[2] in ("alpha", "lp_weight", "gdl_weight", "pulling_away_weight")],
    ids=lambda x: getattr(x, "__name__", str(x)[:12]),
)
def test_a_tensor_as_an_option_is_refused_with_the_remedy(
    function: Callable[..., Any], others: dict[str, Any], option: str, value: float
) -> None:
    assert_refused(
        lambda: function(**{**others, option: torch.tensor(2.0)}),
        TypeError,
        (f"{option} is Tensor", "a float", f"float({option})"),
    )
    assert_refused(
        lambda: function(**{**others, option: "2"}), TypeError, (f"{option} is str", "it must be a float")
    )


def test_options_of_a_module_can_be_set_later() -> None:
    image, other = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
    loss = ek.PredictionLoss()
    loss.p, loss.alpha, loss.lp_weight, loss.gdl_weight = 2, 1.5, 0.5, 3.0
    expected = ek.prediction_loss(image, other, p=2, alpha=1.5, lp_weight=0.5, gdl_weight=3.0)
    assert torch.equal(loss(image, other), expected)
    assert repr(loss).startswith("PredictionLoss(p=2, alpha=1.5, lp_weight=0.5, gdl_weight=3, ")
    loss.alpha = 0.5
    assert_refused(lambda: loss(image, other), ValueError, ("alpha is 0.5", "1 or more"))


def test_a_number_of_numpy_under_torch_compile() -> None:
    loss = ek.PredictionLoss(alpha=np.float32(2))
    compiled = torch.compile(lambda x: loss(x, 2 * x), backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(IMAGES), loss(IMAGES, 2 * IMAGES))
