"""The prediction loss in Triton: values at the edges of tiles, dtypes, unwanted gradients, NaN, opcheck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from ebgan_kernels.native.gdl import REDUCTIONS
from ebgan_kernels.reference import gdl as reference
from support.accuracy import assert_as_accurate_as_torch, assert_within_one_ulp
from support.gdl import Case
from support.needed import needed_of

HALF, BRAIN, SINGLE, DOUBLE = torch.float16, torch.bfloat16, torch.float32, torch.float64
# Tiles are 16 x 64 in float32, taller where a plane is narrower.
PLANES = [(2, 2), (5, 7), (16, 64), (17, 65), (3, 129), (130, 8)]
VOLUMES = [(2, 2, 2), (3, 5, 4), (5, 4, 65)]
EXPONENTS = [(1, 1.0), (2, 2.0), (1, 2.0), (2, 1.0), (1, 1.5), (2, 3.25)]
WEIGHTS = [(0.75, 1.5), (0.0, 1.0), (0.3, 0.0)]
BOTH = 0b11


@pytest.fixture
def tiles_share_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    from ebgan_kernels.triton import gdl

    monkeypatch.setattr(gdl, "MOST_SUMS", 2)


def images(
    size: Sequence[int],
    seed: int = 0,
    dtypes: Sequence[torch.dtype] = (SINGLE, SINGLE),
    device: torch.device | str = "cpu",
    batch: int = 2,
) -> list[Tensor]:
    """(batch, *size), multiples of 1/64: ties, of which there are many, are ties in every dtype."""
    inputs = Case().inputs(seed, leading=(batch,), size=size, dtypes=dtypes, device=device)
    return [x.detach() for x in inputs]


def options(case: Case) -> tuple[Any, ...]:
    """As the schemas have them, up to the reduction."""
    return (
        case.spatial_dims,
        case.p,
        case.alpha,
        case.lp_weight,
        case.gdl_weight,
        REDUCTIONS[case.reduction],
    )


def torch_results(
    case: Case, inputs: Sequence[Tensor], dtype: torch.dtype, grad_loss: Tensor | None = None
) -> tuple[Tensor, ...]:
    """Loss and both gradients of the reference in ``dtype``."""
    leaves = [x.to(dtype).requires_grad_() for x in inputs]
    loss = reference.prediction_loss(
        *leaves,
        case.spatial_dims,
        case.p,
        case.alpha,
        case.lp_weight,
        case.gdl_weight,
        case.reduction,
    )
    weight = torch.ones_like(loss) if grad_loss is None else grad_loss.to(loss.dtype)
    return loss.detach(), *torch.autograd.grad(loss, leaves, weight)


def flat(results: tuple[Tensor, Sequence[Tensor]]) -> list[Tensor]:
    """The loss that an operator returns, then the gradients."""
    loss, gradients = results
    return [loss, *gradients]


def assert_accurate(operator, device, case: Case, size: Sequence[int], seeds: int = 2) -> None:
    batches = [images(size, seed, device=device) for seed in range(seeds)]
    ours = [flat(operator("prediction_loss")(*inputs, *options(case), BOTH)) for inputs in batches]
    torchs = [torch_results(case, inputs, SINGLE) for inputs in batches]
    exacts = [torch_results(case, inputs, DOUBLE) for inputs in batches]
    for results in zip(*(zip(*seeds, strict=True) for seeds in (ours, torchs, exacts)), strict=True):
        assert {value.dtype for value in results[0]} == {SINGLE}
        assert_as_accurate_as_torch(*results)


@pytest.mark.parametrize("size", PLANES)
def test_planes_around_the_edges_of_tiles_are_as_accurate_as_torch(operator, device, size):
    assert_accurate(operator, device, Case(), size)


@pytest.mark.parametrize("size", VOLUMES)
def test_volumes_are_as_accurate_as_torch(operator, device, size):
    assert_accurate(operator, device, Case(p=2, spatial_dims=3), size)


@pytest.mark.parametrize(("lp_weight", "gdl_weight"), WEIGHTS)
@pytest.mark.parametrize(("p", "alpha"), EXPONENTS)
def test_exponents_and_weights_are_as_accurate_as_torch(operator, device, p, alpha, lp_weight, gdl_weight):
    assert_accurate(
        operator, device, Case(p=p, alpha=alpha, lp_weight=lp_weight, gdl_weight=gdl_weight), (6, 9)
    )


@pytest.mark.parametrize("spatial_dims", [2, 3])
@pytest.mark.parametrize("alpha", [1.0, 1.5])
def test_a_sum_is_as_accurate_as_torch(operator, device, alpha, spatial_dims):
    size = (4, 6, 9)[-spatial_dims:]
    assert_accurate(operator, device, Case(alpha=alpha, reduction="sum", spatial_dims=spatial_dims), size)


@pytest.mark.parametrize("size", [(130, 8), (90, 65)])
def test_programs_that_take_several_tiles_are_as_accurate_as_torch(
    operator, device, tiles_share_programs, size
):
    assert_accurate(operator, device, Case(), size, seeds=1)


@pytest.mark.parametrize(
    "dtypes", [(BRAIN, SINGLE), (HALF, HALF), (BRAIN, BRAIN), (HALF, BRAIN), (SINGLE, HALF)]
)
def test_half_types_mix_and_each_gradient_has_its_inputs_dtype(operator, device, dtypes):
    inputs = images((6, 9), dtypes=dtypes, device=device)
    case = Case(p=2, alpha=1.5)
    loss, *gradients = flat(operator("prediction_loss")(*inputs, *options(case), BOTH))
    exact, *exact_gradients = torch_results(case, inputs, DOUBLE)
    assert loss.dtype == SINGLE
    torch.testing.assert_close(loss.double(), exact, rtol=1e-6, atol=0.0)
    for gradient, expected, dtype in zip(gradients, exact_gradients, dtypes, strict=True):
        assert gradient.dtype == dtype
        if dtype == SINGLE:
            torch.testing.assert_close(gradient.double(), expected, rtol=2e-6, atol=1e-8)
        else:
            assert_within_one_ulp(gradient, expected)


@pytest.mark.parametrize(("p", "alpha"), EXPONENTS)
def test_float64_is_computed_in_float64(operator, device, p, alpha):
    inputs = images((9, 33), dtypes=(DOUBLE, DOUBLE), device=device)
    case = Case(p=p, alpha=alpha, lp_weight=0.1, gdl_weight=0.7)
    got = flat(operator("prediction_loss")(*inputs, *options(case), BOTH))
    for value, exact in zip(got, torch_results(case, inputs, DOUBLE), strict=True):
        torch.testing.assert_close(value, exact, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("size", [(6, 9), (17, 65)])
def test_each_sample_has_the_loss_and_the_gradient_of_its_own(operator, device, size):
    inputs = images(size, device=device, batch=3)
    case = Case(alpha=1.5, reduction="none")
    losses, none = operator("prediction_loss")(*inputs, *options(case), BOTH)
    assert not none
    for weights in (torch.tensor([0.5, -2.0, 0.0]), torch.tensor(3.0).expand(3)):
        buffers = [torch.full_like(x, 7) for x in inputs]
        operator("prediction_loss_backward_")(
            buffers, weights.to(device), *inputs, *options(case), BOTH, False
        )
        expected = torch_results(case, inputs, DOUBLE, weights.to(device))
        for value, exact in zip((losses, *buffers), expected, strict=True):
            torch.testing.assert_close(value.double(), exact, rtol=2e-6, atol=1e-7)


def test_filled_buffers_stay_where_the_incoming_gradient_is_one_and_are_recomputed_where_not(
    operator, device
):
    inputs = images((6, 9), device=device)
    backward = operator("prediction_loss_backward_")
    for scale in (1.0, -0.5):
        grad_loss = torch.tensor(scale, device=device)
        buffers = [torch.full_like(x, 7) for x in inputs]
        backward(buffers, grad_loss, *inputs, *options(Case()), BOTH, True)
        expected = torch_results(Case(), inputs, DOUBLE, grad_loss)[1:]
        for buffer, exact in zip(buffers, expected, strict=True):
            if scale == 1:
                assert (buffer == 7).all()
            else:
                torch.testing.assert_close(buffer.double(), exact, rtol=2e-6, atol=1e-8)


def test_gradients_that_are_not_needed_are_not_made(operator, device):
    inputs = images((6, 9), device=device)
    complete = flat(operator("prediction_loss")(*inputs, *options(Case()), BOTH))
    for needed in range(1 << 2):
        loss, gradients = operator("prediction_loss")(*inputs, *options(Case()), needed)
        assert torch.equal(loss, complete[0])
        for gradient, expected in zip(gradients, needed_of(complete[1:], needed), strict=True):
            assert torch.equal(gradient, expected)
        buffers = [torch.full_like(gradient, 7) for gradient in gradients]
        one = torch.ones((), device=device)
        operator("prediction_loss_backward_")(buffers, one, *inputs, *options(Case()), needed, False)
        torch.testing.assert_close(buffers, list(gradients))


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize(("p", "alpha"), [(1, 1.0), (2, 2.0), (1, 1.5)])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_nan_and_infinity_spread_as_in_torch(operator, device, value, p, alpha):
    case = Case(p=p, alpha=alpha)
    for wrong in (0, 1):
        inputs = images((5, 6), device=device)
        inputs[wrong][1, 2, 0] = inputs[wrong][0, 4, 5] = value
        got = flat(operator("prediction_loss")(*inputs, *options(case), BOTH))
        for mine, theirs in zip(got, torch_results(case, inputs, SINGLE), strict=True):
            torch.testing.assert_close(mine, theirs, equal_nan=True)


@pytest.mark.parametrize("alpha", [1.0, 2.0, 1.5])
def test_ties_have_gradient_zero(operator, device, alpha):
    target = images((5, 6), device=device)[1]
    for prediction in (target, target + 1, -target):
        case = Case(alpha=alpha, lp_weight=0.0)
        loss, gradients = operator("prediction_loss")(prediction, target, *options(case), BOTH)
        assert not loss.any()
        assert len(gradients) == 2 and not any(g.any() for g in gradients)


def test_the_mean_over_nothing_is_nan_and_the_sum_is_zero(operator, device):
    empty = torch.empty(0, 4, 4, device=device)
    for reduction, expected in (("mean", float("nan")), ("sum", 0.0)):
        loss, gradients = operator("prediction_loss")(empty, empty, *options(Case(reduction=reduction)), BOTH)
        torch.testing.assert_close(loss.cpu(), torch.tensor(expected), equal_nan=True)
        assert [g.shape for g in gradients] == [empty.shape, empty.shape]
    none = options(Case(reduction="none"))
    channels = torch.empty(2, 0, 4, 4, device=device)
    for image, samples in ((empty, 0), (channels, 2)):
        losses, _ = operator("prediction_loss")(image, image, *none, 0)
        assert losses.shape == (samples,) and losses.isnan().all()


def test_the_same_input_gives_the_same_bits(operator, device):
    inputs = images((40, 65), device=device)
    first, second = (flat(operator("prediction_loss")(*inputs, *options(Case()), BOTH)) for _ in range(2))
    assert all(map(torch.equal, first, second))


@pytest.mark.parametrize("case", [Case(), Case(spatial_dims=3, reduction="none")], ids=str)
def test_the_operators_are_registered_rightly(operator, device, case):
    inputs = [x[:, :3] for x in images((3, 3, 4), device=device)]
    torch.library.opcheck(operator("prediction_loss"), (*inputs, *options(case), 0b01))
    grad_loss = torch.ones((2,) if case.reduction == "none" else (), device=device)
    for needed in (0b11, 0b10):
        buffers = [torch.zeros_like(x) for x in needed_of(inputs, needed)]
        arguments = (buffers, grad_loss, *inputs, *options(case), needed, False)
        torch.library.opcheck(operator("prediction_loss_backward_"), arguments)
