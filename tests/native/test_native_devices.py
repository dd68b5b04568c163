"""Where driver or compiled architectures do not serve, another implementation runs, and the report says why.

There is no GPU here: the driver, the capability and the tensors' device are made up.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import ebgan_kernels as ek
from ebgan_kernels import backends
from ebgan_kernels.native import devices, library

BUILD = {"nvcc": "13.0.88", "driver": "580", "cuda_architectures": "8.0;9.0;10.0+PTX"}


@pytest.mark.parametrize(
    ("driver", "capability", "reason"),
    [
        (13000, (8, 0), ""),
        (13020, (9, 0), ""),
        (14010, (8, 9), ""),  # code for 8.0 runs on its whole generation
        (13000, (10, 3), ""),
        (13000, (12, 1), ""),  # from PTX
        (
            12080,
            (9, 0),
            "needs an NVIDIA driver of at least 580, and this one knows CUDA 12.8 and nothing newer",
        ),
        (13000, (7, 5), "compiled for 8.0;9.0;10.0+PTX, and the device has the compute capability 7.5"),
    ],
)
def test_a_build_serves_newer_drivers_and_the_devices_it_was_compiled_for(
    driver: int, capability: devices.Capability, reason: str
) -> None:
    found = devices.unserved(BUILD, driver, capability)
    assert reason in found and bool(reason) == bool(found) and "\n" not in found


@pytest.mark.parametrize(
    ("target", "capability", "serves"),
    [
        ("9.0a", (9, 0), True),
        ("9.0a", (9, 1), False),
        ("9.0", (8, 9), False),
        ("8.6", (8, 0), False),
        ("8.6+PTX", (12, 0), True),
        ("8.6+PTX", (8, 0), False),
        ("12.0f", (12, 1), True),
        ("sm_90", (9, 0), False),
    ],
)
def test_what_a_target_runs_on(target: str, capability: devices.Capability, serves: bool) -> None:
    assert devices.unserved({"cuda_architectures": target}, 13000, capability).startswith("_C_cuda") != serves


def test_nothing_is_held_against_a_build_that_recorded_nothing() -> None:
    assert devices.unserved({}, 11000, (3, 5)) == ""


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A machine with one made-up GPU of capability 9.0 and a loaded CUDA library."""
    monkeypatch.setattr(library, "cuda_missing", "")
    monkeypatch.setattr(library, "cuda_is_emulated", False)
    monkeypatch.setattr(library, "build_information", lambda: BUILD)
    monkeypatch.setattr(backends, "triton_missing", lambda: "")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda index: (9, 0))
    devices._refusal.cache_clear()

    def with_driver(version: int) -> Any:
        monkeypatch.setattr(torch._C, "_cuda_getDriverVersion", lambda: version, raising=False)
        return SimpleNamespace(device=torch.device("cuda", 0), is_cpu=False, is_cuda=True)

    yield with_driver
    devices._refusal.cache_clear()


def test_a_driver_that_serves_takes_the_cuda_library(machine: Any) -> None:
    tensor = machine(13000)
    assert backends.select(tensor) == "cuda" and backends.missing("cuda") == ""
    assert "cuda       available: built by nvcc 13.0.88" in ek.backend_report()


def test_an_older_driver_falls_back_and_the_report_says_why(machine: Any) -> None:
    tensor = machine(12080)
    assert backends.select(tensor) == "triton"
    assert "cuda       missing: _C_cuda.so needs an NVIDIA driver of at least 580" in ek.backend_report()
    assert not backends.can_run("cuda", tensor)


def test_insisting_where_the_driver_does_not_serve_raises(machine: Any) -> None:
    with ek.backend("cuda"), pytest.raises(ek.BackendError, match="needs an NVIDIA driver of at least 580"):
        backends.select(machine(12080))
