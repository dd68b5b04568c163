"""The share of test examples that trained ladder networks classify wrongly."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

import torch

from ebgan.data import load
from ebgan.files import StrPath
from ebgan.ladder.batches import Examples, examples
from ebgan.ladder.config import LadderConfig
from ebgan.ladder.runs import load_network
from ebgan.ladder.statistics import error_rates
from ebgan.training import RunFolder
from ebgan.training.meter import meter


@dataclass(frozen=True)
class LadderScores:
    """The share of `examples` examples of `data` that the network of each seed classifies wrongly.

    `std` is the deviation over seeds (that of a sample, n - 1), None for one seed. Its `str` is a table.
    """

    data: str
    examples: int
    model: str
    labels: int
    errors: dict[str, float]
    mean: float
    std: float | None

    def __str__(self) -> str:
        head = f"{self.model}, {self.labels} labels: errors on {self.data}, {self.examples:,} examples"
        rows = [f"{seed:<8}{error:>8.2%}" for seed, error in self.errors.items()]
        if self.std is not None:
            rows.append(f"{'mean':<8}{self.mean:>8.2%} ± {self.std:.2%}")
        return "\n".join([head, *rows])


def score(
    run: RunFolder, config: LadderConfig, device: torch.device, data_root: StrPath | None
) -> LadderScores:
    """Ladder networks are scored by the share of test examples that the network of each seed classifies
    wrongly, with mean and deviation over seeds. A run that holds out training examples is scored on these,
    and sees no test example.
    """
    # The clean path is scored, normalised by the statistics of the training data.
    with meter(config.seeds + 1, unit="part") as show:
        networks = load_network(run, config, device, data_root, done=show.update)
        data, split = _scored_on(config, device, data_root)
        rates = error_rates(networks, data.features, data.labels).tolist()
        show.update()
    return LadderScores(
        data=f"{config.data} {split}",
        examples=len(data),
        model=config.model,
        labels=config.labels,
        errors={f"seed {seed}": rate for seed, rate in zip(config.network_seeds, rates, strict=True)},
        mean=statistics.mean(rates),
        std=statistics.stdev(rates) if len(rates) > 1 else None,
    )


def _scored_on(config: LadderConfig, device: torch.device, data_root: StrPath | None) -> tuple[Examples, str]:
    if not config.held_out:
        return examples(load(config.data, "test", data_root), device), "test"
    data = examples(load(config.data, "train", data_root), device)
    return data.part(len(data) - config.held_out, len(data)), "held out of training"
