"""A model of how fast a launch could be at most, from what it moves and how much of it can be under way.

    time = LAUNCH + sum over waves of max(memory, latency, on chip)

A wave is as many blocks as the multiprocessors hold at once, each with its share of the launch's bytes:

    memory    bytes / (copy bandwidth)                         distinct sectors, read and written
    latency   bytes read * LATENCY / (warps of the wave * bytes that a warp has under way)    Little's law
    on chip   (sectors / 4 + passes of shared memory) / (clock * multiprocessors in use)    128 bytes a cycle

It leaves out instructions, products, and the bandwidth of L2, and takes a following launch to find nothing in
the caches; so it bounds kernels that memory binds, and no others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchmarks.emulated import Launch

LATENCY = 600e-9  # seconds from a request to its data: an assumption
LAUNCH = 1e-6  # seconds that a launch takes beside its work: an assumption
UNROLLED = 4  # requests of each place that reads, which a warp has under way at most: an assumption
SECTORS_A_CYCLE = 4  # that L1 gives

Bound = Literal["memory", "latency", "on chip", "launches"]


@dataclass(frozen=True)
class Card:
    """`copy_bandwidth` counts bytes read and written; `clock` is the highest that the maker states."""

    name: str
    copy_bandwidth: float  # bytes a second
    l2: int  # bytes
    multiprocessors: int
    clock: float  # cycles a second


# Copies measured on the cards: about 3.0 and 4.3 TB/s.
CARDS = (
    Card("H100 80GB HBM3", 3.0e12, 50 * 2**20, 132, 1.98e9),
    Card("H200", 4.3e12, 60 * 2**20, 132, 1.98e9),
)


@dataclass(frozen=True)
class Share:
    """The share of a card's copy bandwidth that is reached, and what most of the time goes to."""

    share: float
    bound: Bound


def time_of(launch: Launch, resident: int, card: Card) -> dict[Bound, float]:
    """Seconds of one launch, by what they wait for; `resident` blocks fit on a multiprocessor."""
    times: dict[Bound, float] = {"memory": 0.0, "latency": 0.0, "on chip": 0.0, "launches": LAUNCH}
    most = resident * card.multiprocessors
    warps_of_block = -(-launch.threads // 32)
    all_of_warp = launch.bytes_of_launch[0] / (launch.blocks * warps_of_block)
    of_warp = min(UNROLLED * launch.under_way, all_of_warp)
    for first in range(0, launch.blocks, most):
        blocks = min(most, launch.blocks - first)
        part = blocks / launch.blocks
        read, written = (part * moved for moved in launch.bytes_of_launch)
        under_way = blocks * warps_of_block * of_warp
        cycles = part * (launch.sectors.parts / SECTORS_A_CYCLE + launch.passes.parts)
        wave: dict[Bound, float] = {
            "memory": (read + written) / card.copy_bandwidth,
            "latency": read * LATENCY / under_way if under_way else 0.0,
            "on chip": cycles / (card.clock * min(blocks, card.multiprocessors)),
        }
        slowest = max(wave, key=lambda name: wave[name])
        times[slowest] += wave[slowest]
    return times


def share_of(minimum: int, launches: list[tuple[Launch, int]], card: Card) -> Share:
    """The share of an operator that must move `minimum` bytes, by its launches and their resident blocks."""
    total: dict[Bound, float] = {}
    for launch, resident in launches:
        for name, seconds in time_of(launch, resident, card).items():
            total[name] = total.get(name, 0.0) + seconds
    return Share(
        minimum / card.copy_bandwidth / sum(total.values()), max(total, key=lambda name: total[name])
    )
