"""torch.library.opcheck of every registered operator: schema, fake kernel, aliasing, dynamic shapes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from ebgan_kernels.native.gdl import REDUCTIONS, SCHEMAS
from ebgan_kernels.ops.gradients import operator
from support.gdl import Case
from support.implementations import device_of

LOSS = (2, 2, 1.5, 0.5, 2.0)  # spatial_dims, p, alpha, lp_weight, gdl_weight
SCALES = (1, 1.0, 0.5, 2.0, [1.0, 3.0])
MEAN, NONE = REDUCTIONS["mean"], REDUCTIONS["none"]

# Of two predictions, a target and a 1: the last prediction is the target's size, the first half of it.
ARGUMENTS: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], tuple[object, ...]]] = {
    "prediction_loss": lambda c, x, t, one: (x, t, *LOSS, MEAN, True, True),
    "prediction_loss_backward_": lambda c, x, t, one: (
        *(torch.zeros_like(x), torch.zeros_like(t)),
        *(3 * one, x, t, *LOSS, MEAN, False),
    ),
    "multiscale_prediction_loss": lambda c, x, t, one: ([c, x], t, *SCALES, True),
    "multiscale_prediction_loss_backward_": lambda c, x, t, one: (
        [torch.zeros_like(c), torch.zeros_like(x)],
        *(3 * one, [c, x], t, *SCALES, False),
    ),
    "average_pyramid": lambda c, x, t, one: (t, 2),
    "average_pyramid_backward": lambda c, x, t, one: ([c],),
}
# The ways that are left: a value a sample, nothing needed, one gradient.
OTHERS: list[tuple[str, Callable[[Tensor, Tensor, Tensor, Tensor], tuple[object, ...]]]] = [
    ("prediction_loss", lambda c, x, t, one: (x, t, *LOSS, NONE, False, False)),
    ("prediction_loss", lambda c, x, t, one: (x, t, *LOSS, MEAN, True, False)),
    ("multiscale_prediction_loss", lambda c, x, t, one: ([c, x], t, *SCALES, False)),
    (
        "prediction_loss_backward_",
        lambda c, x, t, one: (
            *(torch.zeros_like(x), t.new_empty(0)),
            *(one.expand(len(x)), x, t, *LOSS, NONE, False),
        ),
    ),
]


@pytest.mark.parametrize(
    "dtypes",
    [(torch.float32, torch.float32), (torch.float64, torch.float64), (torch.bfloat16, torch.float32)],
    ids=str,
)
@pytest.mark.parametrize(
    ("name", "arguments"),
    [*ARGUMENTS.items(), *OTHERS],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_operators_pass_opcheck(
    name: str,
    arguments: Callable[..., tuple[object, ...]],
    dtypes: tuple[torch.dtype, torch.dtype],
    kernels: ek.Backend,
) -> None:
    tensors = Case("multiscale_prediction_loss").inputs(dtypes=dtypes, device=device_of(kernels))
    one = torch.ones((), device=device_of(kernels), dtype=torch.promote_types(dtypes[0], torch.float32))
    torch.library.opcheck(operator(kernels, name), arguments(*[x.detach() for x in tensors], one))


def test_every_operator_is_checked() -> None:
    assert set(ARGUMENTS) == set(SCHEMAS)


@pytest.mark.parametrize("filled", [False, True])
def test_filled_buffers_are_left_alone_where_the_incoming_gradient_is_one(
    filled: bool, kernels: ek.Backend
) -> None:
    tensors = Case("multiscale_prediction_loss").inputs(device=device_of(kernels))
    coarse, fine, target = [x.detach() for x in tensors]
    one = torch.ones((), device=device_of(kernels))
    for name, buffers, arguments in (
        ("prediction_loss_backward_", [fine, target], (fine, target, *LOSS, MEAN, filled)),
        (
            "multiscale_prediction_loss_backward_",
            [coarse, fine],
            ([coarse, fine], target, *SCALES, filled),
        ),
    ):
        gradients = [torch.full_like(x, 7) for x in buffers]
        given = gradients if name == "prediction_loss_backward_" else [gradients]
        operator(kernels, name)(*given, one, *arguments)
        assert all(bool((gradient == 7).all()) == filled for gradient in gradients)
        once = [gradient.clone() for gradient in gradients]
        operator(kernels, name)(*given, 2 * one, *arguments)
        assert not any((gradient == 7).all() for gradient in gradients)
        if not filled:
            torch.testing.assert_close(gradients, [2 * gradient for gradient in once])


def test_an_unwanted_gradient_takes_no_memory(kernels: ek.Backend) -> None:
    x, target = [x.detach() for x in Case().inputs(device=device_of(kernels))]
    for needed in ((True, False), (False, True)):
        _, *gradients = operator(kernels, "prediction_loss")(x, target, *LOSS, MEAN, *needed)
        assert [gradient.numel() != 0 for gradient in gradients] == list(needed)
