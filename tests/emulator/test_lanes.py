"""Exchanges between the lanes of a warp, against values worked out by hand, and lanes' mistakes."""

from __future__ import annotations

import numpy as np
import pytest
from building import not_configured
from kernels_of_tests import EmulationError, Kernels

pytestmark = pytest.mark.skipif(bool(not_configured()), reason=not_configured())
INDEX, XOR, UP, DOWN = range(4)


@pytest.fixture(scope="module")
def lanes() -> Kernels:
    return Kernels("lanes")


@pytest.mark.parametrize("seed", [0, 1, 12345])
@pytest.mark.parametrize(
    ("kind", "argument", "width", "sources"),
    [
        (INDEX, 5, 32, {0: 5, 31: 5}),
        (INDEX, 37, 32, {0: 5, 31: 5}),  # modulo the width
        (INDEX, 3, 8, {0: 3, 7: 3, 8: 11, 31: 27}),
        (XOR, 1, 32, {0: 1, 1: 0, 30: 31}),
        (XOR, 16, 32, {0: 16, 31: 15}),
        (XOR, 4, 8, {0: 4, 7: 3, 12: 8}),
        (XOR, 8, 8, {0: 0, 7: 7, 8: 0, 15: 7}),  # into the segments behind: their own; in front: theirs
        (UP, 3, 32, {0: 0, 2: 2, 3: 0, 31: 28}),
        (UP, 3, 8, {8: 8, 10: 10, 11: 8, 15: 12}),
        (DOWN, 3, 32, {0: 3, 28: 31, 29: 29, 31: 31}),
        (DOWN, 3, 8, {0: 3, 4: 7, 5: 5, 8: 11}),
    ],
)
def test_a_lane_gets_the_value_of_its_source(
    lanes: Kernels, kind: int, argument: int, width: int, sources: dict[int, int], seed: int
) -> None:
    values = np.zeros(32, np.int32)
    with lanes.seed(seed):
        lanes("run_shuffle", kind, argument, width, values)
    assert {lane: int(values[lane]) - 100 for lane in sources} == sources


def test_values_of_eight_bytes_are_exchanged(lanes: Kernels) -> None:
    values = np.zeros(32)
    lanes("run_shuffle_double", values)
    np.testing.assert_array_equal(values, 0.5 * np.array([*range(2, 32), 30, 31]))


def test_a_mask_leaves_the_other_lanes_alone(lanes: Kernels) -> None:
    values, ballots = np.full(32, -1, np.int32), np.zeros(32, np.uint32)
    lanes("run_even_lanes", values, ballots)
    np.testing.assert_array_equal(values, [7, -1] * 16)
    expected = sum(1 << lane for lane in range(12, 32, 2))
    np.testing.assert_array_equal(ballots, [expected, 0] * 16)


def test_lanes_vote(lanes: Kernels) -> None:
    votes = np.zeros((32, 4), np.int32)
    lanes("run_votes", votes)
    for ballot, any_, all_, not_all in votes:
        assert int(ballot) & 0xFFFFFFFF == (1 << 3) | (1 << 31)
        assert (any_, all_, not_all) == (1, 1, 0)


@pytest.mark.parametrize("seed", [0, 1, 99])
def test_what_lanes_wrote_is_there_behind_the_warps_barrier(lanes: Kernels, seed: int) -> None:
    values = np.zeros(32, np.int32)
    with lanes.seed(seed):
        lanes("run_neighbours", values)
    np.testing.assert_array_equal(values, [(lane + 1) % 32 * ((lane + 1) % 32) for lane in range(32)])


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            "run_reads_absent_lane",
            r"lane \d+ reads lane 20, which takes no part in the shuffle in .*lanes\.cu:\d+",
        ),
        (
            "run_meets_in_two_places",
            r"lanes of a warp of block 0 meet at different instructions, in .*lanes\.cu:\d+",
        ),
    ],
)
def test_a_shuffle_that_cannot_be_is_an_error(lanes: Kernels, function: str, message: str) -> None:
    with pytest.raises(EmulationError, match=message):
        lanes(function, np.zeros(32, np.int32))


def test_a_lane_must_be_one_of_those_it_names(lanes: Kernels) -> None:
    with pytest.raises(
        EmulationError, match=r"lane 5 names the lanes 0xdf in .*lanes\.cu:\d+, of which it must be one"
    ):
        lanes("run_names_itself_not")


def test_lanes_that_wait_for_one_that_ended_are_a_deadlock(lanes: Kernels) -> None:
    with pytest.raises(
        EmulationError, match=r"deadlock: 31 wait for lanes of their warp in .*lanes\.cu:\d+; in .*one_lane"
    ):
        lanes("run_one_lane_stays_away")


def test_an_error_leaves_the_device_as_it_was(lanes: Kernels) -> None:
    with pytest.raises(EmulationError, match="deadlock"):
        lanes("run_one_lane_stays_away")
    values = np.zeros(32, np.int32)
    lanes("run_neighbours", values)
    assert values[0] == 1
