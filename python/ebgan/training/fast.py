"""`--fast`: the switches of a run that were measured to make its step the fastest, by kind of device.

What every run has anyway is not among them: a fused Adam, gradients set to None, and on a GPU the ladder's
step as one CUDA graph. Nor is `compiled`: beside the switches below it gained 2 to 4 % for the GANs and 8to8
on the AMD EPYC, 6 % for ladders, and took a minute at the start; on an Intel Xeon with AMX 8to8 took 2.2
times as long. What was measured is in `benchmarks/results/TRAINING.md`: medians on one thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch

from ebgan.training.device import Precision

Kind = Literal[
    "a GPU",
    "a GPU without products in bfloat16",
    "a CPU with AMX",
    "a CPU with AVX512-BF16",
    "a CPU without products in bfloat16",
]
Workload = Literal[
    "gan digits", "gan mnist", "gan celeba-64", "video 4to1", "video 8to8", "ladder digits", "ladder mnist"
]

_NOTHING: Mapping[str, Any] = {}
_BFLOAT16: Mapping[str, Any] = {"precision": "bfloat16"}
_CHANNELS_LAST: Mapping[str, Any] = {"channels_last": True}
_BOTH: Mapping[str, Any] = {**_BFLOAT16, **_CHANNELS_LAST}

_PLAIN: Kind = "a CPU without products in bfloat16"
_PLAIN_GPU: Kind = "a GPU without products in bfloat16"
_AMD = "AMD EPYC, 2026-11-28"
_INTEL = "Intel Xeon with AMX, 2026-11-27"
_AS_8TO8 = "not measured here; 8to8 took 67 ms against 510"


@dataclass(frozen=True)
class Choice:
    """The values that `--fast` gives to fields of a configuration, and the measurement that speaks for them.

    Steps are compared with the step of the same system with all switches at their defaults.
    """

    fields: Mapping[str, Any]
    measurement: str

    def __str__(self) -> str:
        chosen = ", ".join(f"{name} {value}" for name, value in self.fields.items())
        return f"{chosen or 'no switch'} ({self.measurement})"


_CHOICES: dict[Kind, dict[Workload, Choice]] = {
    "a CPU with AVX512-BF16": {
        "gan digits": Choice(_NOTHING, f"bfloat16 makes a step 0.97 times as fast, {_AMD}"),
        "gan mnist": Choice(_BFLOAT16, f"a step is 1.7 times as fast, {_AMD}"),
        "gan celeba-64": Choice(_BFLOAT16, f"a step is 1.7 times as fast, {_AMD}"),
        "video 4to1": Choice(_BOTH, f"a step is 1.9 times as fast, {_AMD}"),
        "video 8to8": Choice(_BOTH, f"a step is 1.9 times as fast, {_AMD}"),
        "ladder digits": Choice(_NOTHING, f"bfloat16 makes a step 0.8 times as fast, {_AMD}"),
        "ladder mnist": Choice(_BFLOAT16, f"a step is 1.4 times as fast, {_AMD}"),
    },
    "a CPU with AMX": {
        "gan digits": Choice(_NOTHING, f"not measured here; bfloat16 loses on the {_AMD}"),
        "gan mnist": Choice(_BFLOAT16, f"{_AS_8TO8}, {_INTEL}"),
        "gan celeba-64": Choice(_BFLOAT16, f"{_AS_8TO8}, {_INTEL}"),
        "video 4to1": Choice(_BOTH, f"{_AS_8TO8}, {_INTEL}"),
        "video 8to8": Choice(_BOTH, f"a step takes 67 ms against 510, {_INTEL}"),
        "ladder digits": Choice(_NOTHING, f"not measured here; bfloat16 loses on the {_AMD}"),
        "ladder mnist": Choice(_NOTHING, f"300 steps take 26.0 s, in bfloat16 27.7, {_INTEL}"),
    },
}
# bfloat16 without such products took 185 ms instead of 88 for the MNIST GAN (oneDNN held to AVX-512 on the
# AMD EPYC). Channels-last 8to8 in float32 takes 405 ms instead of 510 on the Intel, and as long on the AMD.
_FLOAT32_ALONE = f"bfloat16 makes a step of the MNIST GAN 0.5 times as fast, {_AMD} held to AVX-512"
_CHOICES[_PLAIN] = {
    workload: Choice(_CHANNELS_LAST if workload.startswith("video") else _NOTHING, _FLOAT32_ALONE)
    for workload in _CHOICES["a CPU with AVX512-BF16"]
}
# A GPU's launches, not its arithmetic, are the time of the small networks, which have no switch here either.
_NOT_MEASURED = "not measured on a GPU; chosen as on a CPU with products of that kind"
_CHOICES["a GPU"] = {
    workload: Choice(choice.fields, _NOT_MEASURED)
    for workload, choice in _CHOICES["a CPU with AVX512-BF16"].items()
}
_CHOICES[_PLAIN_GPU] = {
    workload: Choice(choice.fields, _NOT_MEASURED) for workload, choice in _CHOICES[_PLAIN].items()
}


def fastest(workload: Workload | None, device: torch.device) -> Choice:
    """The switches that make a training step of `workload` the fastest on `device`; None was not measured.

    Example:
        >>> fastest("ladder digits", torch.device("cpu")).fields
        {}
    """
    if workload is None:
        return Choice(_NOTHING, "no step of this system was measured")
    return _CHOICES[kind_of(device)][workload]


def kind_of(device: torch.device) -> Kind:
    """What `device` is among those that were measured, or are treated as one that was."""
    if device.type == "cuda":
        return "a GPU" if torch.cuda.is_bf16_supported(including_emulation=False) else _PLAIN_GPU
    # Older versions of torch do not tell: such a CPU is taken for one that computes in float32 alone.
    capabilities: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    if capabilities.get("amx_tile") and capabilities.get("amx_bf16"):
        return "a CPU with AMX"
    if capabilities.get("avx512_bf16"):
        return "a CPU with AVX512-BF16"
    return _PLAIN


def slow_choice(precision: Precision, device: torch.device) -> str:
    """Why a run in `precision` is slow on `device`, in one line; "" where it is not."""
    kind = kind_of(device)
    if precision == "float32" or kind not in (_PLAIN, _PLAIN_GPU):
        return ""
    return f"precision: {device} is {kind}; the run keeps bfloat16, slower here than float32 would be"
