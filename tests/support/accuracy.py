"""The accuracy rule of ``ebgan_kernels.selfcheck.accuracy`` as assertions."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ebgan_kernels.selfcheck.accuracy import error_in_ulp, judge

__all__ = ["assert_as_accurate_as_torch", "assert_within_one_ulp", "error_in_ulp"]


def assert_as_accurate_as_torch(
    ours: Sequence[Tensor], torchs: Sequence[Tensor], exacts: Sequence[Tensor], *, allowed: float = 1.0
) -> None:
    """Asserts that our error is at most twice that of PyTorch in float32, or `allowed` ulp if that is more.

    Each sequence holds one result a seed. Of results with few elements the rule grants something for luck.
    """
    verdict = judge(ours, torchs, exacts, allowed=allowed)
    assert verdict.passed, str(verdict)


def assert_within_one_ulp(value: Tensor, exact: Tensor, *, allowed: float = 1.0) -> None:
    """Asserts that no element is further than one unit in the last place, or `allowed`, from `exact`."""
    worst = error_in_ulp(value, exact).max().item()
    assert worst <= allowed, f"an element is {worst:.3g} ulp of {value.dtype} from the exact result"
