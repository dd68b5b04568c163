"""The learning rate as a function of the step."""

from __future__ import annotations

from dataclasses import dataclass

from ebgan.errors import at_least, positive


@dataclass(frozen=True)
class GeometricDecay:
    """From `initial` at step 1 to `final` at step `steps` by one factor a step, and constant from there on.

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
