"""Whether a CUDA device can run the compiled library: its driver, and what it was compiled for."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

import torch

from ebgan_kernels.native import library

Capability = tuple[int, int]


def refusal(index: int) -> str:
    """Why device number ``index`` cannot run the compiled CUDA library, in one line; "" where it can."""
    return _refusal(index)


# What a device is does not change, and dynamo cannot trace how torch asks.
refusal._dynamo_marked_constant = True  # type: ignore[attr-defined]


@functools.cache
def _refusal(index: int) -> str:
    if library.cuda_is_emulated:
        return ""
    driver = torch._C._cuda_getDriverVersion()  # type: ignore[attr-defined]
    capability = torch.cuda.get_device_capability(index)
    return unserved(library.build_information(), driver, capability)


def unserved(build: Mapping[str, str], driver: int, capability: Capability) -> str:
    """Why a build does not serve a driver, by the newest CUDA it knows (12080 is 12.8), or a capability.

    A driver runs what any toolkit of its major version made. Of a build that recorded nothing, nothing is
    known against it.
    """
    toolkit = re.match(r"\d+", build.get("nvcc", ""))
    if toolkit and driver // 1000 < int(toolkit[0]):
        return (
            f"_C_cuda.so needs an NVIDIA driver of at least {build.get('driver', '?')}, and this one knows"
            f" CUDA {driver // 1000}.{driver % 1000 // 10} and nothing newer; update the driver, or reinstall"
            " with an older CUDA toolkit"
        )
    targets = build.get("cuda_architectures", "")
    if targets and not any(_serves(target, capability) for target in targets.split(";")):
        major, minor = capability
        return (
            f"_C_cuda.so was compiled for {targets}, and the device has the compute capability"
            f" {major}.{minor}; reinstall with TORCH_CUDA_ARCH_LIST={major}.{minor}"
        )
    return ""


def _serves(target: str, capability: Capability) -> bool:
    """Whether code for a target, as TORCH_CUDA_ARCH_LIST has it, runs on devices of a capability.

    Machine code runs on later devices of the same generation, PTX on all later ones, and code of an "a"
    target on no other device.
    """
    parts = re.fullmatch(r"(\d+)\.(\d)([af]?)(\+PTX)?", target)
    if parts is None:
        return False
    compiled = int(parts[1]), int(parts[2])
    if parts[3] == "a":
        return capability == compiled
    same_generation = capability[0] == compiled[0] and capability[1] >= compiled[1]
    return same_generation or (parts[4] is not None and capability >= compiled)
