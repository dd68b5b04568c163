"""torch is found wherever a build front end runs the build, and only asked for where there is none."""

from __future__ import annotations

import pathlib
import sysconfig

import pytest

import backend
import surroundings
from errors import BuildError


def make_torch(environment: pathlib.Path, version: str) -> pathlib.Path:
    """An environment that holds a torch, as far as the build looks; returns its folder of programs."""
    torch = environment / "lib" / "python3.9" / "site-packages" / "torch"
    torch.mkdir(parents=True)
    (torch / "version.py").write_text(
        f"__all__ = ['__version__']\n__version__ = '{version}'\ndebug = False\n"
    )
    (environment / "bin").mkdir()
    return environment / "bin"


@pytest.fixture
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> pytest.MonkeyPatch:
    """A build in an environment of its own, on a machine with nothing."""
    monkeypatch.setattr(surroundings.sys, "path", [])
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path / "isolated"))
    monkeypatch.setattr(surroundings, "ROOT", tmp_path / "checkout")
    monkeypatch.setenv("PATH", str(tmp_path / "isolated" / "bin"))
    for hook in ("get_requires_for_build_wheel", "get_requires_for_build_editable"):
        monkeypatch.setattr(
            backend.build_meta, hook, lambda settings: []
        )  # setuptools itself asks for nothing
    for name in ("CUDA_HOME", "CUDA_PATH"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("EBGAN_KERNELS_CUDA", raising=False)
    return monkeypatch


def test_the_torch_of_this_environment_is_found() -> None:
    root = surroundings.required_torch_root()
    assert (root / "include" / "torch" / "csrc" / "stable" / "library.h").is_file()


def test_the_torch_of_an_environment_on_path_is_found(
    isolated: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    programs = make_torch(tmp_path / "outside", "2.10.0+cu128")
    isolated.setenv("PATH", f"{tmp_path}/isolated/bin:{programs}")
    assert surroundings.torch_root() == tmp_path / "outside/lib/python3.9/site-packages/torch"
    assert backend.get_requires_for_build_wheel() == []


def test_the_torch_of_the_checkouts_own_environment_is_found(
    isolated: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    make_torch(tmp_path / "checkout" / ".venv", "2.14.1")
    assert surroundings.torch_root() is not None


@pytest.mark.parametrize("version", ["2.9.1+cpu", "1.13.0", "garbage"])
def test_a_torch_that_is_too_old_ends_the_build_in_one_line(
    isolated: pytest.MonkeyPatch, tmp_path: pathlib.Path, version: str
) -> None:
    isolated.setenv("PATH", str(make_torch(tmp_path / "outside", version)))
    with pytest.raises(BuildError, match=r"older than 2\.10; pip install --upgrade torch"):
        surroundings.torch_root()


def test_where_there_is_no_torch_it_is_a_requirement_of_the_build(isolated: pytest.MonkeyPatch) -> None:
    assert backend.get_requires_for_build_wheel() == ["torch>=2.10"]
    assert backend.get_requires_for_build_editable() == ["torch>=2.10"]
    with pytest.raises(BuildError, match=r"no torch in this environment; pip install 'torch>=2\.10'"):
        surroundings.required_torch_root()


def test_nvcc_is_a_requirement_where_cuda_is_insisted_on_and_there_is_no_toolkit(
    isolated: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    isolated.setenv("EBGAN_KERNELS_CUDA", "on")
    assert "nvidia-cuda-nvcc~=13.0.0" in backend.get_requires_for_build_wheel()
    nvcc = tmp_path / "bin" / "nvcc"
    nvcc.parent.mkdir()
    nvcc.touch()
    assert backend.get_requires_for_build_wheel() == ["torch>=2.10"]


def test_an_nvcc_that_was_installed_as_a_package_is_found(
    isolated: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    assert surroundings.nvcc_folder() is None
    folder = tmp_path / "isolated" / "nvidia" / "cu13" / "bin"
    folder.mkdir(parents=True)
    (folder / "nvcc").touch()
    assert surroundings.nvcc_folder() == folder


def test_the_host_module_is_built_for_the_pythons_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EBGAN_KERNELS_PYTHONS", raising=False)
    [(include, suffix)] = surroundings.pythons()
    assert (pathlib.Path(include) / "Python.h").is_file() and suffix == sysconfig.get_config_var("EXT_SUFFIX")
    monkeypatch.setenv("EBGAN_KERNELS_PYTHONS", "/nonexistent/python3")
    with pytest.raises(BuildError, match="names /nonexistent/python3, which does not run"):
        surroundings.pythons()


def test_missing_headers_of_python_are_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setattr(surroundings, "ASK", 'print(\'[[3, 11], "/nonexistent", ".so"]\')')
    with pytest.raises(BuildError, match=r"no Python\.h; install the headers of Python 3\.11"):
        surroundings.pythons()


def test_for_another_architecture_only_its_own_torch_serves_and_no_python_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setenv("EBGAN_KERNELS_TARGET", "aarch64")
    monkeypatch.setattr(surroundings, "ROOT", tmp_path)
    assert (
        backend.get_requires_for_build_wheel().count("torch>=2.10") == 0
    )  # one of this machine would not do
    with pytest.raises(BuildError, match="no torch for aarch64 in build/torch-aarch64; make wheel-aarch64"):
        surroundings.required_torch_root()
    torch = tmp_path / "build" / "torch-aarch64" / "torch"
    torch.mkdir(parents=True)
    (torch / "version.py").write_text("__version__ = '2.10.0+cpu'\n")
    assert surroundings.required_torch_root() == torch
    monkeypatch.setenv("EBGAN_KERNELS_PYTHONS", "/nonexistent/python3")
    assert surroundings.pythons() == []


def test_an_architecture_that_is_not_known_ends_the_build_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EBGAN_KERNELS_TARGET", "riscv64")
    with pytest.raises(BuildError, match="EBGAN_KERNELS_TARGET is riscv64; it must be aarch64, or unset"):
        surroundings.target()
