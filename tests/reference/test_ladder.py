"""The definition of the ladder family against values worked out by hand and a loop over units."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ebgan_kernels.reference import ladder as reference


def only(**values: float) -> Tensor:
    """Parameters (10, 1) that are 0 but for those named, as in only(a10=1)."""
    parameters = torch.zeros(10, 1, dtype=torch.float64)
    for name, value in values.items():
        parameters[int(name[1:]) - 1] = value
    return parameters


def combined(z: float, u: float, **values: float) -> float:
    pair = (torch.full((1, 1), x, dtype=torch.float64) for x in (z, u))
    return reference.gaussian_combinator(*pair, only(**values)).item()


def test_the_usual_start_gives_exactly_zero() -> None:
    z, u = torch.randn(2, 3, 4, 5)
    parameters = only(a2=1, a7=1).float().expand(3, 10, 5)
    assert not reference.gaussian_combinator(z, u, parameters).any()


def test_a10_alone_is_the_identity_in_z() -> None:
    z, u = torch.randn(2, 4, 5)
    assert torch.equal(reference.gaussian_combinator(z, u, only(a10=1).float().expand(10, 5)), z)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # z = 3, u = 2 throughout; v = 0 leaves mu.
        ({"a5": 7.0}, 7.0),
        ({"a4": 7.0}, 14.0),
        ({"a1": 8.0}, 4.0),  # sigmoid(0) = 1/2
        ({"a1": 8.0, "a2": math.log(3) / 2}, 6.0),  # sigmoid(log 3) = 3/4
        ({"a1": 8.0, "a3": -math.log(3)}, 2.0),
        # mu = 0 leaves z v.
        ({"a9": 0.5}, 3.0),
        ({"a6": 4.0}, 6.0),
        ({"a6": 4.0, "a7": math.log(3) / 2}, 9.0),
        ({"a6": 4.0, "a8": -math.log(3)}, 3.0),
        ({"a5": 1.0, "a10": 0.25}, 0.25 * 3 + 0.75 * 1),
    ],
)
def test_each_parameter_does_its_part(values: dict[str, float], expected: float) -> None:
    assert combined(3.0, 2.0, **values) == pytest.approx(expected, rel=1e-14)


def test_the_combinator_equals_a_loop_over_units() -> None:
    z, u = torch.randn(2, 4, 3, dtype=torch.float64)
    parameters = torch.randn(10, 3, dtype=torch.float64)

    def sigmoid(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    result = reference.gaussian_combinator(z, u, parameters)
    for n in range(4):
        for d in range(3):
            a1, a2, a3, a4, a5, a6, a7, a8, a9, a10 = parameters[:, d].tolist()
            noisy, above = z[n, d].item(), u[n, d].item()
            mu = a1 * sigmoid(a2 * above + a3) + a4 * above + a5
            v = a6 * sigmoid(a7 * above + a8) + a9 * above + a10
            assert result[n, d].item() == pytest.approx((noisy - mu) * v + mu, rel=1e-12)


def test_the_cost_of_two_samples_of_two_units() -> None:
    # z_hat = z; standardised (0 - 1) / 2, (4 - 2) / 0.5 and (3 - 1) / 2, (1 - 2) / 0.5
    z, u = torch.tensor([[0.0, 4.0], [3.0, 1.0]]), torch.zeros(2, 2)
    mean, std = torch.tensor([1.0, 2.0]), torch.tensor([2.0, 0.5])
    clean = torch.tensor([[0.5, 4.0], [0.0, -2.0]])
    cost = reference.ladder_denoising_cost(clean, z, u, only(a10=1).float().expand(10, 2), mean, std)
    # squares 1, 0; 1, 0; each sample's sum over 2 units, and the mean of both
    assert cost.item() == 0.5


def test_the_divisor_is_the_deviation_and_not_the_variance() -> None:
    # Many public ports divide by the variance, as the authors' first version did.
    z = torch.full((1, 1), 6.0)
    cost = reference.ladder_denoising_cost(
        torch.zeros(1, 1), z, z, only(a10=1).float(), torch.zeros(1), torch.full((1,), 2.0)
    )
    assert cost.item() == 9.0


def test_a_layer_that_is_not_normalised_takes_mean_0_and_std_1() -> None:
    clean, z, u = torch.randn(3, 5, 4, dtype=torch.float64)
    parameters = torch.randn(10, 4, dtype=torch.float64)
    zero = torch.zeros(4, dtype=torch.float64)
    cost = reference.ladder_denoising_cost(clean, z, u, parameters, zero, zero + 1)
    denoised = reference.gaussian_combinator(z, u, parameters)
    torch.testing.assert_close(cost, (clean - denoised).square().sum(1).mean() / 4)


def test_at_the_usual_start_the_cost_is_that_of_guessing_zero() -> None:
    clean, z, u = torch.randn(3, 6, 4)
    parameters = only(a2=1, a7=1).float().expand(10, 4)
    cost = reference.ladder_denoising_cost(clean, z, u, parameters, torch.zeros(4), torch.ones(4))
    torch.testing.assert_close(cost, clean.square().mean())


def test_leading_axes_are_those_of_networks_apart() -> None:
    shapes = [(2, 3, 5, 4)] * 3 + [(2, 3, 10, 4), (2, 3, 4), (2, 3, 4)]
    inputs = [torch.rand(shape, dtype=torch.float64) + 0.5 for shape in shapes]
    together = reference.ladder_denoising_cost(*inputs)
    assert together.shape == (2, 3)
    for i in range(2):
        for j in range(3):
            alone = reference.ladder_denoising_cost(*(x[i, j] for x in inputs))
            torch.testing.assert_close(together[i, j], alone)


def test_the_clean_target_gets_a_gradient_too() -> None:
    clean = torch.tensor([[2.0], [4.0]], requires_grad=True)
    zero = torch.zeros(2, 1)
    cost = reference.ladder_denoising_cost(clean, zero, zero, only().float(), zero[0], zero[0] + 1)
    cost.backward()
    assert clean.grad.tolist() == [[2.0], [4.0]]  # 2 clean / N


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_halves_are_computed_in_float32_and_rounded_once(dtype: torch.dtype) -> None:
    z, u = torch.full((1, 1), 1.0, dtype=dtype), torch.zeros(1, 1, dtype=dtype)
    # In halves mu = 1 + 2^-12 would be 1, and z - mu nothing.
    parameters = only(a5=1 + 2.0**-12, a10=-4096.0).float()
    result = reference.gaussian_combinator(z, u, parameters)
    assert result.dtype == dtype and result.item() == 2  # -2^-12 * -4096 + mu, rounded once
    wide = torch.full((1, 60_000), 1.0, dtype=dtype)
    cost = reference.ladder_denoising_cost(
        wide, wide, wide, torch.zeros(10, 60_000), torch.zeros(60_000), torch.ones(60_000)
    )
    assert cost.dtype == torch.float32 and cost.item() == 1


def test_the_mean_over_no_samples_is_nan() -> None:
    empty = torch.zeros(0, 3)
    cost = reference.ladder_denoising_cost(
        empty, empty, empty, torch.zeros(10, 3), torch.zeros(3), torch.ones(3)
    )
    assert cost.isnan()


def test_a_layer_of_two_parts_of_two_samples() -> None:
    # means 2, 20 and deviations 1, 10: z = -1, 1 in both parts, and noise
    x = torch.tensor([[[1.0], [3.0]], [[10.0], [30.0]]])
    noise = torch.tensor([[[0.5], [0.0]], [[0.0], [-0.5]]])
    layer = reference.ladder_layer(x, noise, torch.tensor([0.25]), torch.tensor([2.0]), activation="relu")
    assert layer.z.flatten().tolist() == [-0.5, 1.0, -1.0, 0.5]
    assert layer.h.flatten().tolist() == [0.0, 2.5, 0.0, 1.5]  # 2 (z + 1/4) where it is not negative
    assert layer.mean.tolist() == [[2.0], [20.0]] and layer.std.tolist() == [[1.0], [10.0]]


def test_a_layer_equals_a_loop_over_networks_parts_and_units() -> None:
    x, noise = torch.randn(2, 3, 2, 5, 4, dtype=torch.float64)
    beta, gamma = torch.randn(2, 3, 4, dtype=torch.float64)
    layer = reference.ladder_layer(x, noise, beta, gamma, activation="relu")
    for s in range(3):
        for p in range(2):
            for d in range(4):
                values = x[s, p, :, d].tolist()
                mean = sum(values) / 5
                std = math.sqrt(sum((value - mean) ** 2 for value in values) / 5 + 1e-10)
                assert layer.mean[s, p, d].item() == pytest.approx(mean, rel=1e-12)
                assert layer.std[s, p, d].item() == pytest.approx(std, rel=1e-12)
                for n in range(5):
                    z = (values[n] - mean) / std + noise[s, p, n, d].item()
                    h = max(0.0, gamma[s, d].item() * (z + beta[s, d].item()))
                    assert layer.z[s, p, n, d].item() == pytest.approx(z, rel=1e-12)
                    assert layer.h[s, p, n, d].item() == pytest.approx(h, rel=1e-12)


def test_a_layer_with_nothing_after_its_normalisation_gives_z_for_h() -> None:
    x = torch.randn(1, 4, 3)
    layer = reference.ladder_layer(x)
    assert layer.h is layer.z
    assert reference.ladder_layer(x, activation="relu").h.min() == 0


def test_units_that_do_not_vary_are_zero_and_their_deviation_that_of_the_constant() -> None:
    layer = reference.ladder_layer(torch.full((1, 4, 2), 7.0))
    assert not layer.z.any() and (layer.mean == 7).all()
    torch.testing.assert_close(layer.std, torch.full((1, 2), 1e-5))


def test_half_samples_of_a_layer_are_normalised_in_float32() -> None:
    # In bfloat16 the mean of 256 and 258 would be 256.
    layer = reference.ladder_layer(torch.tensor([[[256.0], [258.0]]], dtype=torch.bfloat16))
    assert layer.mean.item() == 257 and layer.z.flatten().tolist() == [-1, 1]
    assert (layer.z.dtype, layer.mean.dtype, layer.std.dtype) == (
        torch.bfloat16,
        torch.float32,
        torch.float32,
    )
