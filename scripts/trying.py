"""Tries a defect: a copy of the code in which it is put, compiled and tested."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from seeded_defects import ROOT, Defect

SECONDS = 1800  # that the tests of a defect may take
# What takes seconds to import, of which each process that tests is a copy that has it.
IMPORTED = ["torch", "hypothesis.extra.numpy", "matplotlib.figure", "safetensors.torch", "sklearn.datasets"]
IMPORTED += ["torch.utils.tensorboard", "torch._dynamo", "pytest"]
# Tests of minutes, and those that compile the operators once more: what a defect of a line does, others see.
LEFT_OUT = ["--deselect=tests/training/test_killed.py", "-m", "not slow", "-k", "not compile"]


LEARNING = threading.Lock()  # for the copies share what they learn of the tests


class Failing(Exception):
    """The tests fail without a defect."""


class _Watch:
    """Writes down how long the tests of each file took, and the first that failed."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.failed: str | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        file = report.nodeid.split("::")[0]
        self.seconds[file] = self.seconds.get(file, 0.0) + report.duration
        if report.failed:
            self.failed = self.failed or report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed = self.failed or report.nodeid


def _test(folder: Path, files: Sequence[str]) -> None:
    """Run tests of the copy in `folder`, in a process of their own; leave what came in `result.json`."""
    assert "ebgan_kernels" not in sys.modules
    os.setpgid(0, 0)
    os.chdir(folder)
    paths = [str(folder), str(folder / "python")]
    sys.path[:0] = paths
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    output = os.open("tests.log", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    watch = _Watch()
    code = pytest.main(["-q", "-x", "-p", "no:cacheprovider", *LEFT_OUT, *files], plugins=[watch])
    result = {
        "passed": code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED),
        "failed": watch.failed,
        "seconds": watch.seconds,
    }
    Path("result.json").write_text(json.dumps(result))
    os._exit(0)


def ordered(seconds: dict[str, float], source: Path, noticed: Sequence[str]) -> list[str]:
    """Files that noticed a defect of this source before, then those of like names, then quick ones."""
    words = set(re.split(r"[_/.]", str(source.with_suffix("").name)))

    def rank(file: str) -> tuple[float, ...]:
        alike = len(words & set(re.split(r"[_/.]", Path(file).stem)))
        return (-noticed.count(file), -alike, seconds[file])

    return sorted(seconds, key=rank)


class Copy:
    """A copy of the tracked files and of the compiled libraries, in which defects are put and tests run.

    The build of its C++ operators without a defect is kept beside it, so that a defect compiles what it
    concerns and nothing else.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.build = folder, folder / "build"
        self.clean = folder.with_name(f"{folder.name}-built")
        self.built = False
        tracked = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
        compiled = [*ROOT.glob("ebgan_kernels/*.so"), *ROOT.glob("python/ebgan/*.so")]
        compiled.append(ROOT / "ebgan_kernels/build.json")
        wanted = {*tracked, *(str(path.relative_to(ROOT)) for path in compiled)}
        for name in wanted:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        for test in folder.glob("tests/**/*.py"):  # none is left of a run on other files
            if str(test.relative_to(folder)) not in wanted:
                test.unlink()
        self.kept, self.passing = folder.with_name("took.json"), set[str]()
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(IMPORTED)

    def try_defect(self, defect: Defect, tests: str, noticed: Sequence[str]) -> tuple[str, str | None]:
        """ "noticed", "survived", or "no code" where it does not compile; and which file of tests noticed."""
        in_cpp = defect.file.suffix != ".py"
        if in_cpp and not self.built:
            self.build_clean()
        known = self.known()
        order = ordered({file: known.get(file, 10.0) for file in self.files(tests)}, defect.file, noticed)
        file = self.folder / defect.file
        content, before = file.read_bytes(), file.stat()
        file.write_bytes(content[: defect.start] + defect.new + content[defect.end :])
        try:
            if in_cpp and not self.compiled():
                return "no code", None
            if not in_cpp:
                try:
                    compile(file.read_bytes(), str(file), "exec")
                except SyntaxError:
                    return "no code", None
            result = self.test(order, SECONDS)
        finally:
            file.write_bytes(content)
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
            if in_cpp:
                shutil.rmtree(self.build)
                shutil.copytree(self.clean, self.build, symlinks=True)
                self.take_library()
        if result is None:  # they took too long, or the process ended
            return "noticed", None
        if result["passed"]:
            self.learn(result["seconds"])
            return "survived", None
        failed = str(result["failed"]).split("::")[0]
        self.require_passing(failed)
        return "noticed", failed

    def test(self, files: Sequence[str], timeout: float | None) -> dict[str, Any] | None:
        """What came of the tests; None where they took too long or ended the process."""
        result = self.folder / "result.json"
        result.unlink(missing_ok=True)
        process = self.context.Process(target=_test, args=(self.folder, files))
        process.start()
        process.join(timeout)
        with contextlib.suppress(ProcessLookupError):  # where it had nothing left that runs
            os.killpg(process.pid or 0, signal.SIGKILL)
        process.join()
        return json.loads(result.read_text()) if result.exists() else None

    def files(self, tests: str) -> list[str]:
        """The files of tests that the patterns name."""
        found = [path for pattern in tests.split() for path in sorted(self.folder.glob(pattern))]
        paths = [path for each in found for path in (sorted(each.rglob("test_*.py")) or [each])]
        return [str(path.relative_to(self.folder)) for path in paths]

    def require_passing(self, file: str) -> None:
        """Run a file of tests without a defect, once; what it notices counts only where it passes then."""
        if file in self.passing:
            return
        result = self.test([file], None)
        if result is None or not result["passed"]:
            raise Failing(f"{file} fails without a defect: see {self.folder / 'tests.log'}")
        self.passing.add(file)
        self.learn(result["seconds"])

    def known(self) -> dict[str, float]:
        """What files of tests took when they passed, a hint for their order."""
        return json.loads(self.kept.read_text()) if self.kept.exists() else {}

    def learn(self, seconds: dict[str, float]) -> None:
        with LEARNING:
            self.kept.write_text(json.dumps(self.known() | seconds, indent=0))

    def build_clean(self) -> None:
        if self.clean.exists():  # what the last run compiled, whatever defect it was stopped at
            shutil.rmtree(self.build, ignore_errors=True)
            shutil.copytree(self.clean, self.build, symlinks=True)
        torch_root = subprocess.check_output(
            [sys.executable, "-c", "import pathlib, torch; print(pathlib.Path(torch.__file__).parent)"],
            text=True,
        ).strip()
        configure = ["cmake", "-S", ".", "-B", "build", "-G", "Ninja", "-DEBGAN_KERNELS_CUDA=off"]
        configure += [f"-DTORCH_ROOT={torch_root}", "-DCMAKE_BUILD_TYPE=Release"]
        subprocess.run(configure, cwd=self.folder, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["cmake", "--build", "build"], cwd=self.folder, check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(self.clean, ignore_errors=True)
        shutil.copytree(self.build, self.clean, symlinks=True)
        self.take_library()
        self.built = True

    def compiled(self) -> bool:
        """Compile the CPU library; False where the compiler refuses the defect."""
        done = subprocess.run(["cmake", "--build", "build"], cwd=self.folder, capture_output=True)
        if done.returncode == 0:
            self.take_library()
        return done.returncode == 0

    def take_library(self) -> None:
        """Put the library in the place of the last one, which a process may still have open."""
        place = self.folder / "ebgan_kernels" / "_C_cpu.so"
        place.unlink(missing_ok=True)
        shutil.copy2(self.build / place.name, place)
