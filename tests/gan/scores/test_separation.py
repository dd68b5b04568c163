from __future__ import annotations

import pytest
import torch
from sklearn.metrics import roc_auc_score

from ebgan.errors import UserError
from ebgan.gan.scores.separation import separation
from support.errors import assert_refused


def test_it_is_the_share_of_pairs_in_which_the_generated_image_has_the_higher_energy():
    real, fake = torch.tensor([1.0, 4.0, 2.0]), torch.tensor([3.0, 2.0])
    # 3 is above 1 and 2, below 4; 2 is above 1, equal to 2, below 4: (2 + 1.5) of 6 pairs.
    assert separation(real, fake) == pytest.approx(3.5 / 6)
    assert separation(fake, real) == pytest.approx(2.5 / 6)


@pytest.mark.parametrize(("fake", "expected"), [([5.0, 6.0], 1.0), ([0.0], 0.0), ([1.0, 1.0], 0.5)])
def test_energies_apart_give_the_ends_and_equal_ones_the_middle(fake, expected):
    assert separation(torch.tensor([1.0, 1.0, 1.0]), torch.tensor(fake)) == expected


def test_it_agrees_with_scikit_learn_on_many_ties():
    random = torch.Generator().manual_seed(0)
    real = torch.randint(0, 9, (301,), generator=random).float()
    fake = torch.randint(2, 12, (200,), generator=random).float()
    truth = torch.cat([torch.zeros(301), torch.ones(200)])
    assert separation(real, fake) == pytest.approx(roc_auc_score(truth, torch.cat([real, fake])), abs=1e-12)


@pytest.mark.parametrize("energy", [torch.zeros(0), torch.zeros(2, 1), torch.tensor([1.0, torch.nan])])
def test_what_is_no_energy_is_refused(energy):
    assert_refused(lambda: separation(energy, torch.zeros(2)), UserError, ["real_energy: got "])
    assert_refused(lambda: separation(torch.zeros(2), energy), UserError, ["fake_energy: got "])
