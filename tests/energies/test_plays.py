"""Which ways to play EBGAN's game come to its equilibrium, and which do not."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ebgan.energies import point_set
from ebgan.energies.equilibrium import Game
from ebgan.energies.play_picture import draw_plays, plays_on
from ebgan.energies.plays import best_responses, gradient_play, responses_to_means
from ebgan.errors import UserError

DATA = np.array([0.3, 0.22, 0.18, 0.14, 0.1, 0.06])
EVEN = np.full(6, 1 / 6)


def test_best_responses_go_round_and_keep_to_the_theorem():
    game = Game(DATA, 2.0)
    play = best_responses(game, EVEN, rounds=200)
    np.testing.assert_allclose(play.values, 2 * (1 - play.distances), atol=1e-3)
    assert play.distances.min() > 0.1 and play.values[-100:].max() < 1.8
    assert len(np.unique(play.distances[-100:].round(9))) <= 6, "it comes back to where it was"


def test_a_round_of_best_responses_by_hand():
    game = Game(np.array([0.5, 0.3, 0.2]))
    play = best_responses(game, np.array([0.2, 0.3, 0.5]), rounds=2)
    # D = (0, 0, 1), V = 0.2 + 0.2 + 0.3; then p_G = (1/2, 1/2, 0), D = (0, 1, 0), V = 0.3 + 0.5.
    np.testing.assert_allclose(play.values, [0.7, 0.8])
    np.testing.assert_allclose(play.distances, [0.3, 0.2])
    np.testing.assert_allclose(play.generated, [0.5, 0.5, 0])
    np.testing.assert_allclose(play.energies, [0, 1, 0])


def test_best_responses_to_means_come_to_the_equilibrium():
    play = responses_to_means(Game(DATA), EVEN, rounds=60_000)
    assert play.distances[-1] < 1e-3 and play.values[-1] == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(play.generated, DATA, atol=1e-3)
    assert np.ptp(play.energies) < 0.05 and (play.energies <= 1).all(), "one constant, not above m"


def test_small_steps_go_around_the_equilibrium_and_their_means_come_to_it():
    play, of_means = gradient_play(Game(DATA), EVEN, rounds=40_000)
    assert play.distances[-1000:].min() > 1e-3, "f(t) = t"
    assert of_means.values[-1] == pytest.approx(1, abs=1e-3)
    assert of_means.distances[-1] < 0.1 * play.distances[-1000:].mean() + 3e-3


def test_small_steps_come_to_the_equilibrium_of_the_square():
    play, _ = gradient_play(Game(DATA, 2.0, "square"), EVEN, rounds=20_000)
    assert play.distances[-1] < 1e-3 and play.values[-1] == pytest.approx(2, abs=1e-3)
    np.testing.assert_allclose(play.energies, 1.0, atol=1e-3)  # m / 2


def test_the_steps_by_hand():
    """The first: D = [0 - rate K dV/dD]^+, then p_G ~ p_G exp(-rate f(D))."""
    game = Game(np.array([0.5, 0.3, 0.2]), 2.0, "square")
    start = np.array([0.2, 0.3, 0.5])
    play, of_means = gradient_play(game, start, rounds=1, rate=0.1)
    energies = 0.1 * 3 * 2 * start * 2.0
    grown = start * np.exp(-0.1 * energies**2)
    np.testing.assert_allclose(play.energies, energies)
    np.testing.assert_allclose(play.generated, grown / grown.sum())
    np.testing.assert_allclose(of_means.generated, play.generated)


@pytest.mark.parametrize("play", [best_responses, responses_to_means, gradient_play])
def test_wrong_rounds_and_rates_are_refused(play):
    with pytest.raises(UserError, match="rounds: got 0, allowed are finite numbers from 1 up"):
        play(Game(DATA), EVEN, rounds=0)
    with pytest.raises(UserError, match="rate: got 0, allowed are finite numbers above 0"):
        gradient_play(Game(DATA), EVEN, rate=0)


def test_the_picture_shows_plays_on_the_cells_of_a_set(tmp_path):
    points = point_set("moons", count=300).points
    plays = plays_on(points)
    to_means, value = plays["best responses to means"]
    assert value == 1.0 and to_means.values[-1] == pytest.approx(1, abs=2e-3)
    assert to_means.distances[-1] < 0.02 < plays["best responses"][0].distances.min()
    curved, value = plays["small steps, f(t) = t²"]
    assert curved.values[-1] == pytest.approx(value, abs=1e-3) and curved.distances[-1] < 1e-3
    draw_plays(points, tmp_path / "plays.png")
    assert Image.open(tmp_path / "plays.png").size == (1320, 504)
