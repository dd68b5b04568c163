"""Copies of the checkout that compile in seconds, and environments to install them into."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sysconfig
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
OF_THE_BUILD = (
    "ebgan", "__editable__", "pip", "setuptools", "_distutils", "distutils", "pybind11", "cmake", "ninja",
)  # fmt: skip
FAMILY = "gradient"


def tracked() -> list[str]:
    """The files of the repository."""
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listing.stdout.splitlines()


def make_checkout(folder: pathlib.Path) -> pathlib.Path:
    """A checkout with one family of the operators for CPUs."""
    for name in tracked():
        path = pathlib.Path(name)
        compiled = path.parts[:2] == ("csrc", "cpu") and path.suffix == ".cpp"
        if not compiled or path.name.startswith(FAMILY):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, folder / path)
    return folder


def make_environment(folder: pathlib.Path) -> pathlib.Path:
    """An environment with pip and no part of the build; returns its Python.

    What this environment holds it holds by links, so that no torch is fetched.
    """
    venv.create(folder, with_pip=True)
    here = pathlib.Path(sysconfig.get_path("purelib"))
    there = folder / "lib" / here.parent.name / "site-packages"
    for entry in here.iterdir():
        if not entry.name.lower().startswith(OF_THE_BUILD) and not (there / entry.name).exists():
            (there / entry.name).symlink_to(entry)
    return folder / "bin" / "python"
