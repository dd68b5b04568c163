"""What is constant at first and then falls along a line to 0: learning rates and margins."""

from __future__ import annotations

from dataclasses import dataclass

from ebgan.errors import UserError, at_least, positive


@dataclass(frozen=True)
class LinearDecay:
    """`initial` for the share `start` of `steps`, then along a line to 0, which step `steps` + 1 has.

    Example:
        >>> decay = LinearDecay(initial=1.0, steps=8, start=0.5)
        >>> [decay(step) for step in (1, 5, 6, 8, 9, 99)]
        [1.0, 1.0, 0.75, 0.25, 0.0, 0.0]
    """

    initial: float
    steps: int
    start: float = 0.0

    def __post_init__(self) -> None:
        positive("initial", self.initial)
        at_least("steps", self.steps, 1)
        share("start", self.start)

    def __call__(self, step: int) -> float:
        left = max(self.steps + 1 - step, 0)
        return self.initial * min(1.0, left / (self.steps * (1 - self.start)))


def share(argument: str, value: float) -> None:
    """Raise `UserError` unless `value` of `argument` lies from 0 to below 1."""
    if not 0 <= value < 1:
        raise UserError(f"{argument}: got {value}, allowed are numbers from 0 to below 1")
