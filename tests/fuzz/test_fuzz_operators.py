"""Every public function and module, given arguments of all kinds: it computes, or refuses and says why.

A refusal is a ValueError or TypeError (of a module's constructor, too) of one line that names an argument.
EBGAN_FUZZ_CASES is the number of calls over all of them (`make fuzz` takes 10,000).
"""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import ebgan_kernels as ek

CASES = int(os.environ.get("EBGAN_FUZZ_CASES", "500"))
VALUES = [0.0, 1.0, -1.0, 0.5, 1e-30, 1e-45, 1e4, 1e20, 3e38, math.inf, -math.inf, math.nan]
FLOATING = [torch.float32] * 6 + [torch.float64, torch.float16, torch.bfloat16]
OTHER = [torch.int64, torch.int32, torch.bool, torch.uint8, torch.complex64, torch.float8_e5m2]
FUNCTIONS = [
    name
    for name in ek.__all__
    if inspect.isfunction(getattr(ek, name)) and name not in ("backend", "backend_report")
]
MODULES = [
    name
    for name in ek.__all__
    if isinstance(getattr(ek, name), type(nn.Module)) and issubclass(getattr(ek, name), nn.Module)
]
COUNT = max(CASES // (len(FUNCTIONS) + len(MODULES)), 1)
EACH = settings(
    max_examples=COUNT, deadline=None, suppress_health_check=list(HealthCheck), derandomize="CI" in os.environ
)


@st.composite
def tensors(draw: st.DrawFn, shape: tuple[int, ...], right: torch.dtype | None) -> Any:
    """A tensor of the shape and of the `right` dtype, of any layout and values.

    Without a right one it is of about the shape and of any dtype, or something that is no tensor.
    """
    changed, dtype = list(shape), right
    if dtype is None:
        if draw(st.integers(0, 24)) == 0:
            return draw(st.sampled_from([None, 1.0, "x", [1.0], (), torch.Size([1])]))
        if draw(st.integers(0, 9)) == 0:
            changed = draw(st.lists(st.integers(0, 5), max_size=6))
        elif changed and draw(st.integers(0, 9)) == 0:
            changed[draw(st.integers(0, len(changed) - 1))] = draw(st.integers(0, 7))
        dtype = draw(st.sampled_from(OTHER if draw(st.integers(0, 19)) == 0 else FLOATING))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1 << 16)))
    doubled = [2 * size for size in changed]
    tensor = torch.randn(doubled, generator=generator, dtype=torch.float64)
    if draw(st.integers(0, 4)) == 0 and tensor.numel():
        tensor.view(-1)[:: draw(st.integers(1, 9))] = draw(st.sampled_from(VALUES))
    tensor = tensor.to(dtype)
    layout = draw(st.sampled_from(["dense", "dense", "sliced", "reversed", "expanded", "offset"]))
    index = {"sliced": slice(None, None, 2), "offset": slice(1, None)}.get(layout)
    for axis, size in enumerate(changed):
        if index is not None and tensor.shape[axis] >= size:
            tensor = tensor[(slice(None),) * axis + (index,)]
        tensor = tensor.narrow(axis, 0, size)
    if layout == "dense":
        tensor = tensor.contiguous()
    elif layout == "reversed" and tensor.ndim > 1:
        tensor = (
            tensor.contiguous()
            .permute(*reversed(range(tensor.ndim)))
            .contiguous()
            .permute(*reversed(range(tensor.ndim)))
        )
    elif layout == "expanded" and tensor.ndim and tensor.shape[0] > 1:
        tensor = tensor[:1].expand(tensor.shape)  # all samples lie at one place
    rare = draw(st.integers(0 if right is None else 2, 39))
    if rare == 0:
        return tensor.to("meta")
    if rare == 1:
        return tensor.to_sparse() if tensor.dtype in FLOATING else tensor
    if rare < 12 and tensor.is_floating_point():
        tensor = tensor.detach().requires_grad_()
    return tensor


def mixed(right: list[Any]) -> st.SearchStrategy[Any]:
    """Mostly one of the right values, else one of the wrong kind or size."""
    wrong = [None, "no", -1, 0, 0.5, 3, 99, 1e30, math.nan, math.inf, [], (1,), True, torch.tensor(2.0)]
    return st.one_of(*[st.sampled_from(right)] * 6, st.sampled_from(wrong))


OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "distance": mixed(["l2", "squared_l2", "mse", "l1"]),
    "shaping": mixed(["identity", "square"]),
    "reduction": mixed(["mean", "sum", "none"]),
    "activation": mixed(["none", "relu", "leaky_relu", "tanh"]),
    "margin": mixed([0.0, 1.0, 10.0, torch.tensor(3.0)]),
    "pulling_away_weight": mixed([0.0, 0.1, 2.0]),
    "group": st.just(None),
    "alpha": mixed([1.0, 1.5, 2.0, 3]),
    "spatial_dims": mixed([1, 2, 3]),
    "p": mixed([1, 2]),
    "lp_weight": mixed([0.0, 1.0]),
    "gdl_weight": mixed([0.0, 1.0]),
    "levels": mixed([1, 2, 3]),
    "scale_weights": mixed([None, [1.0, 2.0], [1.0]]),
    # Of the constructors of layers; torch's own refuse the rest in their own words.
    "units": st.sampled_from([1, 3]),
    "leading": st.sampled_from([(), (2,)]),
    "in_channels": st.sampled_from([1, 3]),
    "out_channels": st.sampled_from([1, 2]),
    "kernel_size": st.sampled_from([1, 3, (1, 3)]),
    "kernel_sizes": st.sampled_from([[1, 3], [(1, 3), 1], [3]]),
    "bias": st.booleans(),
    "device": st.sampled_from([None, "cpu"]),
    "dtype": st.sampled_from([None, torch.float32, torch.float64]),
}
IMAGES, CODES, UNITS, CONV = (2, 3, 4, 4), (3, 5), (2, 4, 3), (2, 3, 5, 6)
SHAPES: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(
        ["reconstruction", "target", "real_reconstruction", "real", "fake_reconstruction"], IMAGES
    ),
    **dict.fromkeys(["fake", "prediction", "x"], IMAGES),
    **dict.fromkeys(["real_energy", "fake_energy"], (4,)),
    "codes": CODES,
    **dict.fromkeys(["z", "u", "z_clean"], UNITS),
    "parameters": (2, 10, 3),
    **dict.fromkeys(["mean", "std", "beta", "gamma"], (2, 3)),
    "noise": UNITS,
    "input": CONV,
    "weight": (2, 3, 3, 2),
    "bias": (2,),
}
LISTS: dict[str, list[tuple[int, ...]]] = {
    "predictions": [(2, 3, 2, 2), IMAGES],
    "inputs": [CONV, (2, 1, 4, 4)],
    "weights": [(2, 3, 3, 2), (1, 1, 2, 2)],
    "biases": [(2,), (1,)],
}


@st.composite
def arguments(draw: st.DrawFn, function: Callable[..., Any], *, module: bool) -> dict[str, Any]:
    """Arguments by name, the tensors of every other call all right; now and then one is given twice."""
    found: dict[str, Any] = {}
    right = draw(st.sampled_from(FLOATING)) if draw(st.booleans()) else None
    of_layer = {"x": UNITS, "beta": UNITS[2:], "gamma": UNITS[2:]}
    shapes = SHAPES | (of_layer if function is ek.ladder_layer else {})
    for name, parameter in inspect.signature(function).parameters.items():
        if name == "self" or (parameter.default is not parameter.empty and draw(st.booleans())):
            continue
        if name in LISTS and not module:
            each = [draw(tensors(shape, right)) for shape in LISTS[name]]
            found[name] = each[: draw(st.sampled_from([2, 2, 2, 2, 1, 0] if right is None else [2]))]
        elif name in shapes and not (module and name == "bias"):
            found[name] = draw(tensors(shapes[name], right))
        else:
            found[name] = draw(OPTIONS[name])
    if function is ek.MultiscaleValidConv2d.__init__:
        found["in_channels"] = [3, 1][: draw(st.sampled_from([2, 2, 1]))]
        found["out_channels"] = [2, 1][: draw(st.sampled_from([2, 2, 1]))]
    given_tensors = [name for name, value in found.items() if isinstance(value, Tensor)]
    if len(given_tensors) > 1 and draw(st.integers(0, 9)) == 0:
        found[given_tensors[0]] = found[given_tensors[1]]
    return found


def refused(error: Exception, names: list[str]) -> bool:
    text = str(error)
    return "\n" not in text and any(name in text for name in names)


def differentiate(result: Any) -> None:
    results = [result] if isinstance(result, Tensor) else list(result)
    for each in results:
        if isinstance(each, Tensor) and each.requires_grad and each.device.type == "cpu":
            each.sum().backward(retain_graph=True)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_computes_or_refuses_in_one_line(name: str) -> None:
    function = getattr(ek, name)
    names = [parameter.replace("_reconstruction", "") for parameter in inspect.signature(function).parameters]

    computed: list[str] = []

    @EACH
    @given(arguments(function, module=False))
    def check(given_arguments: dict[str, Any]) -> None:
        try:
            result = function(**given_arguments)
        except (ValueError, TypeError) as error:
            assert refused(error, names), f"{type(error).__name__}: {error}"
            return
        computed.append(name)
        differentiate(result)

    check()
    if COUNT > 200:  # of few cases all may be refused
        assert len(computed) > COUNT // 10


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_built_and_computes_or_refuses_in_one_line(name: str) -> None:
    kind = getattr(ek, name)
    names = [*inspect.signature(kind.__init__).parameters, *inspect.signature(kind.forward).parameters]

    @EACH
    @given(arguments(kind.__init__, module=True), arguments(kind.forward, module=False))
    def check(options: dict[str, Any], inputs: dict[str, Any]) -> None:
        inputs.pop("self", None)
        try:
            result = kind(**options)(**inputs)
        except (ValueError, TypeError) as error:
            assert refused(error, names), f"{type(error).__name__}: {error}"
            return
        differentiate(result)

    check()
