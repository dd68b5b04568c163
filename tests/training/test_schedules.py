"""Schedules: their values at every step, and what they are not made of."""

from __future__ import annotations

import pytest

from ebgan.errors import UserError
from ebgan.training.schedules import GeometricDecay, LinearDecay


def test_a_geometric_decay_falls_by_one_factor_a_step_and_stays() -> None:
    decay = GeometricDecay(initial=0.16, final=0.01, steps=5)
    assert [decay(step) for step in range(1, 8)] == pytest.approx([0.16, 0.08, 0.04, 0.02, 0.01, 0.01, 0.01])
    assert GeometricDecay(initial=0.16, final=0.01, steps=1)(1) == 0.01
    rising = GeometricDecay(initial=1.0, final=4.0, steps=3)
    assert [rising(step) for step in (1, 2, 3)] == pytest.approx([1, 2, 4])


def test_a_linear_decay_stays_for_its_share_and_falls_to_zero() -> None:
    decay = LinearDecay(initial=2.0, steps=4, start=0.5)
    assert [decay(step) for step in range(1, 7)] == pytest.approx([2, 2, 2, 1, 0, 0])
    whole = LinearDecay(initial=2.0, steps=4)
    assert [whole(step) for step in range(1, 7)] == pytest.approx([2, 1.5, 1, 0.5, 0, 0])


@pytest.mark.parametrize("kind", [GeometricDecay, LinearDecay])
@pytest.mark.parametrize("wrong", [{"initial": 0.0}, {"initial": -1.0}, {"steps": 0}])
def test_what_no_schedule_is_made_of_is_named(kind: type, wrong: dict[str, float]) -> None:
    right = {"initial": 1.0, "steps": 3} | ({"final": 0.1} if kind is GeometricDecay else {})
    with pytest.raises(UserError, match=f"^{next(iter(wrong))}: got "):
        kind(**right | wrong)


def test_a_share_of_all_steps_leaves_none_to_fall_in() -> None:
    with pytest.raises(UserError, match=r"^start: got "):
        LinearDecay(initial=1.0, steps=3, start=1.0)
