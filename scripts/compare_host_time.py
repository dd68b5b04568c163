#!/usr/bin/env python3
"""Times small calls of the operators in two checkouts, in turn: what checks, autograd and dispatch take.

    python scripts/compare_host_time.py BEFORE AFTER [--rounds 60]

BEFORE and AFTER are checkouts whose compiled libraries are built. A process of each waits for its turn. A
round times a block of calls in one and then in the other, so that both meet the same noise. The table has
the median of each in microseconds of a call, and the median of the rounds' ratios with its bootstrap
interval. It is on the CPU, with one thread. The allocator keeps its memory: whether it returns a gradient's
pages, which then fault again, is chance.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

BLOCK_SECONDS = 0.02
KEEP = {"MALLOC_TRIM_THRESHOLD_": "1000000000", "MALLOC_MMAP_THRESHOLD_": "1000000000"}
Call = Callable[[], object]


def calls() -> dict[str, Call]:
    """The calls by name; each gives the gradients back that it makes."""
    import torch

    import ebgan_kernels as ek

    torch.set_num_threads(1)
    torch.manual_seed(0)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, requires_grad=True)

    margin, tiny, images = torch.tensor(10.0), drawn(4, 4), [drawn(64, 1, 28, 28) for _ in range(2)]
    x = [torch.randn(4, 4), torch.randn(64, 1, 28, 28)]
    frames, target = [drawn(8, 3, size, size) for size in (4, 8, 16, 32)], torch.randn(8, 3, 32, 32)
    z, u, parameters = drawn(100, 250), drawn(100, 250), drawn(10, 250)
    mean, std = torch.zeros(250), torch.ones(250)
    parts, beta, codes = drawn(2, 100, 250), drawn(250), drawn(16, 32)

    def discriminator(a: torch.Tensor, b: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        return ek.discriminator_loss(a, real, b, real, margin=margin).loss

    functions: dict[str, tuple[Callable[[], torch.Tensor], list[torch.Tensor]]] = {
        "discriminator_loss 4x4": (lambda: discriminator(tiny, tiny, x[0]), [tiny]),
        "discriminator_loss 64x1x28x28": (lambda: discriminator(*images, x[1]), images),
        "generator_loss 64x1x28x28": (lambda: ek.generator_loss(images[0], images[1]), images),
        "reconstruction_energy 4x4": (lambda: ek.reconstruction_energy(tiny, x[0]).sum(), [tiny]),
        "prediction_loss 8x3x32x32": (lambda: ek.prediction_loss(frames[3], target), [frames[3]]),
        "multiscale_prediction_loss 4 scales": (
            lambda: ek.multiscale_prediction_loss(frames, target),
            frames,
        ),
        "pulling_away 16x32": (lambda: ek.pulling_away(codes), [codes]),
        "gaussian_combinator 100x250": (
            lambda: ek.gaussian_combinator(z, u, parameters).sum(),
            [z, u, parameters],
        ),
        "ladder_denoising_cost 100x250": (
            lambda: ek.ladder_denoising_cost(z.detach(), z, u, parameters, mean, std),
            [z, u, parameters],
        ),
        "ladder_layer 2x100x250": (
            lambda: ek.ladder_layer(parts, beta=beta, activation="relu").h.sum(),
            [parts, beta],
        ),
    }

    def step(function: Callable[[], torch.Tensor], leaves: list[torch.Tensor]) -> Call:
        def run() -> None:
            for leaf in leaves:
                leaf.grad = None
            function().backward()

        return run

    timed: dict[str, Call] = {}
    for name, (function, leaves) in functions.items():
        timed[f"{name}, forward"] = function
        timed[f"{name}, forward+backward"] = step(function, leaves)
    return timed


def serve() -> None:
    """Answers each line, the name of a call, with the microseconds that it took, on average of a block."""
    timed = calls()
    blocks: dict[str, int] = {}
    for line in sys.stdin:
        name = line.strip()
        call = timed[name]
        if name not in blocks:
            call()
            begun = time.perf_counter()
            for _ in range(5):
                call()
            blocks[name] = max(1, round(5 * BLOCK_SECONDS / (time.perf_counter() - begun)))
        begun = time.perf_counter()
        for _ in range(blocks[name]):
            call()
        print((time.perf_counter() - begun) / blocks[name] * 1e6, flush=True)


def started(checkout: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1", **KEEP}
    command = [sys.executable, str(Path(__file__).resolve()), "--serve"]
    return subprocess.Popen(
        command, cwd=checkout, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def asked(process: subprocess.Popen[str], name: str) -> float:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(f"{name}\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def interval(ratios: list[float]) -> tuple[float, float]:
    """The 95 % bootstrap interval of the median."""
    generator = random.Random(0)
    medians = sorted(statistics.median(generator.choices(ratios, k=len(ratios))) for _ in range(2000))
    return medians[50], medians[-51]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkouts", nargs="*", type=Path, metavar="CHECKOUT")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
        return 0
    if len(options.checkouts) != 2:
        parser.error(f"give two checkouts, not {len(options.checkouts)}")
    before, after = (started(path.resolve()) for path in options.checkouts)
    print("| call | before, us | after, us | after / before |\n|---|---|---|---|")
    for name in calls():
        asked(before, name), asked(after, name)
        pairs = [(asked(before, name), asked(after, name)) for _ in range(options.rounds)]
        ratios = [second / first for first, second in pairs]
        low, high = interval(ratios)
        one, other = (statistics.median(side) for side in zip(*pairs, strict=True))
        print(
            f"| {name} | {one:.1f} | {other:.1f} | {statistics.median(ratios):.3f} [{low:.3f}, {high:.3f}] |"
        )
    for process in (before, after):
        process.terminate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
