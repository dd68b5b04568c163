"""Tensors of kinds that no operator takes are refused by name, with the remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from support.errors import assert_refused
from support.operators import MARGIN, OPERATORS

# Tensors of a kind that no operator takes, and the remedy that the message must name.
KINDS: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "sparse": (Tensor.to_sparse, ".to_dense()"),
    "of oneDNN's layout": (Tensor.to_mkldnn, ".to_dense()"),
    "nested": (lambda x: torch.nested.nested_tensor([x, x]), "torch.nested.to_padded_tensor("),
    "jagged": (
        lambda x: torch.nested.nested_tensor([x.reshape(-1)] * 2, layout=torch.jagged),
        "torch.nested.to_padded_tensor(",
    ),
    "complex": (Tensor.cfloat, ".abs()"),
    "quantized": (lambda x: torch.quantize_per_tensor(x, 0.1, 0, torch.quint8), ".dequantize()"),
    "bool": (Tensor.bool, ".float()"),
    "integer": (Tensor.int, ".float()"),
}


def with_kind(value: Any, kind: str) -> Any:
    changed = KINDS[kind][0]
    return [changed(value[0]), *value[1:]] if isinstance(value, list) else changed(value)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested", "ignore:torch.quantize_per_tensor")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("operator", "argument"),
    [
        (operator, argument)
        for operator, (_, arguments) in OPERATORS.items()
        for argument, value in arguments.items()
        if isinstance(value, (Tensor, list)) and argument != "margin"
    ],
)
def test_a_tensor_of_another_kind_is_named_with_the_remedy(operator: str, argument: str, kind: str) -> None:
    function, arguments = OPERATORS[operator]
    function(**arguments)
    name = f"{argument}[0]" if isinstance(arguments[argument], list) else argument
    wrong = {**arguments, argument: with_kind(arguments[argument], kind)}
    assert_refused(lambda: function(**wrong), TypeError, (f"{name} ", KINDS[kind][1]))


@pytest.mark.parametrize("kind", ["sparse", "complex", "bool"])
def test_a_margin_of_another_kind_is_refused(kind: str) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^margin "):
        ek.hinge_margin_loss(torch.ones(2), torch.ones(2), with_kind(MARGIN, kind))
    with pytest.raises((TypeError, ValueError), match=r"^margin "):
        ek.EBGANDiscriminatorLoss(with_kind(MARGIN, kind))


def test_every_operator_is_in_the_table() -> None:
    functions = {
        name for name in ek.__all__ if callable(getattr(ek, name)) and name.islower() and name != "backend"
    }
    assert functions == {*OPERATORS, "backend_report"}


class AutoEncoded(NamedTuple):
    """What a discriminator of ``ebgan.gan`` gives."""

    reconstruction: Tensor
    codes: Tensor


def test_a_tuple_in_place_of_a_tensor_is_refused_with_the_remedy() -> None:
    images = torch.rand(2, 1, 8, 8)
    both = AutoEncoded(images, torch.rand(2, 5))
    assert_refused(
        lambda: ek.generator_loss(both, images),  # type: ignore[arg-type]
        TypeError,
        ("fake_reconstruction is AutoEncoded", "torch.Tensor", "pass fake_reconstruction.reconstruction"),
    )
    assert_refused(
        lambda: ek.generator_loss(tuple(both), images),  # type: ignore[arg-type]
        TypeError,
        ("fake_reconstruction is tuple", "pass one of its 2 fields"),
    )
