from __future__ import annotations

from math import exp, inf, isnan, log, nan

import pytest
import torch

from ebgan.errors import UserError
from ebgan.gan.scores import (
    class_shares,
    inception_score,
    log_probabilities,
    mean_top_probability,
    modified_inception_score,
)
from support.errors import assert_refused

TWO_BY_TWO = torch.tensor([[0.9, 0.1], [0.3, 0.7]], dtype=torch.float64).log()  # p(y) = (0.6, 0.4)


def test_the_modified_score_of_two_samples_is_the_one_worked_out_by_hand():
    kl_first = 0.6 * log(0.6 / 0.9) + 0.4 * log(0.4 / 0.1)
    kl_second = 0.6 * log(0.6 / 0.3) + 0.4 * log(0.4 / 0.7)
    assert modified_inception_score(TWO_BY_TWO) == pytest.approx((kl_first + kl_second) / 2, rel=1e-14)


def test_the_inception_score_of_two_samples_is_the_one_worked_out_by_hand():
    kl_first = 0.9 * log(0.9 / 0.6) + 0.1 * log(0.1 / 0.4)
    kl_second = 0.3 * log(0.3 / 0.6) + 0.7 * log(0.7 / 0.4)
    assert inception_score(TWO_BY_TWO) == pytest.approx(exp((kl_first + kl_second) / 2), rel=1e-14)


def test_shares_and_top_probability_of_two_samples_are_those_worked_out_by_hand():
    assert class_shares(TWO_BY_TWO).tolist() == [0.5, 0.5]
    assert mean_top_probability(TWO_BY_TWO) == pytest.approx(0.8, rel=1e-14)


def test_a_classifier_that_never_knows_gives_the_least_scores():
    unsure = log_probabilities(torch.zeros(7, 4))
    assert modified_inception_score(unsure) == pytest.approx(0, abs=1e-15)
    assert inception_score(unsure) == pytest.approx(1, rel=1e-14)
    assert mean_top_probability(unsure) == pytest.approx(0.25, rel=1e-14)


def test_samples_of_one_class_give_the_least_scores_however_sure_the_classifier_is():
    collapsed = log_probabilities(torch.tensor([[0.0, 50.0, 0.0]]).repeat(9, 1))
    assert modified_inception_score(collapsed) == pytest.approx(0, abs=1e-12)
    assert inception_score(collapsed) == pytest.approx(1, rel=1e-12)
    assert class_shares(collapsed).tolist() == [0, 1, 0]


def test_sure_samples_of_every_class_give_the_number_of_classes_and_a_large_modified_score():
    log_p = log_probabilities(50 * torch.eye(5).repeat(3, 1))
    assert inception_score(log_p) == pytest.approx(5, rel=1e-12)
    assert modified_inception_score(log_p) == pytest.approx(50 * 4 / 5 - log(5), rel=1e-12)


def test_logits_whose_float32_softmax_is_zero_give_a_finite_modified_score():
    logits = 200 * torch.eye(2)
    assert logits.softmax(1).log().isneginf().any()
    assert modified_inception_score(log_probabilities(logits)) == pytest.approx(100 - log(2), rel=1e-12)


def test_a_probability_of_exactly_zero_counts_as_the_formulas_say():
    one_hot = torch.eye(3, dtype=torch.float64).log()
    assert modified_inception_score(one_hot) == inf
    assert inception_score(one_hot) == pytest.approx(3, rel=1e-14)
    never_third = torch.tensor([[0.9, 0.1, 0], [0.3, 0.7, 0]], dtype=torch.float64).log()
    assert modified_inception_score(never_third) == modified_inception_score(TWO_BY_TWO)
    assert inception_score(never_third) == inception_score(TWO_BY_TWO)


@pytest.mark.parametrize("score", [modified_inception_score, inception_score, mean_top_probability])
def test_a_value_that_is_no_number_is_not_taken_for_a_probability_of_zero(score):
    assert isnan(score(torch.full((3, 2), nan, dtype=torch.float64)))


@pytest.mark.parametrize(
    "score", [modified_inception_score, inception_score, mean_top_probability, class_shares]
)
@pytest.mark.parametrize("shape", [(4,), (0, 3), (2, 3, 4)])
def test_another_shape_is_refused(score, shape):
    assert_refused(
        lambda: score(torch.zeros(shape, dtype=torch.float64)), UserError, ["log_p", str(shape), "(N, K)"]
    )


def test_float32_is_refused():
    assert_refused(
        lambda: modified_inception_score(torch.zeros(2, 3)), UserError, ["float32", "log_probabilities"]
    )
