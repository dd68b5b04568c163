"""The theorems of the deck, on finite distributions."""

from __future__ import annotations

import numpy as np
import pytest

from ebgan.energies.equilibrium import Game, total_variation
from ebgan.errors import UserError

RANDOM = np.random.default_rng(0)
MARGINS = pytest.mark.parametrize("margin", [1.0, 0.3, 10.0])
SHAPINGS = pytest.mark.parametrize("shaping", ["identity", "square"])


def pairs(count: int = 30, size: int = 7) -> list[tuple[np.ndarray, np.ndarray]]:
    """Distributions of data and of a generator; some points have none of either."""
    drawn = []
    for _ in range(count):
        both = RANDOM.dirichlet(np.ones(size), 2) * (RANDOM.random((2, size)) < 0.8)
        both[:, 0] += 1e-3
        drawn.append(tuple(both / both.sum(1, keepdims=True)))
    return drawn


def test_the_total_variation_is_the_most_that_two_probabilities_of_one_event_differ():
    for data, generated in pairs():
        events = np.array(np.meshgrid(*[[0, 1]] * 7)).reshape(7, -1)
        most = np.abs((data - generated) @ events).max()
        assert total_variation(data, generated) == pytest.approx(most, abs=1e-12)
    assert total_variation([1, 0], [0, 1]) == 1


@MARGINS
def test_v_at_the_best_energies_is_m_times_one_less_the_total_variation(margin):
    for data, generated in pairs():
        game = Game(data, margin)
        best = game.best_energies(generated)
        expected = margin * (1 - total_variation(data, generated))
        assert game.value(generated, best) == pytest.approx(expected, abs=1e-9 * margin)


@MARGINS
@SHAPINGS
def test_no_energies_have_a_lower_v_than_the_best(margin, shaping):
    """V is a sum over points: the least of each is looked for on a fine grid of energies."""
    energies = np.linspace(0, 2 * margin, 4001)
    up = np.maximum(margin - energies, 0)
    f = np.square if shaping == "square" else np.asarray
    for data, generated in pairs(10):
        game = Game(data, margin, shaping)
        least = (data[:, None] * f(energies) + generated[:, None] * f(up)).min(1).sum()
        unit = margin**2 if shaping == "square" else margin
        assert game.value(generated, game.best_energies(generated)) == pytest.approx(least, abs=1e-6 * unit)


@SHAPINGS
def test_no_generator_has_a_lower_u_than_the_best(shaping):
    for data, _ in pairs(10):
        game, energies = Game(data, 1.0, shaping), RANDOM.integers(0, 3, 7) / 2
        best = game.best_generated(energies)
        at_points = [game.generator_value(point, energies) for point in np.eye(7)]  # U is linear in p_G
        assert game.generator_value(best, energies) == pytest.approx(min(at_points))
        assert best.sum() == pytest.approx(1) and len(set(best[best > 0])) == 1


@SHAPINGS
def test_the_slope_is_that_of_v_by_differences(shaping):
    step = 1e-6
    for data, generated in pairs(10):
        game, energies = Game(data, 1.0, shaping), RANDOM.uniform(0.01, 1.5, 7)
        for point, slope in zip(np.eye(7) * step, game.slope(generated, energies), strict=True):
            up, down = game.value(generated, energies + point), game.value(generated, energies - point)
            assert slope == pytest.approx((up - down) / (2 * step), abs=1e-6)


@MARGINS
def test_equal_distributions_and_any_constant_up_to_the_margin_are_an_equilibrium_with_v_of_m(margin):
    for data, other in pairs(10):
        game = Game(data, margin)
        for constant in np.linspace(0, margin, 5):
            energies = np.full(7, constant)
            assert game.value(data, energies) == pytest.approx(margin)
            better = game.value(data, game.best_energies(data))
            assert better == pytest.approx(margin), "no discriminator does better alone"
            assert game.generator_value(other, energies) == pytest.approx(constant), "no generator does"
        above = np.full(7, 1.5 * margin)
        assert game.value(data, above) == pytest.approx(1.5 * margin), "beyond the margin one does"


@MARGINS
def test_where_the_distributions_differ_one_of_the_players_does_better_alone(margin):
    """The other half of theorem 1: against its best discriminator, a generator that differs moves."""
    for data, generated in pairs(10):
        game = Game(data, margin)
        energies = game.best_energies(generated)
        moved = game.best_generated(energies)
        assert game.generator_value(moved, energies) < game.generator_value(generated, energies)


@MARGINS
def test_the_square_has_one_equilibrium_at_half_the_margin(margin):
    for data, _ in pairs(10):
        game = Game(data, margin, "square")
        best = game.best_energies(data)
        np.testing.assert_allclose(best[data > 0], margin / 2)
        assert game.value(data, best) == pytest.approx(margin**2 / 2)
        for other in (0.0, 0.4 * margin, margin):
            assert game.value(data, np.full(7, other)) > margin**2 / 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([0.5, 0.6], r"data: it has shape \(2,\) and the sum 1.1, allowed are numbers \(K,\)"),
        ([1.5, -0.5], r"data: it has shape \(2,\) and the sum 1, allowed are"),
        ([[1.0]], r"data: it has shape \(1, 1\)"),
        ([np.nan, 1.0], r"data: it has shape \(2,\) and the sum nan"),
    ],
)
def test_what_is_no_distribution_is_refused(wrong, said):
    with pytest.raises(UserError, match=said) as caught:
        Game(np.array(wrong))
    assert "\n" not in str(caught.value)


def test_wrong_margins_and_shapings_are_refused():
    with pytest.raises(UserError, match="margin: got 0, allowed are finite numbers above 0"):
        Game(np.ones(1), 0)
    with pytest.raises(UserError, match="shaping: got 'cube', allowed are identity, square"):
        Game(np.ones(1), 1.0, "cube")
    with pytest.raises(UserError, match=r"second: it has shape \(2,\) and the sum 2"):
        total_variation([0.5, 0.5], [1, 1])
