"""The game that the deck's theorems are about, on a finite number of points.

On K points a generator is a distribution p_G (K,), whatever its network, and a discriminator an energy
D (K,) that is not negative. With f(t) = t, or t^2:

    V(G, D) = sum p_data f(D) + sum p_G f([m - D]^+), which D makes least,
    U(G, D) = sum p_G f(D), which G makes least.

Theorems 1 and 2: where neither can do better alone, p_G = p_data and D is one constant in [0, m] wherever
there are data; for f(t) = t, V = m there. For f(t) = t^2 the constant is m / 2, and V = m^2 / 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ebgan.errors import UserError, one_of, positive
from ebgan_kernels.reference.energy import Shaping

Shares = NDArray[np.float64]  # (K,), not negative, their sum 1
LEAST_SUM, MOST_SUM = 1 - 1e-6, 1 + 1e-6


def total_variation(first: ArrayLike, second: ArrayLike) -> float:
    """TV = sum |p - q| / 2 of two distributions (K,): 0 for equal ones, 1 for ones that share no point.

    Example:
        >>> total_variation([0.5, 0.5, 0.0], [0.0, 0.5, 0.5])
        0.5
    """
    return float(np.abs(_shares("first", first) - _shares("second", second)).sum() / 2)


@dataclass(frozen=True)
class Game:
    """EBGAN's game on K points: the distribution `data` (K,) of the data, the margin m, and the shaping f.

    A generator is its distribution p_G (K,), a discriminator its energies D (K,), numpy arrays both.

    Raises:
        UserError: `data` is no distribution, the margin is not above 0, or there is no such shaping.

    Example:
        >>> game = Game(np.array([0.5, 0.5, 0.0]))
        >>> best = game.best_energies(np.array([0.0, 0.5, 0.5]))
        >>> best.tolist(), game.value(np.array([0.0, 0.5, 0.5]), best)  # V = m (1 - TV)
        ([0.0, 0.0, 1.0], 0.5)
    """

    data: Shares
    margin: float = 1.0
    shaping: Shaping = "identity"

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", _shares("data", self.data))
        positive("margin", self.margin)
        one_of("shaping", self.shaping, get_args(Shaping))

    def shaped(self, values: Shares) -> Shares:
        """f of `values`, element by element."""
        return values**2 if self.shaping == "square" else values

    def value(self, generated: Shares, energies: Shares) -> float:
        """V(G, D): what the discriminator with these `energies` pays, mean of its loss."""
        pushed_up = self.shaped(np.maximum(self.margin - energies, 0))
        return float(self.data @ self.shaped(energies) + generated @ pushed_up)

    def generator_value(self, generated: Shares, energies: Shares) -> float:
        """U(G, D): what the generator of the distribution `generated` pays, mean of its loss."""
        return float(generated @ self.shaped(energies))

    def slope(self, generated: Shares, energies: Shares) -> Shares:
        """dV/dD (K,); at D = m that of D just above it."""
        short = energies < self.margin
        if self.shaping == "square":
            return 2 * (self.data * energies - generated * np.where(short, self.margin - energies, 0))
        return self.data - generated * short

    def best_energies(self, generated: Shares) -> Shares:
        """D*_G (K,), which makes V least for this generator.

        For f(t) = t it is m where p_data < p_G, else 0, and V(G, D*_G) = m (1 - TV(p_data, p_G)); for
        f(t) = t^2 it is m p_G / (p_data + p_G). Where several are best, it is the least of them.
        """
        if self.shaping == "square":
            both = self.data + generated
            return self.margin * np.divide(generated, both, out=np.zeros_like(both), where=both > 0)
        return np.where(self.data < generated, self.margin, 0.0)

    def best_generated(self, energies: Shares) -> Shares:
        """The distribution (K,) that makes U least: all of it where the energy is least, evenly there."""
        least = energies == energies.min()
        return least / least.sum()


def _shares(argument: str, values: ArrayLike) -> Shares:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not (array >= 0).all() or not LEAST_SUM <= array.sum() <= MOST_SUM:
        raise UserError(
            f"{argument}: it has shape {array.shape} and the sum {array.sum():g}, allowed are numbers (K,) "
            "that are not negative and sum to 1"
        )
    return array
