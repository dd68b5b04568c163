"""Wrong input: the message names the argument, what came, what is allowed, and what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import ebgan_kernels as ek
from support.errors import assert_refused

X, W, B = torch.zeros(2, 3, 8, 8), torch.zeros(4, 3, 3, 3), torch.zeros(4)

WRONG: dict[str, tuple[Callable[[], object], type[Exception], tuple[str, ...]]] = {
    "an input smaller than the kernel": (
        lambda: ek.valid_conv2d(torch.zeros(2, 3, 8, 2), W),
        ValueError,
        ("input has shape (2, 3, 8, 2)", "weight (4, 3, 3, 3)", "at least as large as the kernel", "pad"),
    ),
    "channels that differ": (
        lambda: ek.valid_conv2d(X[:, :2], W),
        ValueError,
        ("input has shape (2, 2, 8, 8)", "weight (4, 3, 3, 3)", "channels, must be equal", "no groups"),
    ),
    "an image without its batch": (
        lambda: ek.valid_conv2d(X[0], W),
        ValueError,
        ("input has shape (3, 8, 8)", "(N, C, H, W)", "input[None]"),
    ),
    "a weight of two axes": (
        lambda: ek.valid_conv2d(X, torch.zeros(4, 3)),
        ValueError,
        ("weight has shape (4, 3)", "(O, C, KH, KW)"),
    ),
    "no maps": (
        lambda: ek.valid_conv2d(X, W[:0]),
        ValueError,
        ("weight (0, 3, 3, 3)", "no axis but the first of input may be empty"),
    ),
    "no channels": (
        lambda: ek.valid_conv2d(X[:, :0], W[:, :0]),
        ValueError,
        ("input has shape (2, 0, 8, 8)", "may be empty"),
    ),
    "a bias of another size": (
        lambda: ek.valid_conv2d(X, W, torch.zeros(3)),
        ValueError,
        ("bias has shape (3,)", "(4,)", "or None"),
    ),
    "a bias of two axes": (
        lambda: ek.valid_conv2d(X, W, B[:, None]),
        ValueError,
        ("bias has shape (4, 1)", "(4,)"),
    ),
    "dtypes that differ": (
        lambda: ek.valid_conv2d(X, W.half()),
        TypeError,
        ("input is torch.float32", "weight torch.float16", "weight.to(input.dtype)", "autocast"),
    ),
    "float64 beside float32": (
        lambda: ek.valid_conv2d(X, W, B.double()),
        TypeError,
        ("input is torch.float32", "bias torch.float64", "one dtype"),
    ),
    "integers": (
        lambda: ek.valid_conv2d(X.to(torch.uint8), W),
        TypeError,
        ("input is torch.uint8", "float16, bfloat16, float32 or float64", "input.float()"),
    ),
    "no tensor": (lambda: ek.valid_conv2d(X, W, 1.0), TypeError, ("bias is float", "torch.Tensor")),
    "two devices": (
        lambda: ek.valid_conv2d(X, W.to("meta")),
        ValueError,
        ("weight is on meta", "input on cpu", "weight.to(input.device)"),
    ),
    "an unknown activation": (
        lambda: ek.valid_conv2d(X, W, activation="gelu"),
        ValueError,
        ("activation is 'gelu'", "'none', 'relu', 'leaky_relu', 'tanh'"),
    ),
    "an unknown activation of a module": (
        lambda: ek.ValidConv2d(3, 4, 3, activation="elu"),
        ValueError,
        ("activation is 'elu'", "'relu'"),
    ),
    "a tensor for a list": (
        lambda: ek.multiscale_valid_conv2d(X, [W], [B]),
        ValueError,
        ("inputs is a tensor", "list of one tensor a scale"),
    ),
    "no scales": (
        lambda: ek.multiscale_valid_conv2d([], [], []),
        ValueError,
        ("inputs is empty", "list of one tensor a scale"),
    ),
    "lists of different lengths": (
        lambda: ek.multiscale_valid_conv2d([X, X], [W, W], [B]),
        ValueError,
        ("inputs has 2 tensors", "weights 2", "biases 1", "None"),
    ),
    "a scale whose input is too small": (
        lambda: ek.multiscale_valid_conv2d([X, X[..., :2, :]], [W, W], [None, None]),
        ValueError,
        ("inputs[1] has shape (2, 3, 2, 8)", "weights[1] (4, 3, 3, 3)"),
    ),
    "a scale of another dtype": (
        lambda: ek.multiscale_valid_conv2d([X, X.half()], [W, W.half()], [None, None]),
        TypeError,
        ("inputs[0] is torch.float32", "inputs[1] torch.float16"),
    ),
    "a scale on another device": (
        lambda: ek.multiscale_valid_conv2d([X, X.to("meta")], [W, W.to("meta")], [None, None]),
        ValueError,
        ("inputs[1] is on meta", "inputs[0] on cpu"),
    ),
    "float64 beside float32 under autocast": (
        lambda: under_autocast(X, W.double()),
        TypeError,
        ("input is torch.float32", "weight torch.float64"),
    ),
}


def under_autocast(*layer: torch.Tensor) -> torch.Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        return ek.valid_conv2d(*layer)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_is_named_with_what_came_and_what_is_allowed(name: str) -> None:
    assert_refused(*WRONG[name])


def test_wrong_input_is_refused_under_torch_compile_too() -> None:
    torch._dynamo.reset()
    with pytest.raises(Exception, match="at least as large as the kernel"):
        torch.compile(ek.valid_conv2d, backend="eager", fullgraph=True)(X[..., :2], W)
