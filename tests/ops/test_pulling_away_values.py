"""The pulling-away term of every implementation: right, as accurate as PyTorch, the same at the edges."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from support.accuracy import assert_as_accurate_as_torch
from support.implementations import OperatorLog, device_of
from support.layouts import LAYOUTS

SINGLE, DOUBLE = torch.float32, torch.float64
# Both forms: as many features as rows or more, and fewer.
SHAPES = [(2, 2), (5, 64), (33, 40), (7, 3), (300, 20)]


def codes_of(shape: tuple[int, ...], implementation: ek.Backend, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator).to(device_of(implementation))


def value_and_gradient(codes: Tensor) -> tuple[Tensor, Tensor]:
    codes = codes.detach().requires_grad_()
    loss = ek.pulling_away(codes)
    return loss.detach(), *torch.autograd.grad(0.5 * loss, codes)


def torch_value_and_gradient(codes: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    with ek.backend("reference"):
        return value_and_gradient(codes.to(dtype))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, SINGLE])
@pytest.mark.parametrize("shape", SHAPES)
def test_results_are_as_accurate_as_pytorch(
    shape: tuple[int, int], dtype: torch.dtype, implementation: ek.Backend
) -> None:
    losses, gradients = [], []
    for seed in range(20):
        codes = codes_of(shape, implementation, seed).to(dtype)
        ours = value_and_gradient(codes)
        assert (ours[0].dtype, ours[1].dtype) == (SINGLE, dtype)
        torchs, exact = (torch_value_and_gradient(codes, kind) for kind in (SINGLE, DOUBLE))
        losses.append((ours[0], torchs[0], exact[0]))
        # In ulp of the largest element: where a gradient cancels to near zero its rounding stays.
        largest = exact[1].abs().max()
        gradients.append([(g - exact[1] + largest).to(g.dtype) for g in (ours[1], torchs[1])])
        gradients[-1].append(largest.expand(shape))
    # The norms come off the diagonal of a product, which rounds at every addition; the sums of half codes
    # abound in ties and round in one direction, so that the mean over the pairs does not help.
    assert_as_accurate_as_torch(*zip(*losses, strict=True), allowed=2.0)
    assert_as_accurate_as_torch(*zip(*gradients, strict=True))


@pytest.mark.parametrize("shape", SHAPES)
def test_float64_is_computed_in_float64(shape: tuple[int, int], implementation: ek.Backend) -> None:
    codes = codes_of(shape, implementation).double()
    expected = torch_value_and_gradient(codes, DOUBLE)
    torch.testing.assert_close(value_and_gradient(codes), expected, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("sample", [(3, 5, 7), (3, 1, 1)])
def test_every_layout_gives_the_same_result(
    sample: tuple[int, ...], layout: str, implementation: ek.Backend
) -> None:
    codes = LAYOUTS[layout](codes_of((6, *sample), implementation))
    torch.testing.assert_close(value_and_gradient(codes), value_and_gradient(codes.contiguous().clone()))


def test_orthogonal_codes_give_0_and_equal_ones_up_to_sign_and_length_1(implementation: ek.Backend) -> None:
    device = device_of(implementation)
    assert ek.pulling_away(3 * torch.eye(5, 8, device=device)).item() == 0
    for features in (8, 3):
        codes = torch.linspace(-3, 4, 5, device=device)[:, None] * codes_of((features,), implementation)
        assert ek.pulling_away(codes).item() == pytest.approx(1)


@pytest.mark.parametrize("shape", [(5, 8), (7, 3)])
def test_the_length_and_the_sign_of_a_code_do_not_matter(
    shape: tuple[int, int], implementation: ek.Backend
) -> None:
    codes = codes_of(shape, implementation)
    factors = torch.logspace(-6, 6, shape[0], device=codes.device)[:, None]
    factors[::2] *= -1
    torch.testing.assert_close(ek.pulling_away(factors * codes), ek.pulling_away(codes))


def test_more_codes_than_features_cannot_go_below_the_bound_of_welch(implementation: ek.Backend) -> None:
    rows, features = 40, 6
    bound = (rows / features - 1) / (rows - 1)
    assert bound < ek.pulling_away(codes_of((rows, features), implementation)).item() < 2 * bound


@pytest.mark.parametrize("shape", [(5, 8), (7, 3)])
def test_a_code_of_zeros_counts_as_cosine_0_and_gets_gradient_0(
    shape: tuple[int, int], implementation: ek.Backend
) -> None:
    codes = codes_of(shape, implementation)
    codes[1] = 0
    loss, gradient = value_and_gradient(codes)
    torch.testing.assert_close((loss, gradient), torch_value_and_gradient(codes, SINGLE))
    assert loss > 0 and not gradient[1].any()


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("shape", [(5, 8), (7, 3)])
def test_nan_and_infinity_reach_the_loss_and_the_gradient(
    shape: tuple[int, int], odd: float, implementation: ek.Backend
) -> None:
    codes = codes_of(shape, implementation)
    codes[1, 2] = odd
    loss, gradient = value_and_gradient(codes)
    assert loss.isnan() and gradient.isnan().all()


# Both forms: two codes of four features, and three of two. Cosines of different codes are 1 / sqrt(2) or 0.
SLANTED = [[[1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]], [[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]]


@pytest.mark.parametrize(("dtype", "exponents"), [(SINGLE, (-18, 18)), (DOUBLE, (-150, 150))])
@pytest.mark.parametrize("codes", SLANTED)
def test_codes_of_any_length_within_the_range_give_their_cosines(
    codes: list[list[float]], dtype: torch.dtype, exponents: tuple[int, int], implementation: ek.Backend
) -> None:
    for exponent in exponents:
        tensor = torch.tensor(codes, dtype=dtype, device=device_of(implementation))
        tensor[0] *= 10.0**exponent
        loss, gradient = value_and_gradient(tensor)
        assert loss.item() == pytest.approx(0.5 if len(codes) == 2 else 1 / 3)
        assert gradient.isfinite().all() and gradient[0].any()


@pytest.mark.parametrize("codes", SLANTED)
def test_codes_beyond_the_range_give_nan_and_codes_below_it_count_as_zeros(
    codes: list[list[float]], implementation: ek.Backend
) -> None:
    for changed in (slice(0, 1), slice(None)):
        tensor = torch.tensor(codes, device=device_of(implementation))
        tensor[changed] *= 3e19
        loss, gradient = value_and_gradient(tensor)
        assert loss.isnan() and gradient.isnan().all()
        tensor = torch.tensor(codes, device=device_of(implementation))
        tensor[changed] *= 1e-25
        loss, gradient = value_and_gradient(tensor)
        assert loss.item() == 0 and not gradient[changed].any()


def test_codes_without_features_give_0(implementation: ek.Backend) -> None:
    loss, gradient = value_and_gradient(codes_of((4, 0), implementation))
    assert loss.item() == 0 and gradient.shape == (4, 0)


@pytest.mark.parametrize("enabled", [False, True])
def test_no_weights_are_computed_where_no_gradient_is_needed(enabled: bool, kernels: ek.Backend) -> None:
    codes = codes_of((5, 8), kernels).requires_grad_(enabled)
    with torch.no_grad(), OperatorLog() as log:
        loss = ek.pulling_away(codes)
    assert not loss.requires_grad
    assert [elements for _address, elements in log.results_of("pulling_away_weights")] == [1, 0]


def test_the_loss_is_two_products_and_one_kernel(kernels: ek.Backend) -> None:
    codes = codes_of((5, 8), kernels).requires_grad_()
    with OperatorLog() as log:
        ek.pulling_away(codes).backward()
    work = [name for name in log.names if name.split(".")[1] in ("mm", "mul", "pulling_away_weights")]
    assert work == ["aten.mm", "ebgan_kernels.pulling_away_weights", "aten.mul", "aten.mm"]


@pytest.fixture
def _threads_restored() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("_threads_restored")
def test_the_operator_gives_the_same_bits_at_every_run_and_for_any_number_of_threads(
    kernels: ek.Backend,
) -> None:
    codes = codes_of((257, 300), kernels)
    gram = codes @ codes.mT
    operator = ek.ops.gradients.operator(kernels, "pulling_away_weights")
    first = operator(gram, True)
    for threads in (1, 2, 3, 8):
        torch.set_num_threads(threads)
        assert all(map(torch.equal, operator(gram, True), first))
