"""Schedules: values that fall as a run goes on, such as a learning rate, as functions of the step."""

from __future__ import annotations

from dataclasses import dataclass

from ebgan.errors import at_least, positive, share


@dataclass(frozen=True)
class GeometricDecay:
    """A value that falls from `initial` at step 1 to `final` at step `steps` by one factor a step, and stays.

    Example:
        >>> decay = GeometricDecay(initial=0.04, final=0.01, steps=3)
        >>> [round(decay(step), 4) for step in (1, 2, 3, 4)]
        [0.04, 0.02, 0.01, 0.01]
    """

    initial: float
    final: float
    steps: int

    def __post_init__(self) -> None:
        positive("initial", self.initial)
        positive("final", self.final)
        at_least("steps", self.steps, 1)

    def __call__(self, step: int) -> float:
        if step >= self.steps:
            return self.final
        return self.initial * (self.final / self.initial) ** ((step - 1) / (self.steps - 1))


@dataclass(frozen=True)
class LinearDecay:
    """A value that is `initial` for the share `start` of `steps`, then falls linearly to 0 at `steps` + 1.

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
