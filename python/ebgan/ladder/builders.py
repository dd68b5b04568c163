"""Networks by name: `network("bottom")`, `network("full", seeds=15)`, `generator()`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from ebgan.errors import at_least, one_of
from ebgan.ladder.combinators import CombinatorName
from ebgan.ladder.generator import LadderGenerator
from ebgan.ladder.layers import initialise
from ebgan.ladder.network import LadderNetwork

NetName = Literal["full", "bottom", "gamma", "supervised"]

HIDDEN = (1000, 500, 250, 250, 250)  # the paper's units, between 784 pixels and 10 classes
# EBGAN's paper says nothing of EBGAN-LN's generator. This one is of the size that semi-supervised GANs on
# permutation-invariant MNIST have had since Salimans et al., arXiv:1606.03498.
CODES, GENERATOR_HIDDEN = 100, (500, 500)


def new_network(
    name: NetName, inputs: int, hidden: Sequence[int], classes: int, combinator: CombinatorName, networks: int
) -> LadderNetwork:
    """The networks called `name`, whose first weights are still to be drawn."""
    one_of("model", name, get_args(NetName))
    sizes = (inputs, *hidden, classes)
    lowest = {"gamma": len(sizes) - 1, "supervised": None}.get(name, 0)
    return LadderNetwork(sizes, lowest=lowest, combinator=combinator, networks=networks)


def network(
    name: NetName,
    *,
    inputs: int = 784,
    hidden: Sequence[int] = HIDDEN,
    classes: int = 10,
    combinator: CombinatorName = "gauss",
    seed: int = 0,
    seeds: int = 1,
) -> LadderNetwork:
    """The ladder networks called `name`, as many as `seeds`, with first weights by `seed` and the next ones.

    "full" and "bottom" denoise every layer (they differ in which of them cost), "gamma" the top layer alone,
    "supervised" none. `net(examples)` classifies examples (N, inputs): logits (seeds, N, classes).

    Example:
        >>> sum(parameter.numel() for parameter in network("bottom").parameters())
        3105710
        >>> sum(parameter.numel() for parameter in network("supervised").parameters())
        1538770
    """
    at_least("seeds", seeds, 1)
    net = new_network(name, inputs, hidden, classes, combinator, seeds)
    initialise(range(seed, seed + seeds), net)
    return net


def generator(
    *,
    codes: int = CODES,
    hidden: Sequence[int] = GENERATOR_HIDDEN,
    outputs: int = 784,
    seed: int = 0,
    seeds: int = 1,
) -> LadderGenerator:
    """The generators of EBGAN-LN, as many as `seeds`: `net(codes)` gives examples (seeds, N, outputs)."""
    at_least("seeds", seeds, 1)
    net = LadderGenerator((codes, *hidden, outputs), networks=seeds)
    initialise(range(seed, seed + seeds), net)
    return net
