"""PTX instructions against the PTX manual's tables and a plain product."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from building import not_configured
from kernels_of_tests import EmulationError, Kernels, aligned

pytestmark = pytest.mark.skipif(bool(not_configured()), reason=not_configured())

Array = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def instructions() -> Kernels:
    return Kernels("instructions")


# --- cp.async --------------------------------------------------------------------------------------


def copied(instructions: Kernels, left: int, bytes_: int = 16) -> Array:
    source, result = aligned(8, np.uint32), aligned(8, np.uint32)
    source[:] = range(1, 9)
    instructions("run_copies", source, left, bytes_, result)
    return result.reshape(2, 4)


NOTHING = [0xFFFFFFFF] * 4


def test_a_copy_is_there_once_its_group_is_waited_for(instructions: Kernels) -> None:
    assert copied(instructions, left=0).tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]


def test_groups_that_may_be_left_are_as_late_as_that_allows(instructions: Kernels) -> None:
    assert copied(instructions, left=1).tolist() == [[1, 2, 3, 4], NOTHING]


def test_a_copy_that_nobody_waits_for_does_not_happen(instructions: Kernels) -> None:
    assert copied(instructions, left=2).tolist() == [NOTHING, NOTHING]


def test_with_a_random_seed_a_copy_may_happen_early(instructions: Kernels) -> None:
    seen = set()
    for seed in range(2, 22):
        with instructions.seed(seed):
            first = copied(instructions, left=1)
        assert first[0].tolist() == [1, 2, 3, 4]
        seen.add(tuple(first[1].tolist()))
    assert seen == {tuple(NOTHING), (5, 6, 7, 8)}


def test_bytes_that_are_not_read_are_zeros(instructions: Kernels) -> None:
    assert copied(instructions, left=0, bytes_=4).tolist() == [[1, 0, 0, 0], [5, 0, 0, 0]]
    assert copied(instructions, left=0, bytes_=0).tolist() == [[0] * 4, [0] * 4]


def test_a_copy_must_be_aligned(instructions: Kernels) -> None:
    with pytest.raises(
        EmulationError, match=r"cp\.async of 16 bytes in .*instructions\.cu:\d+ is not aligned"
    ):
        instructions("run_misaligned_copy", aligned(8, np.uint32))


def test_a_load_must_be_aligned(instructions: Kernels) -> None:
    message = r"a load of 16 bytes in .*instructions\.cu:\d+ from 0x[0-9a-f]+ is not aligned"
    with pytest.raises(EmulationError, match=message):
        instructions("run_misaligned_load", aligned(8, np.uint32), aligned(4, np.uint32))


# --- ldmatrix ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("transposed", [False, True])
def test_lanes_get_the_elements_that_the_manual_names(instructions: Kernels, transposed: bool) -> None:
    """Register r of lane i: row i / 4, columns 2 (i % 4) and the next, of matrix r or of its transpose."""
    matrices = np.arange(4 * 64, dtype=np.uint16).reshape(4, 8, 8)
    registers = np.zeros((32, 4), np.uint32)
    instructions("run_transposed_matrices" if transposed else "run_matrices", matrices, registers)
    for lane in range(32):
        for register in range(4):
            matrix = matrices[register].T if transposed else matrices[register]
            low, high = matrix[lane // 4, 2 * (lane % 4)], matrix[lane // 4, 2 * (lane % 4) + 1]
            assert registers[lane, register] == int(low) | int(high) << 16


def test_rows_must_be_aligned(instructions: Kernels) -> None:
    with pytest.raises(
        EmulationError, match=r"ldmatrix in .*instructions\.cu:\d+: lane 3 names the row at 0x[0-9a-f]+"
    ):
        instructions("run_misaligned_row")


# --- mma -----------------------------------------------------------------------------------------------


def bits_of(values: Array, kind: str) -> Array:
    """The bits of each number as its type has them: float16, the upper half of a float32, a float32."""
    if kind == "f16":
        return values.astype(np.float16).view(np.uint16).astype(np.uint32)
    bits = values.astype(np.float32).view(np.uint32)
    return bits >> 16 if kind == "bf16" else bits


def packed(elements: list[Any], kind: str) -> int:
    words = bits_of(np.array(elements, np.float32), kind)
    return int(words[0]) | (int(words[1]) << 16 if len(words) == 2 else 0)


@pytest.mark.parametrize(("kind", "number"), [("f16", 0), ("bf16", 1), ("tf32", 2)])
def test_products_are_those_of_plain_matrices(instructions: Kernels, kind: str, number: int) -> None:
    """Fragments lie as in the PTX manual's tables: m16n8k16 has two elements a register, m16n8k8 one."""
    each = 1 if kind == "tf32" else 2
    depth = 8 * each
    draw = np.random.default_rng(0)
    # Whole numbers below 8: exact in every type, and so are their products' sums.
    left = draw.integers(-8, 8, (16, depth)).astype(np.float32)
    right = draw.integers(-8, 8, (depth, 8)).astype(np.float32)
    before = draw.integers(-8, 8, (16, 8)).astype(np.float32)
    lefts, rights = np.zeros((32, 4), np.uint32), np.zeros((32, 2), np.uint32)
    sums = np.zeros((32, 4), np.float32)
    for lane in range(32):
        group, thread = lane // 4, lane % 4
        for i in range(4):
            row, first = group + 8 * (i in (1, 3)), each * thread + (depth // 2) * (i >= 2)
            lefts[lane, i] = packed([left[row, first + e] for e in range(each)], kind)
            sums[lane, i] = before[group + 8 * (i >= 2), 2 * thread + i % 2]
        for i in range(2):
            first = each * thread + (depth // 2) * i
            rights[lane, i] = packed([right[first + e, group] for e in range(each)], kind)
    instructions("run_products", number, lefts, rights, sums)
    exact = before + left @ right
    for lane in range(32):
        for i in range(4):
            assert sums[lane, i] == exact[lane // 4 + 8 * (i >= 2), 2 * (lane % 4) + i % 2]


# --- cvt -------------------------------------------------------------------------------------------------


def test_tf32_is_the_nearest_and_ties_go_away_from_zero(instructions: Kernels) -> None:
    cases = {
        0x3F800000: 0x3F800000,  # 1
        0x3F800FFF: 0x3F800000,  # less than half a unit above 1
        0x3F801000: 0x3F802000,  # a tie, up, though 1 is even
        0x3F803000: 0x3F804000,  # a tie, up
        0xBF801000: 0xBF802000,  # a tie, away from zero
        0x3FFFF000: 0x40000000,  # over to the next power of two
        0x7F7FFFFF: 0x7F800000,  # the largest float32 becomes infinite
        0x7F800000: 0x7F800000,
        0xFF800000: 0xFF800000,
        0x00000000: 0x00000000,
        0x80000000: 0x80000000,
    }
    results = np.zeros(len(cases), np.uint32)
    instructions("run_rounded", len(cases), np.array([*cases], np.uint32).view(np.float32), results)
    assert [hex(value) for value in results] == [hex(value) for value in cases.values()]
    nan = np.zeros(1, np.uint32)
    instructions("run_rounded", 1, np.array([0x7FC00000], np.uint32).view(np.float32), nan)
    assert np.isnan(nan.view(np.float32)[0])


# --- mistakes ----------------------------------------------------------------------------------------------


def test_an_instruction_that_is_not_emulated_raises_at_its_first_use(instructions: Kernels) -> None:
    value = np.zeros(1, np.int32)
    instructions("run_unknown", 0, value)
    assert value[0] == 1
    message = r'the PTX instruction "prefetch\.global\.L2 \[%0\];" in .*instructions\.cu:\d+ is not emulated'
    with pytest.raises(EmulationError, match=message):
        instructions("run_unknown", 1, value)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("run_writes_an_input", r"writes an operand that the asm statement only reads \(\"r\"\)"),
        ("run_reads_an_output", r"reads an operand that the asm statement only writes \(\"=r\"\)"),
        ("run_names_no_operand", "names the operand %1, and the asm statement has 1"),
    ],
)
def test_operands_must_be_what_the_instruction_takes_them_for(
    instructions: Kernels, function: str, message: str
) -> None:
    with pytest.raises(EmulationError, match=message):
        instructions(function, np.zeros(1, np.uint32))
