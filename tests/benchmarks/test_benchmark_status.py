"""The status page: what a test run says of which kernel, and what it does not."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

from benchmarks.status import Checks, Counts, count, kernel_of, main, status_page

JUNIT = """<testsuites><testsuite>
<testcase classname="tests.ops.test_energy_gradients" name="test_a[cuda-l2]"/>
<testcase classname="tests.ops.test_energy_gradients" name="test_a[cuda-l1]"><failure/></testcase>
<testcase classname="tests.ops.test_energy_gradients" name="test_a[triton-l2]"><skipped/></testcase>
<testcase classname="tests.ops.test_energy_gradients" name="test_a[cpu-l2]"/>
<testcase classname="tests.data.test_sets" name="test_b"><failure/></testcase>
</testsuite></testsuites>"""


def checks(device_type: str, **kernels: Counts) -> Checks:
    named = {name.replace("_", " "): counts for name, counts in kernels.items()}
    return Checks(f"the {device_type}", device_type, "2.13.0", "abc123", "2026-01-31", named)


def line(page: str, implementation: str, stage: str) -> list[str]:
    """The cells of the devices in the first line of an implementation's stage."""
    rows = [[cell.strip() for cell in line.split("|")] for line in page.splitlines()]
    return next(row[4:-1] for row in rows if row[2:4] == [implementation, stage])


@pytest.mark.parametrize(
    ("classname", "name", "kernel"),
    [
        ("tests.ops.test_energy_gradients", "test_a[cuda-l2]", "energy cuda"),
        ("tests.ops.test_energy_gradients", "test_a[l2-reference]", "energy reference"),
        ("tests.triton_kernels.interpreter.test_triton_energy_values", "test_a[l2]", "energy triton"),
        ("tests.ops.test_gdl_edges", "test_a[triton-gdl1.5-3d-none--inf]", "gdl triton"),
        ("tests.ops.test_valid_conv_operators", "test_a[triton-torch.float32-False]", "valid_conv triton"),
        ("tests.cuda.test_energy_device", "test_a", "energy cuda"),
        ("tests.reference.test_energy", "test_a", "energy reference"),
        ("tests.triton_kernels.compile.test_triton_energy_compile", "test_a", "energy triton compiles"),
        ("tests.cuda.test_cuda_library", "test_a[valid_conv]", "valid_conv cuda compiles"),
        ("tests.cuda.test_cuda_library", "test_a[gradient]", None),
        ("tests.cuda.test_cuda_library", "test_a", None),
        ("tests.ops.test_energy_errors", "test_a", None),
        ("tests.data.test_sets", "test_a[cuda]", None),
        ("tests.ops.test_energyless", "test_a[cuda]", None),
    ],
)
def test_a_test_belongs_to_the_kernel_that_its_name_says(
    classname: str, name: str, kernel: str | None
) -> None:
    assert kernel_of(classname, name) == kernel


def test_outcomes_are_counted_by_kernel_over_all_reports(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "tests.xml"
    path.write_text(JUNIT)
    assert count([path, path]) == {
        "energy cuda": Counts(passed=2, failed=2),
        "energy triton": Counts(skipped=2),
        "energy cpu": Counts(passed=2),
    }


def test_the_interpreters_tests_of_both_folders_are_one_kernels(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "triton.xml"
    path.write_text(
        """<testsuites><testsuite>
        <testcase classname="tests.triton_kernels.interpreter.test_triton_ladder" name="test_a[17-130]"/>
        <testcase classname="tests.ops.test_ladder_layer" name="test_a[triton-relu]"/>
        <testcase classname="tests.ops.test_ladder_values" name="test_b[triton-2x2]"/>
        </testsuite></testsuites>"""
    )
    assert count([path]) == {"ladder triton": Counts(passed=3)}
    assert " interpreted     | 3 " in status_page([checks("cpu", **{"ladder_triton": Counts(3)})])


def test_a_run_of_some_implementations_reports_nothing_of_the_others(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "reference.xml"
    module = pathlib.Path(__file__).parents[1] / "ops" / "test_energy_edges.py"
    wanted = ["-k", "equal_elements", "--implementations", "reference", f"--junitxml={path}"]
    subprocess.run([sys.executable, "-m", "pytest", str(module), *wanted], check=True)
    assert count([path]) == {"energy reference": Counts(passed=1)}


def test_a_kernel_with_one_failure_has_failed() -> None:
    page = status_page([checks("cuda", energy_cuda=Counts(passed=9, failed=1))])
    assert line(page, "cuda", "passed on a GPU") == ["FAILED (1 of 10)"]


def test_a_kernel_that_only_skipped_is_not_yet_run() -> None:
    page = status_page([checks("cuda", energy_triton=Counts(skipped=5))])
    assert line(page, "triton", "passed on a GPU") == ["not yet run"]


def test_without_a_run_on_a_gpu_the_page_says_so() -> None:
    page = status_page([checks("cpu", energy_cpu=Counts(passed=4), energy_cuda=Counts(passed=2))])
    assert "a CUDA GPU" in page
    assert line(page, "cpu", "passed") == ["4", ""]
    assert line(page, "cuda", "passed on a GPU") == ["", "not yet run"]


def test_what_compiles_what_is_emulated_and_what_ran_on_a_gpu_are_told_apart() -> None:
    on_cpu = checks("cpu", energy_cuda=Counts(passed=2), energy_cuda_compiles=Counts(passed=1))
    page = status_page([on_cpu, checks("cuda", energy_cuda=Counts(passed=3))])
    assert line(page, "cuda", "compiles") == ["1", "not yet run"]
    assert line(page, "cuda", "emulated") == ["2", ""]
    assert line(page, "cuda", "passed on a GPU") == ["", "3"]


def test_checks_are_read_as_they_were_written(tmp_path: pathlib.Path) -> None:
    written = checks("cpu", energy_cpu=Counts(passed=4))
    assert Checks.load(written.save(tmp_path)) == written


def test_another_file_is_refused_in_one_line_that_names_it(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "checks-x.json"
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"checks-x\.json is not a file of checks"):
        Checks.load(path)


def test_a_recorded_run_is_on_the_page(tmp_path: pathlib.Path) -> None:
    (tmp_path / "tests.xml").write_text(JUNIT)
    options = ["--results", str(tmp_path), "record", str(tmp_path / "tests.xml"), "--device", "cpu"]
    assert main([*options, "--commit", "abc123"]) == 0
    page = (tmp_path / "STATUS.md").read_text()
    assert line(page, "cpu", "passed") == ["1", ""]
    assert "commit abc123" in page
