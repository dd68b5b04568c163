"""A square that bounces between four walls: one step, and every future with its probability."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

Bounce = Literal["mirror", "random"]


class State(NamedTuple):
    """The place of the square's upper left corner, in pixels, and how far it moves in a frame."""

    top: int
    left: int
    down: int
    right: int


@dataclass(frozen=True)
class Bouncing:
    """The law of motion, in whole pixels.

    A corner moves between 0 and ``limit`` on each axis. A square at a wall that it moves towards first takes
    another direction: ``"mirror"`` reverses the axis; ``"random"`` draws one, uniformly, of all velocities
    of its speed that lead away from the wall (or from both, in a corner). Then it moves, and stops at the
    wall that it would pass. Speed is the larger of the two components, so a speed of s has 8s velocities,
    and it never changes. What is drawn shows in no frame before.
    """

    limit: int
    bounce: Bounce

    def begin(self, random: np.random.Generator, speeds: tuple[int, ...]) -> State:
        """A state drawn uniformly over places, speeds, and the velocities of that speed."""
        top, left = random.integers(self.limit, size=2, endpoint=True)
        velocities = _velocities(int(random.choice(speeds)))
        return State(int(top), int(left), *velocities[random.integers(len(velocities))])

    def following(self, state: State) -> list[State]:
        """The states that may follow, all equally probable."""
        top, left, down, right = state
        at_wall = (
            (top == 0 and down < 0) or (top == self.limit and down > 0),
            (left == 0 and right < 0) or (left == self.limit and right > 0),
        )
        velocities = [(down, right)]
        if any(at_wall) and self.bounce == "mirror":
            velocities = [(-down if at_wall[0] else down, -right if at_wall[1] else right)]
        elif any(at_wall):
            velocities = [
                (y, x)
                for y, x in _velocities(max(abs(down), abs(right)))
                if not (at_wall[0] and y * down >= 0) and not (at_wall[1] and x * right >= 0)
            ]
        return [State(self._inside(top + y), self._inside(left + x), y, x) for y, x in velocities]

    def path(self, state: State, count: int, random: np.random.Generator) -> list[State]:
        """``state`` and the ``count`` - 1 that follow, drawn one after another."""
        states = [state]
        while len(states) < count:
            choice = self.following(states[-1])
            states.append(choice[random.integers(len(choice))] if len(choice) > 1 else choice[0])
        return states

    def futures(self, state: State, count: int) -> list[dict[tuple[int, int], float]]:
        """Probability of every place ``(top, left)`` in each of the ``count`` frames after ``state``.

        Exact: equal states are merged, so a frame has at most as many as there are places and velocities.
        """
        probabilities = {state: 1.0}
        places = []
        for _ in range(count):
            following: defaultdict[State, float] = defaultdict(float)
            for before, probability in probabilities.items():
                choice = self.following(before)
                for after in choice:
                    following[after] += probability / len(choice)
            probabilities = dict(following)
            here: defaultdict[tuple[int, int], float] = defaultdict(float)
            for after, probability in probabilities.items():
                here[after.top, after.left] += probability
            places.append(dict(here))
        return places

    def _inside(self, place: int) -> int:
        return min(max(place, 0), self.limit)


def _velocities(speed: int) -> list[tuple[int, int]]:
    """All ``(down, right)`` whose larger component is ``speed``, in a fixed order."""
    reach = range(-speed, speed + 1)
    return [(y, x) for y in reach for x in reach if max(abs(y), abs(x)) == speed]
