#!/usr/bin/env python3
"""Trains ladder networks of several seeds side by side and each alone, in float64, and compares the weights.

    python scripts/compare_ladder_seeds.py --data mnist --data-root DIR --model bottom --seeds 15

It exits with 1 where the weights of any seed differ by more than 1e-6 of the greatest one of their tensor.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from ebgan.ladder import Examples, Ladder, build, preset

ALLOWED = 1e-6


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", default="mnist", help="data set (default: mnist)")
    parser.add_argument("--data-root", type=Path, help="folder that holds the data sets")
    parser.add_argument("--model", default="bottom", help="model, as of `ebgan train ladder`")
    parser.add_argument("--labels", type=int, default=100, help="number of examples with a label")
    parser.add_argument("--layers", help="units of the hidden layers (default: those of the data set)")
    parser.add_argument("--seeds", type=int, default=15, help="number of networks (default: 15)")
    parser.add_argument("--updates", type=int, default=100, help="number of training steps (default: 100)")
    given = parser.parse_args(arguments)
    config = preset(given.data, given.model, given.labels)
    config = dataclasses.replace(config, layers=given.layers or config.layers, seeds=given.seeds)

    def trained(seed: int, seeds: int) -> Ladder:
        one = dataclasses.replace(config, seed=seed, seeds=seeds)
        system = in_float64(build(one, torch.device("cpu"), given.data_root))
        for step in range(1, given.updates + 1):
            system.step(step)
        return system

    beside = trained(config.seed, config.seeds)
    print(f"{given.model}, {given.data}: greatest difference after {given.updates} updates, in float64")
    differences = []
    for network, seed in enumerate(config.network_seeds):
        differences.append(greatest_difference(beside, trained(seed, 1), network))
        print(f"seed {seed}: {differences[-1]:.1e} of the greatest weight", flush=True)
    return int(max(differences) > ALLOWED)


def in_float64(system: Ladder) -> Ladder:
    """The system with its networks, data and noise in float64, before its first step."""
    data, noise = system.batches.data, system.noise
    for module in system.modules.values():
        module.double()
    system.batches.data = Examples(data.features.double(), data.labels, data.classes, data.name)
    noise.layers, noise.codes = [layer.double() for layer in noise.layers], noise.codes.double()
    return system


def greatest_difference(beside: Ladder, alone: Ladder, network: int) -> float:
    """The difference of one of several networks to the same alone, over each tensor's greatest weight."""
    differences = [
        ((several[network] - single[0]).abs().max() / single.abs().max()).item()
        for name, module in beside.modules.items()
        for several, single in zip(module.parameters(), alone.modules[name].parameters(), strict=True)
    ]
    return max(differences)


if __name__ == "__main__":
    sys.exit(main())
