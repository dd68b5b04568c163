"""Barriers, shared memory, clusters, limits and the order of threads, on kernels written for the purpose."""

from __future__ import annotations

import numpy as np
import pytest
from building import not_configured
from kernels_of_tests import EmulationError, Kernels

pytestmark = pytest.mark.skipif(bool(not_configured()), reason=not_configured())


@pytest.fixture(scope="module")
def blocks() -> Kernels:
    return Kernels("blocks")


@pytest.mark.parametrize("seed", [0, 1, 7, 8])
def test_a_barrier_orders_what_threads_wrote(blocks: Kernels, seed: int) -> None:
    numbers, results = np.arange(192, dtype=np.int32), np.zeros(192, np.int32)
    with blocks.seed(seed):
        blocks("run_reversed", numbers, results)
    np.testing.assert_array_equal(results.reshape(2, 96), numbers.reshape(2, 96)[:, ::-1])


def order(blocks: Kernels, seed: int) -> list[int]:
    """For each of 3 blocks of 40 threads, which of all threads came first, and so on."""
    count, places = np.zeros(1, np.int32), np.zeros(120, np.int32)
    with blocks.seed(seed):
        blocks("run_order", 3, 40, count, places)
    assert sorted(places) == list(range(120))
    return [int(place) for place in places]


def test_the_seed_is_the_order_of_threads_and_blocks(blocks: Kernels) -> None:
    assert order(blocks, 0) == list(range(120))
    assert order(blocks, 1) == list(range(120))[::-1]
    random = [order(blocks, seed) for seed in (2, 3, 2)]
    assert random[0] == random[2] != random[1]
    assert random[0] not in (order(blocks, 0), order(blocks, 1))
    # Blocks run one after another, whichever comes first.
    firsts = sorted(min(random[0][40 * block : 40 * block + 40]) for block in range(3))
    assert firsts == [0, 40, 80]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            "run_waits_in_two_places",
            r"threads of block 0 wait at different barriers, in .*blocks\.cu:\d+ and in line \d+",
        ),
        (
            "run_ends_in_front_of_a_barrier",
            r"thread 40 of block 0 has ended while 40 others wait at the barrier in .*blocks\.cu:\d+",
        ),
        (
            "run_deadlock",
            r"deadlock: 1 wait for __syncthreads in .*:\d+; 31 wait for lanes .*blocks\.cu:\d+",
        ),
    ],
)
def test_a_barrier_that_not_all_reach_is_an_error(blocks: Kernels, function: str, message: str) -> None:
    with pytest.raises(EmulationError, match=message):
        blocks(function)


def test_in_reverse_the_ended_thread_is_found_by_those_that_come(blocks: Kernels) -> None:
    with blocks.seed(1), pytest.raises(EmulationError, match="has ended while 23 others wait"):
        blocks("run_ends_in_front_of_a_barrier")


def test_shared_memory_is_nan_until_it_is_written(blocks: Kernels) -> None:
    values = np.zeros(2, np.float32)
    for _ in range(2):
        blocks("run_unwritten", values)
        assert np.isnan(values).all()


def test_static_shared_memory_has_a_limit(blocks: Kernels) -> None:
    with pytest.raises(
        EmulationError, match="a block has 50176 bytes of static and 0 of dynamic shared memory"
    ):
        blocks("run_much_static")


def test_dynamic_shared_memory_beyond_48_kilobytes_needs_opting_in(blocks: Kernels) -> None:
    letter = np.zeros(1, np.uint8)
    blocks("run_dynamic_bytes", 48 * 1024, letter)
    assert letter[0] == ord("x")
    with pytest.raises(EmulationError, match="invalid argument"):
        blocks("run_dynamic_bytes", 48 * 1024 + 1, letter)
    blocks("allow_dynamic_bytes", 100 * 1024)
    blocks("run_dynamic_bytes", 100 * 1024, letter)
    with pytest.raises(EmulationError, match="invalid argument"):
        blocks("run_dynamic_bytes", 100 * 1024 + 1, letter)
    with pytest.raises(EmulationError, match="not allowed"):
        blocks("allow_dynamic_bytes", 228 * 1024)


@pytest.mark.parametrize(("blocks_", "threads"), [(1, 1025), (1, 0), (0, 32)])
def test_a_launch_of_no_or_too_many_threads_is_refused(blocks: Kernels, blocks_: int, threads: int) -> None:
    with pytest.raises(EmulationError, match="invalid configuration argument"):
        blocks("run_order", blocks_, threads, np.zeros(1, np.int32), np.zeros(1, np.int32))


@pytest.mark.parametrize("seed", [0, 1, 5])
def test_blocks_of_a_cluster_read_each_others_memory(blocks: Kernels, seed: int) -> None:
    digits, results = np.arange(1, 9, dtype=np.int32), np.zeros(8, np.int32)
    with blocks.seed(seed):
        blocks("run_sum_over_ranks", 8, 4, digits, results)
    ranks = [1000000 * rank for rank in range(4)]
    assert results.tolist() == [rank + 1234 for rank in ranks] + [rank + 5678 for rank in ranks]


@pytest.mark.parametrize(("blocks_", "cluster"), [(16, 16), (6, 4)])
def test_clusters_that_cannot_be_are_refused(blocks: Kernels, blocks_: int, cluster: int) -> None:
    with pytest.raises(EmulationError, match="cluster misconfiguration"):
        blocks("run_sum_over_ranks", blocks_, cluster, np.zeros(16, np.int32), np.zeros(16, np.int32))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            "run_arrives_twice",
            r"thread 0 of block 0 arrives at the cluster's barrier in .*blocks\.cu:\d+ twice",
        ),
        (
            "run_waits_without_arriving",
            r"waits for the cluster's barrier in .*blocks\.cu:\d+ without having arrived",
        ),
    ],
)
def test_arriving_and_waiting_must_take_turns(blocks: Kernels, function: str, message: str) -> None:
    with pytest.raises(EmulationError, match=message):
        blocks(function)


def test_a_block_that_has_ended_has_no_shared_memory(blocks: Kernels) -> None:
    with pytest.raises(
        EmulationError, match=r"block \d reads the shared memory of block \d, which has ended"
    ):
        blocks("run_reads_an_ended_block", np.zeros(2, np.int32))


def test_a_rank_beyond_the_cluster_is_an_error(blocks: Kernels) -> None:
    with pytest.raises(EmulationError, match="map_shared_rank of block 2 of 2 needs"):
        blocks("run_names_a_rank_that_is_not", np.zeros(1, np.int32))


def test_a_function_that_is_not_emulated_raises_at_its_first_use(blocks: Kernels) -> None:
    value = np.zeros(1, np.int32)
    blocks("run_takes_a_maximum", 0, value)
    assert value[0] == 5
    with pytest.raises(EmulationError, match="atomicMax is not emulated; add it to tests/emulator/include"):
        blocks("run_takes_a_maximum", 1, value)
