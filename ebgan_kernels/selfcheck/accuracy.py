"""The accuracy rule: how far from the exact result an operator may be.

The exact result is the float64 result of the reference for the inputs as rounded to their dtype. Distances
are counted in units in the last place (ulp) of the exact value, so that small and large elements weigh the
same. An operator may be twice as far away as the reference for the same inputs, or one unit. Results in
float32 are judged by the root mean square of their errors, results in half types by their worst element,
because there the reference, too, computes in float32 and rounds once (except in convolutions).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

HALVES = (torch.float16, torch.bfloat16)
# No result is more exact than the reference's in float64, so this grants the difference of two orders of the
# terms of a sum, which is the rounding of both.
ALLOWED_IN_DOUBLE = 100.0
# The root mean square of few numbers is a matter of luck: over 60 ladder costs of 60 elements the reference
# is 1.1 ulp away, but a single cost is 3.7 ulp away. This number over the square root of the count of
# elements is granted beside one unit.
ALLOWED_FOR_LUCK = 5.0


def ulp(exact: Tensor, dtype: torch.dtype) -> Tensor:
    """The spacing of ``dtype`` at each element of ``exact``; subnormal numbers have the smallest spacing."""
    info = torch.finfo(dtype)
    _, exponent = torch.frexp(exact.double().abs().clamp(min=info.tiny))
    return info.eps * torch.exp2(exponent.double() - 1)


def error_in_ulp(value: Tensor, exact: Tensor, *, cancelling: float = 0.0) -> Tensor:
    """How many units in the last place of its own dtype each element of ``value`` is away from ``exact``.

    Where the terms of a sum cancel, the digits that are left say nothing, so an element smaller than
    ``cancelling`` times the largest one is measured in the unit of that size.
    """
    exact = exact.double()
    sizes = exact.abs()
    if cancelling and exact.numel():
        sizes = sizes.clamp(min=cancelling * float(sizes.max()))
    return (value.double() - exact).abs() / ulp(sizes, value.dtype)


def root_mean_square(values: Sequence[Tensor], exacts: Sequence[Tensor], *, cancelling: float = 0.0) -> float:
    """The root mean square error in ulp over all seeds, since a single sum may be exact by luck."""
    return _errors(values, exacts, cancelling).square().mean().sqrt().item()


def bound(reference_error: float, allowed: float = 1.0) -> float:
    """The error that an operator may have where the reference has ``reference_error``."""
    return max(2 * reference_error, allowed)


@dataclass(frozen=True)
class Verdict:
    """The errors in ulp of an operator and of the reference, and the bound of the first."""

    error: float
    reference_error: float
    bound: float

    @property
    def passed(self) -> bool:
        """Whether the error is within the bound; False for an error that is not a number."""
        return self.error <= self.bound

    @property
    def severity(self) -> float:
        """The share of the bound that is used, to find the worst result of several."""
        share = self.error / self.bound
        return math.inf if math.isnan(share) else share

    def __str__(self) -> str:
        return (
            f"{self.error:.3g} ulp from the exact result, the reference {self.reference_error:.3g};"
            f" allowed are {self.bound:.3g}"
        )


def judge(
    ours: Sequence[Tensor],
    references: Sequence[Tensor],
    exacts: Sequence[Tensor],
    *,
    allowed: float = 1.0,
    cancelling: float = 0.0,
) -> Verdict:
    """Applies the rule to one result; each sequence holds its tensor for every seed.

    An error of ``allowed`` units is granted in any case.
    """
    worst = ours[0].dtype in HALVES
    if ours[0].dtype == torch.float64:
        allowed = ALLOWED_IN_DOUBLE
    elif not worst:
        allowed += ALLOWED_FOR_LUCK * sum(x.numel() for x in ours) ** -0.5

    def error(values: Sequence[Tensor]) -> float:
        if worst:
            return _errors(values, exacts, cancelling).max().item()
        return root_mean_square(values, exacts, cancelling=cancelling)

    reference_error = error(references)
    return Verdict(error(ours), reference_error, bound(reference_error, allowed))


def _errors(values: Sequence[Tensor], exacts: Sequence[Tensor], cancelling: float) -> Tensor:
    return torch.cat(
        [error_in_ulp(v, e, cancelling=cancelling).flatten() for v, e in zip(values, exacts, strict=True)]
    )
