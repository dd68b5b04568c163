"""A checkout to install, an environment to install it into, and what runs the commands that do."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from collections.abc import Callable

import pytest

from support.checkouts import make_checkout, make_environment

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return make_checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return make_environment(tmp_path_factory.mktemp("environment") / "venv")


@pytest.fixture
def run(checkout: pathlib.Path, python: pathlib.Path) -> Run:
    """Runs a command in the checkout by the environment's programs; it must succeed, or fail if so asked."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EBGAN_")}
    environment.pop("PYTHONPATH", None)
    environment["EBGAN_KERNELS_CUDA"] = "off"
    environment["PIP_NO_COMPILE"] = (
        "0"  # so is pip's --no-compile written there; compiling takes half of the time
    )
    environment["VIRTUAL_ENV"] = str(python.parents[1])
    # The environment of the tests, which holds uv and build, comes last: its torch is not to be found.
    environment["PATH"] = os.pathsep.join(
        [str(python.parent), os.environ["PATH"], os.path.dirname(sys.executable)]
    )

    def run(*command: str, fails: bool = False, **variables: str) -> subprocess.CompletedProcess[str]:
        ran = subprocess.run(
            command, cwd=checkout, env=environment | variables, capture_output=True, text=True, timeout=1200
        )
        assert (ran.returncode != 0) == fails, ran.stdout + ran.stderr
        return ran

    return run
