"""The modules: equal to the functions, with their options in their representation."""

from __future__ import annotations

import pytest
import torch

import ebgan_kernels as ek
from support.gdl import CASES, Case
from support.implementations import device_of


def module_of(case: Case) -> torch.nn.Module:
    weights = (case.p, case.alpha, case.lp_weight, case.gdl_weight)
    if case.name == "gradient_difference_loss":
        return ek.GradientDifferenceLoss(case.alpha, case.spatial_dims, case.reduction)
    if case.name == "multiscale_prediction_loss":
        return ek.MultiscalePredictionLoss(*weights, scale_weights=[0.5, 2])
    return ek.PredictionLoss(*weights, case.spatial_dims, case.reduction)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_modules_equal_functions(case: Case, implementation: ek.Backend) -> None:
    inputs = case.inputs(device=device_of(implementation))
    module = module_of(case)
    images = (inputs[:-1], inputs[-1]) if isinstance(module, ek.MultiscalePredictionLoss) else inputs
    assert torch.equal(module(*images), case(inputs))
    assert not module.state_dict()


def test_representations_show_the_options() -> None:
    assert (
        repr(ek.GradientDifferenceLoss(2.0, reduction="sum"))
        == "GradientDifferenceLoss(alpha=2, spatial_dims=2, reduction='sum')"
    )
    assert (
        repr(ek.PredictionLoss(2, 1.5, spatial_dims=3))
        == "PredictionLoss(p=2, alpha=1.5, lp_weight=1, gdl_weight=1, spatial_dims=3, reduction='mean')"
    )
    assert (
        repr(ek.MultiscalePredictionLoss(scale_weights=[1, 2]))
        == "MultiscalePredictionLoss(p=1, alpha=1, lp_weight=1, gdl_weight=1, scale_weights=[1, 2])"
    )
