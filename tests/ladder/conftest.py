from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from plain_ladder import HIDDEN, LAMBDAS

from ebgan.data import load
from ebgan.ladder import (
    Examples,
    Ladder,
    LadderEBGAN,
    LinearDecay,
    SemiSupervisedBatches,
    examples,
    generator,
    network,
)
from ebgan.training import cpu_threads


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with cpu_threads(1):
        yield


@pytest.fixture(scope="session")
def digits() -> Examples:
    """The training digits in float64."""
    found = examples(load("digits"))
    return Examples(found.features.double(), found.labels, found.classes, found.name)


@pytest.fixture
def system(digits) -> Callable[..., Ladder]:
    """Small systems in float64 by model, with a network for each seed; a margin is 0 from step 4 on."""

    def build(model: str, seeds: tuple[int, ...] = (0,), *, hidden=HIDDEN, **options) -> Ladder:
        batches = SemiSupervisedBatches(digits, labels=50, batch_size=20, seeds=seeds)
        sizes = {"hidden": hidden, "seed": seeds[0], "seeds": len(seeds)}
        net = network("bottom" if model == "ebgan" else model, inputs=64, **sizes).double()
        if model == "ebgan":
            margin = LinearDecay(3.0, 3)
            fakes = generator(codes=5, outputs=64, **sizes).double()
            return LadderEBGAN(net, fakes, batches, lambda_0=1000.0, margin=margin, seeds=seeds, **options)
        return Ladder(net, batches, LAMBDAS[model], seeds=seeds, **options)

    return build


@pytest.fixture
def moved() -> Callable[[torch.nn.Module], None]:
    """Moves every parameter away from its start, at which much of a ladder's gradient is 0."""

    def move(net: torch.nn.Module) -> None:
        generator = torch.Generator().manual_seed(5)
        with torch.no_grad():
            for parameter in net.parameters():
                noise = torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
                parameter.add_(0.3 * noise)

    return move
