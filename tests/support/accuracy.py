"""The accuracy rule: how far from the exact result an operator may be.

Exact is the float64 result of the inputs as rounded to their dtype. Distances are counted in units in the
last place (ulp) of the exact value, so that small and large elements weigh the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def ulp(exact: Tensor, dtype: torch.dtype) -> Tensor:
    """The spacing of `dtype` at each element of `exact`, in float64; subnormal numbers have the least one."""
    info = torch.finfo(dtype)
    _, exponent = torch.frexp(exact.double().abs().clamp(min=info.tiny))
    return info.eps * torch.exp2(exponent.double() - 1)


def error_in_ulp(value: Tensor, exact: Tensor) -> Tensor:
    """How many units in the last place of its own dtype each element of `value` is away from `exact`."""
    return (value.double() - exact.double()).abs() / ulp(exact, value.dtype)


def _root_mean_square(values: Sequence[Tensor], exacts: Sequence[Tensor]) -> float:
    errors = torch.cat([error_in_ulp(v, e).flatten() for v, e in zip(values, exacts, strict=True)])
    return errors.square().mean().sqrt().item()


def assert_as_accurate_as_torch(
    ours: Sequence[Tensor], torchs: Sequence[Tensor], exacts: Sequence[Tensor], *, allowed: float = 1.0
) -> None:
    """Asserts that our error is at most twice that of PyTorch in float32, or `allowed` ulp if that is more.

    Each sequence holds one result a seed; errors are root mean squares over all elements of all seeds, since
    a single sum may be exact by luck.
    """
    our_error, torch_error = _root_mean_square(ours, exacts), _root_mean_square(torchs, exacts)
    bound = max(2 * torch_error, allowed)
    assert our_error <= bound, f"{our_error:.3g} ulp from the exact result, PyTorch {torch_error:.3g}"


def assert_within_one_ulp(value: Tensor, exact: Tensor, *, allowed: float = 1.0) -> None:
    """Asserts that no element is further than one unit in the last place, or `allowed`, from `exact`."""
    worst = error_in_ulp(value, exact).max().item()
    assert worst <= allowed, f"an element is {worst:.3g} ulp of {value.dtype} from the exact result"
