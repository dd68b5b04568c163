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
BOTH, FIRST, SECOND, NEITHER = 0b11, 0b01, 0b10, 0

# Of two predictions, a target and a 1: the last prediction is the target's size, the first half of it.
ARGUMENTS: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], tuple[object, ...]]] = {
    "prediction_loss": lambda c, x, t, one: (x, t, *LOSS, MEAN, BOTH),
    "prediction_loss_backward_": lambda c, x, t, one: (
        [torch.zeros_like(x), torch.zeros_like(t)],
        *(3 * one, x, t, *LOSS, MEAN, BOTH, False),
    ),
    "multiscale_prediction_loss": lambda c, x, t, one: ([c, x], t, *SCALES, BOTH),
    "multiscale_prediction_loss_backward_": lambda c, x, t, one: (
        [torch.zeros_like(c), torch.zeros_like(x)],
        *(3 * one, [c, x], t, *SCALES, BOTH, False),
    ),
    "average_pyramid": lambda c, x, t, one: (t, 2),
    "average_pyramid_backward": lambda c, x, t, one: ([c],),
}
# The ways that are left: a value a sample, with gradients needed or not; nothing needed; one gradient.
OTHERS: list[tuple[str, Callable[[Tensor, Tensor, Tensor, Tensor], tuple[object, ...]]]] = [
    ("prediction_loss", lambda c, x, t, one: (x, t, *LOSS, NONE, NEITHER)),
    ("prediction_loss", lambda c, x, t, one: (x, t, *LOSS, NONE, BOTH)),
    ("prediction_loss", lambda c, x, t, one: (x, t, *LOSS, MEAN, FIRST)),
    ("multiscale_prediction_loss", lambda c, x, t, one: ([c, x], t, *SCALES, NEITHER)),
    ("multiscale_prediction_loss", lambda c, x, t, one: ([c, x], t, *SCALES, SECOND)),
    (
        "prediction_loss_backward_",
        lambda c, x, t, one: (
            [torch.zeros_like(x)],
            *(one.expand(len(x)), x, t, *LOSS, NONE, FIRST, False),
        ),
    ),
    (
        "multiscale_prediction_loss_backward_",
        lambda c, x, t, one: ([torch.zeros_like(x)], 3 * one, [c, x], t, *SCALES, SECOND, True),
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
        ("prediction_loss_backward_", [fine, target], (fine, target, *LOSS, MEAN)),
        ("multiscale_prediction_loss_backward_", [coarse, fine], ([coarse, fine], target, *SCALES)),
    ):
        gradients = [torch.full_like(x, 7) for x in buffers]
        operator(kernels, name)(gradients, one, *arguments, BOTH, filled)
        assert all(bool((gradient == 7).all()) == filled for gradient in gradients)
        once = [gradient.clone() for gradient in gradients]
        operator(kernels, name)(gradients, 2 * one, *arguments, BOTH, filled)
        assert not any((gradient == 7).all() for gradient in gradients)
        if not filled:
            torch.testing.assert_close(gradients, [2 * gradient for gradient in once])


def test_an_unwanted_gradient_takes_no_memory(kernels: ek.Backend) -> None:
    tensors = Case("multiscale_prediction_loss").inputs(device=device_of(kernels))
    coarse, fine, target = [x.detach() for x in tensors]
    for name, of, arguments in (
        ("prediction_loss", [fine, target], (fine, target, *LOSS, MEAN)),
        ("multiscale_prediction_loss", [coarse, fine], ([coarse, fine], target, *SCALES)),
    ):
        _, complete = operator(kernels, name)(*arguments, BOTH)
        assert [x.shape for x in complete] == [x.shape for x in of]
        for needed, wanted in ((FIRST, complete[:1]), (SECOND, complete[1:]), (NEITHER, [])):
            _, gradients = operator(kernels, name)(*arguments, needed)
            torch.testing.assert_close(gradients, wanted)


def test_losses_of_samples_come_without_gradients(kernels: ek.Backend) -> None:
    images = [x.detach() for x in Case().inputs(device=device_of(kernels))]
    losses, gradients = operator(kernels, "prediction_loss")(*images, *LOSS, NONE, BOTH)
    assert losses.shape == images[0].shape[:1] and not gradients
