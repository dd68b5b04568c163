"""An argument has one default, wherever it stands: in a function, its reference and its module."""

from __future__ import annotations

import importlib
import inspect

import pytest
from torch import nn

import ebgan_kernels as ek
from ebgan_kernels.families import OPERATOR_FAMILIES

DEFAULTS = {
    "distance": "l2",
    "shaping": "identity",
    "reduction": "mean",
    "activation": "none",
    "pulling_away_weight": 0.1,
    "p": 1,
    "alpha": 1.0,
    "lp_weight": 1.0,
    "gdl_weight": 1.0,
    "spatial_dims": 2,
    "leading": (),
    **dict.fromkeys(["codes", "group", "bias", "noise", "beta", "gamma", "scale_weights", "device", "dtype"]),
}
OF_LAYERS = {"bias": True}  # as torch's own have it
PUBLIC = {name: getattr(ek, name) for name in ek.__all__ if name not in ("backend", "backend_report")}
PUBLIC |= {
    f"reference.{family}.{name}": function
    for family in OPERATOR_FAMILIES
    for name, function in vars(importlib.import_module(f"ebgan_kernels.reference.{family}")).items()
    if name in ek.__all__
}
TAKEN = [
    (name, parameter)
    for name, each in PUBLIC.items()
    if inspect.isfunction(each) or (inspect.isclass(each) and issubclass(each, nn.Module))
    for parameter in inspect.signature(each).parameters.values()
    if parameter.default is not parameter.empty
]


@pytest.mark.parametrize(("name", "parameter"), TAKEN, ids=lambda each: getattr(each, "name", each))
def test_a_default_is_that_of_the_design(name: str, parameter: inspect.Parameter) -> None:
    of_layer = inspect.isclass(PUBLIC[name]) and parameter.name in OF_LAYERS
    assert parameter.default == (OF_LAYERS if of_layer else DEFAULTS)[parameter.name]
