"""Ways to play the game of `equilibrium`, and how far each comes towards p_G = p_data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ebgan.energies.equilibrium import Game, Shares, total_variation
from ebgan.errors import at_least, positive


@dataclass(frozen=True)
class Play:
    """V and TV(p_data, p_G) after each round of a play (rounds,), and what its players came to (K,)."""

    values: NDArray[np.float64]
    distances: NDArray[np.float64]
    generated: Shares
    energies: Shares


class _Record:
    """Collects a play, round by round."""

    def __init__(self, game: Game, rounds: int) -> None:
        self.game, self.round = game, 0
        self.values, self.distances = np.empty(rounds), np.empty(rounds)

    def add(self, generated: Shares, energies: Shares) -> None:
        self.values[self.round] = self.game.value(generated, energies)
        self.distances[self.round] = total_variation(self.game.data, generated)
        self.last = generated, energies
        self.round += 1

    def play(self) -> Play:
        return Play(self.values, self.distances, *self.last)


def best_responses(game: Game, start: Shares, *, rounds: int = 1000) -> Play:
    """Alternate best responses: D the best for p_G, then p_G the best for D, from p_G = `start`.

    They do not settle: all that the generator had is pushed up, and it leaves for what is left.
    """
    at_least("rounds", rounds, 1)
    record, generated = _Record(game, rounds), start
    for _ in range(rounds):
        energies = game.best_energies(generated)
        record.add(generated, energies)
        generated = game.best_generated(energies)
    return record.play()


def responses_to_means(game: Game, start: Shares, *, rounds: int = 1000) -> Play:
    """Alternate best responses to the mean of all that the other has played (fictitious play).

    The means are what is recorded, and what comes to the equilibrium.
    """
    at_least("rounds", rounds, 1)
    record, generated, energies = _Record(game, rounds), start, np.zeros_like(start)
    for played in range(1, rounds + 1):
        energies = energies + (game.best_energies(generated) - energies) / played
        record.add(generated, energies)
        generated = generated + (game.best_generated(energies) - generated) / (played + 1)
    return record.play()


def gradient_play(game: Game, start: Shares, *, rounds: int = 1000, rate: float = 0.02) -> tuple[Play, Play]:
    """Small steps in turn, D by `rate` K dV/dD and p_G by p_G exp(-`rate` f(D)), and their means over time.

    The second is how a softmax of K logits follows its natural gradient. The rate falls to 0 as a quarter of
    a cosine, squared. With f(t) = t the players go around the equilibrium, and their means come to it; with
    f(t) = t^2, which is curved, the players do.

    Returns:
        The play itself, and that of the means of all rounds so far.
    """
    at_least("rounds", rounds, 1)
    positive("rate", rate)
    record, of_means = _Record(game, rounds), _Record(game, rounds)
    generated, energies = start, np.zeros_like(start)
    mean_generated, mean_energies = start, energies
    for step in range(rounds):
        length = rate * math.cos(step / rounds * math.pi / 2) ** 2
        slope = game.slope(generated, energies)
        energies = np.maximum(energies - length * len(start) * slope, 0)
        grown = generated * np.exp(-length * game.shaped(energies))
        generated = grown / grown.sum()
        record.add(generated, energies)
        mean_generated = mean_generated + (generated - mean_generated) / (step + 1)
        mean_energies = mean_energies + (energies - mean_energies) / (step + 1)
        of_means.add(mean_generated, mean_energies)
    return record.play(), of_means.play()
