"""The traffic page: what is read from the counts, the model's arithmetic, the page, and what it needs."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import subprocess
import sys

import pytest

from benchmarks.emulated import Launch, Requests
from benchmarks.resources import TARGETS, Compiled, Resources
from benchmarks.roofline import LATENCY, LAUNCH, Card, share_of, time_of
from benchmarks.rows import RESULTS, ROOT
from benchmarks.traffic import DATA, PAGE, Traffic, TrafficRow, main
from benchmarks.traffic_page import findings_of, page, together
from benchmarks.traffic_reasons import REASONS, TITLES

LINE = {"space": "global", "write": False, "requests": 10, "bytes": 1280, "parts": 40, "fewest": 40}
COUNTS = {
    "kernel": "void ebgan::cuda::(anonymous namespace)::f<float>(int)",
    "blocks": 4,
    "threads": 256,
    "cluster": 1,
    "dynamic_shared": 0,
    "static_shared": 160,
    "barriers": 8,
    "atomics": 0,
    "functions": {"exp": 64, "log": 0},
    "sectors_of_blocks": [60, 10],
    "sectors_of_launch": [40, 10],
    "lines": [
        {**LINE, "place": "csrc/cuda/f.cuh:1"},
        {**LINE, "place": "csrc/cuda/f.cuh:2", "parts": 60, "fewest": 20},
        {**LINE, "place": "csrc/cuda/f.cuh:3", "parts": 4, "fewest": 1},
        {**LINE, "place": "csrc/cuda/f.cuh:4", "write": True, "parts": 10, "fewest": 10},
        {**LINE, "place": "csrc/cuda/f.cuh:5", "space": "shared", "parts": 20, "fewest": 10},
    ],
}
CARD = Card("Abacus", copy_bandwidth=1e12, l2=1000, multiprocessors=2, clock=1e9)


@pytest.fixture
def launch() -> Launch:
    return Launch.of(COUNTS)


@pytest.fixture
def traffic(launch: Launch) -> Traffic:
    usual = TrafficRow(
        "hinge_margin_loss", (8, 8), "float32", "forward", 64, 1600, is_traffic=True, launches=(launch,)
    )
    rows = (
        usual,
        dataclasses.replace(usual, operator="new_loss", mode="forward+backward", minimum=1000),
        dataclasses.replace(usual, operator="valid_conv2d, 1 -> 2", is_traffic=False),
    )
    compiled = Compiled(dict.fromkeys(TARGETS, Resources(40, 160, 0)), divisions=3)
    return Traffic("abc123", "2026-01-31", rows, {"ebgan::cuda::f<float>": compiled})


def test_counts_of_a_launch_become_bytes_and_worst_lines(launch: Launch) -> None:
    assert launch.bytes_of_blocks == (60 * 32, 10 * 32)
    assert launch.bytes_of_launch == (40 * 32, 10 * 32)
    assert launch.functions == {"exp": 64}
    # The third line is further from its fewest, and has less than a twentieth of the sectors.
    assert launch.sectors == Requests(114, 71, "csrc/cuda/f.cuh:2", 3.0)
    assert launch.passes == Requests(20, 10, "csrc/cuda/f.cuh:5", 2.0)
    # A request of each reading line asks for 4, 6 and 0.4 sectors; 40 of 104 are distinct.
    assert launch.under_way == pytest.approx(32 * 10.4 * 40 / 104)


def test_a_launch_without_accesses_has_no_worst_line() -> None:
    launch = Launch.of({**COUNTS, "lines": [], "sectors_of_launch": [0, 0]})
    assert launch.sectors == launch.passes == Requests()
    assert launch.under_way == 0


def test_of_several_launches_a_small_one_names_no_line() -> None:
    large, small = Requests(1000, 900, "large:1", 1.2), Requests(10, 1, "small:1", 10.0)
    assert together([large, small, Requests()]) == Requests(1010, 901, "large:1", 1.2)
    assert together([Requests()]) == Requests()


def test_one_wave_takes_as_long_as_its_slowest_part(launch: Launch) -> None:
    # Four blocks, two on each of two multiprocessors: one wave. 8 warps a block read 40 bytes each, and have
    # four requests of 2.5 bytes under way.
    launch = dataclasses.replace(launch, under_way=2.5)
    latency = 4 * LATENCY
    times = time_of(launch, 2, CARD)
    assert times == {"memory": 0, "latency": pytest.approx(latency), "on chip": 0, "launches": LAUNCH}
    # No more can be under way than there is to read.
    assert time_of(dataclasses.replace(launch, under_way=1e9), 2, CARD)["latency"] == pytest.approx(LATENCY)
    slow_chip = dataclasses.replace(CARD, clock=1e6)
    assert time_of(launch, 2, slow_chip)["on chip"] == pytest.approx((114 / 4 + 20) / (1e6 * 2))
    slow_memory = dataclasses.replace(CARD, copy_bandwidth=1e8)
    assert time_of(launch, 2, slow_memory)["memory"] == pytest.approx(50 * 32 / 1e8)


def test_a_last_wave_of_few_blocks_waits_longer_for_its_share(launch: Launch) -> None:
    launch = dataclasses.replace(launch, under_way=2.0, blocks=5)
    of_block = 40 * 32 / 5 * LATENCY / (8 * 4 * 2)
    # One wave of 4 blocks with 4 shares, then one block with one: each takes what a block alone takes.
    assert time_of(launch, 2, CARD)["latency"] == pytest.approx(2 * of_block)
    assert time_of(launch, 3, CARD)["latency"] == pytest.approx(of_block)


def test_the_share_is_the_minimum_over_the_time_of_all_launches(launch: Launch) -> None:
    launch = dataclasses.replace(launch, under_way=1e9)
    found = share_of(1600, [(launch, 2), (launch, 2)], CARD)
    assert found.share == pytest.approx(1600 / 1e12 / (2 * (LAUNCH + LATENCY)))
    assert found.bound == "launches"
    large = dataclasses.replace(launch, bytes_of_launch=(10**9, 0))
    assert share_of(10**9, [(large, 2)], CARD).share == pytest.approx(1e-3 / (1e-3 + LAUNCH))
    assert share_of(10**9, [(large, 2)], CARD).bound == "memory"


def test_findings_are_what_is_above_its_limit(traffic: Traffic) -> None:
    hinge, new, _ = traffic.rows
    assert [finding for finding, _, _ in findings_of(hinge)] == ["blocks", "sectors", "passes"]
    assert list(findings_of(new)) == [
        ("memory", 1.6, ""),
        ("blocks", 2.24, ""),
        ("sectors", 3.0, "csrc/cuda/f.cuh:2"),
        ("passes", 2.0, "csrc/cuda/f.cuh:5"),
    ]


def test_the_page_has_figures_reasons_resources_and_a_model_that_says_so(traffic: Traffic) -> None:
    text = page(traffic)
    hinge = next(line for line in text.splitlines() if line.startswith("| hinge_margin_loss "))
    cells = [cell.strip() for cell in hinge.strip("|").split("|")]
    assert cells == [
        *("hinge_margin_loss", "8x8", "float32", "forward", "1", "0.0016", "1.00", "1.40"),
        *("1.61", "f.cuh:2 3.00", "2.00", "f.cuh:5 2.00", "2", "0", "exp 1.00"),
    ]
    findings = text.partition("and why\n")[2].partition("\n## ")[0].splitlines()
    assert any(REASONS["hinge_margin_loss", "blocks"] in line for line in findings)
    assert sum("**open**" in line and "new_loss" in line for line in findings) == len(TITLES)
    # 40 registers: 48 warps; 256 threads: 6 blocks.
    kernel = next(line for line in text.splitlines() if "`f<float>`" in line)
    assert [cell.strip() for cell in kernel.strip("|").split("|")][1:] == [
        "256",
        "160",
        "3",
        *("40", "48") * 3,
    ]
    model = text.partition("a model\n")[2]
    assert "Not measured." in model
    assert "| products |" in model
    assert "fits L2" in model
    assert "abc123" in text


def test_a_file_comes_back_as_it_was_saved(traffic: Traffic, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "folder" / DATA
    traffic.save(path)
    assert Traffic.load(path) == traffic


@pytest.mark.parametrize(
    "content", ["{}", "[]", "{", '{"commit": 1, "date": 2, "rows": [{}], "kernels": {}}']
)
def test_another_file_is_named_and_no_page_is_written(
    content: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / DATA).write_text(content)
    assert main(["--page", "--output", str(tmp_path)]) == 2
    assert f"{tmp_path / DATA} is not a file of traffic" in capsys.readouterr().err
    assert not (tmp_path / PAGE).exists()


def test_the_page_is_written_from_the_file_alone(traffic: Traffic, tmp_path: pathlib.Path) -> None:
    traffic.save(tmp_path / DATA)
    assert main(["--page", "--output", str(tmp_path)]) == 0
    assert (tmp_path / PAGE).read_text() == page(traffic)


def test_the_page_that_is_there_is_what_its_file_says() -> None:
    assert (RESULTS / PAGE).read_text() == page(Traffic.load(RESULTS / DATA))


def run_with(library: str, output: pathlib.Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.traffic", "--output", str(output)],
        cwd=ROOT,
        env={**os.environ, "EBGAN_KERNELS_EMULATE_CUDA": library},
        capture_output=True,
        text=True,
        check=False,
    )


def _other_variant(folder: pathlib.Path) -> str:
    """A library of the emulated device that says it is another variant, and does nothing else."""
    source = folder / "other.c"
    source.write_text('const char* emulator_variant(void) { return "plain"; }\n')
    library = folder / "other.so"
    subprocess.run(["cc", "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
    return str(library)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("unset", "EBGAN_KERNELS_EMULATE_CUDA names no library of the variant counts; build it"),
        ("absent", "the emulated library is not compiled (counts-9.0.so is not in "),
        ("other", "is of the variant plain, and counts is wanted; build it"),
    ],
)
def test_without_the_library_that_counts_it_ends_in_one_line(
    missing: str, message: str, tmp_path: pathlib.Path
) -> None:
    libraries = {"unset": "", "absent": str(tmp_path / "counts-9.0.so")}
    done = run_with(libraries[missing] if missing in libraries else _other_variant(tmp_path), tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("benchmarks.traffic: ")
    assert message in line
    assert not (tmp_path / PAGE).exists()
