"""All learners by name, in the order of the deck's seven strategies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ebgan.energies.constant_volume import GMM, PCA, KMeans, SquareICA
from ebgan.energies.learner import Learner
from ebgan.errors import one_of


@dataclass(frozen=True)
class Kind:
    """A kind of learner: its number among the deck's strategies, its title, and how one is made of a seed."""

    strategy: int
    title: str
    make: Callable[[int], Learner]


KINDS = {
    "pca": Kind(1, "PCA", lambda _: PCA()),
    "k-means": Kind(1, "K-means", lambda seed: KMeans(seed=seed)),
    "gmm": Kind(1, "Gaussian mixture", lambda seed: GMM(seed=seed)),
    "square-ica": Kind(1, "square ICA", lambda seed: SquareICA(seed=seed)),
}


def kind_of(name: str) -> Kind:
    """The kind of learner with this name.

    Raises:
        UserError: there is none.
    """
    one_of("learners", name, KINDS)
    return KINDS[name]
