"""What holds for every learner by name."""

from __future__ import annotations

import numpy as np
import pytest

from ebgan.energies import KINDS, compare, point_set
from ebgan.errors import UserError

EVERY = pytest.mark.parametrize("name", KINDS)
CANNOT_BEND = ("pca", "square-ica")


@EVERY
def test_wrong_points_are_one_line(name):
    learner = KINDS[name].make(0)
    with pytest.raises(UserError, match=r"energy: .* has learned nothing yet; call its fit first"):
        learner.energy([[0, 0]])
    for wrong in ([[0, 0]], [[0, 0], [np.nan, 1]], [[1, 1]] * 9, np.zeros((9, 3))):
        with pytest.raises(UserError, match=r"^points: [^\n]*$"):
            learner.fit(wrong)


def test_a_learner_has_the_seed_that_it_is_made_with():
    made = {name: kind.make(7) for name, kind in KINDS.items()}
    assert {name for name, learner in made.items() if getattr(learner, "seed", None) != 7} == {"pca"}


def test_an_unknown_learner_names_the_nearest():
    with pytest.raises(
        UserError, match=r"learners: got 'k-mean', allowed are pca, .*; did you mean k-means\?"
    ):
        compare(point_set("line"), ["k-mean"])
    with pytest.raises(UserError, match="learners: got none, name at least one"):
        compare(point_set("line"), [])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
@EVERY
def test_every_learner_tells_a_line_from_the_rest(name, seed):
    (result,) = compare(point_set("line", seed=seed), [name], seed=seed).results
    assert result.scores.auc > 0.95 and result.scores.mean_on < result.scores.mean_off


@pytest.mark.slow
@EVERY
def test_every_learner_that_can_bend_tells_the_spiral_from_the_rest(name):
    (result,) = compare(point_set("spiral"), [name]).results
    assert result.scores.mean_on < result.scores.mean_off
    assert result.scores.auc > (0.6 if name in CANNOT_BEND else 0.9)
