"""Strategy 6: a penalty on the code limits the volume of the plane that can have low energy.

The signals x are the activities of a `Population` at the points y; the decoder W is a dictionary whose atoms
have length 1.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ebgan.energies.descent import Descended
from ebgan.energies.fista import fista
from ebgan.energies.population import Population
from ebgan.errors import at_least, positive
from ebgan_kernels.ops.module import Module

SHRINK = 0.05  # what the encoder's units move towards 0 by: below it a unit is silent


class SparseNetwork(Module):
    """A dictionary W (D, K) with columns of length 1, and an encoder g(x) = shrink(A x + b).

    Args:
        signal: D, the numbers in a signal x.
        atoms: K, the columns of the dictionary.
    """

    def __init__(self, signal: int, atoms: int) -> None:
        super().__init__()
        self.raw = nn.Parameter(torch.randn(signal, atoms))
        self.linear = nn.Linear(signal, atoms)

    def begin(self, signals: Tensor) -> None:
        """Let the atoms be these `signals` (K, D), and the encoder look for each."""
        with torch.no_grad():
            self.raw.copy_(F.normalize(signals, dim=1).T)
            self.linear.weight.copy_(self.raw.T / 2)
            self.linear.bias.zero_()

    def dictionary(self) -> Tensor:
        return F.normalize(self.raw, dim=0)

    def encode(self, signals: Tensor) -> Tensor:
        return F.softshrink(self.linear(signals), SHRINK)


class SparseLearner(Descended):
    """A learner with `atoms` atoms, and codes z that cost `sparsity` times the sum of their sizes |z_j|."""

    network: SparseNetwork

    def __init__(
        self,
        *,
        atoms: int = 40,
        sparsity: float = 0.1,
        steps: int = 400,
        rate: float = 5e-3,
        batch_size: int = 256,
        seed: int = 0,
    ) -> None:
        super().__init__(steps=steps, rate=rate, batch_size=batch_size, seed=seed)
        at_least("atoms", atoms, 1)
        positive("sparsity", sparsity)
        self.atoms, self.sparsity = atoms, sparsity
        self.signals = Population()

    def _network(self) -> nn.Module:
        return SparseNetwork(len(self.signals.centres), self.atoms)

    def _begin(self, data: Tensor) -> None:
        chosen = torch.randint(len(data), (self.atoms,), generator=self.random)
        self.network.begin(self.signals(data[chosen]))

    @abstractmethod
    def of_signals(self, signals: Tensor) -> Tensor:
        """The energies (N,) of `signals` (N, D)."""

    def _energies(self, points: Tensor) -> Tensor:
        return self.of_signals(self.signals(points))

    def loss(self, batch: Tensor) -> Tensor:
        return self._energies(batch).mean()

    def _cost(self, signals: Tensor, codes: Tensor) -> Tensor:
        """||x - W z||^2 + sparsity ||z||_1, (N,)."""
        residual = signals - codes @ self.network.dictionary().T
        return (residual**2).sum(1) + self.sparsity * codes.abs().sum(1)


class SparseCoding(SparseLearner):
    """E(y) = min_z ||x - W z||^2 + sparsity ||z||_1, the code z found by FISTA.

    The gradient for W is that at the z that was found.
    """

    def of_signals(self, signals: Tensor) -> Tensor:
        return self._cost(signals, fista(signals, self.network.dictionary(), self.sparsity))


class SparseAutoEncoder(SparseLearner):
    """E(y) = ||x - W g(x)||^2 + sparsity ||g(x)||_1, the code given by an encoder g at once."""

    def of_signals(self, signals: Tensor) -> Tensor:
        return self._cost(signals, self.network.encode(signals))


class PSD(SparseLearner):
    """E(y) = min_z ||x - W z||^2 + sparsity ||z||_1 + prediction ||z - g(x)||^2.

    That is predictive sparse decomposition. FISTA begins at the encoder's g(x) and is drawn to it, so that
    the inference and the encoder meet.
    """

    def __init__(
        self,
        *,
        prediction: float = 1.0,
        atoms: int = 40,
        sparsity: float = 0.1,
        steps: int = 400,
        rate: float = 5e-3,
        batch_size: int = 256,
        seed: int = 0,
    ) -> None:
        super().__init__(
            atoms=atoms, sparsity=sparsity, steps=steps, rate=rate, batch_size=batch_size, seed=seed
        )
        positive("prediction", prediction)
        self.prediction = prediction

    def of_signals(self, signals: Tensor) -> Tensor:
        predicted = self.network.encode(signals)
        codes = fista(
            signals,
            self.network.dictionary(),
            self.sparsity,
            prediction=predicted,
            pull=self.prediction,
        )
        return self._cost(signals, codes) + self.prediction * ((codes - predicted) ** 2).sum(1)
