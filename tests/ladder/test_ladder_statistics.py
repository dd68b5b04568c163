"""The statistics that classify, the error rates, and the pictures."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from ebgan import UserError
from ebgan.ladder import error_rates, preset, runs, set_statistics
from ebgan.ladder.network import LadderNetwork


def test_statistics_are_those_of_all_examples_layer_by_layer(system, moved, digits):
    net = system("bottom", seeds=(0, 1)).network
    moved(net)
    parts = [digits.features[:100], digits.features[100:300]]
    set_statistics(net, parts)
    for s, h in enumerate(parts):
        for layer in net.encoder:
            linear = h @ layer.weight[s]
            torch.testing.assert_close(layer.mean[s, 0], linear.mean(0))
            torch.testing.assert_close(layer.variance[s, 0], linear.var(0))  # unbiased
            z = (linear - layer.mean[s]) / (layer.variance[s] + 1e-10).sqrt()
            h = (z + layer.beta[s]).relu()


def test_a_classifier_does_not_depend_on_what_is_classified_beside(system, moved, digits):
    net = system("bottom", seeds=(0, 1)).network
    moved(net)
    set_statistics(net, [digits.features] * 2)
    net.eval()
    whole = net(digits.features)
    torch.testing.assert_close(net(digits.features[5:6]), whole[:, 5:6])
    net.train()
    assert not torch.allclose(net(digits.features[5:8]), whole[:, 5:8])


def test_the_statistics_of_a_whole_batch_classify_it_as_training_does(system, moved, digits):
    net = system("bottom").network
    moved(net)
    set_statistics(net, [digits.features])
    by_batch, by_statistics = net.train()(digits.features), net.eval()(digits.features)
    assert (by_batch - by_statistics).abs().max() < 0.01 * by_batch.abs().max()


def test_the_statistics_are_part_of_a_saved_network(system, digits):
    net = system("bottom").network
    set_statistics(net, [digits.features])
    other = LadderNetwork(net.sizes).double()
    other.load_state_dict(net.state_dict())
    assert torch.equal(other.eval()(digits.features), net.eval()(digits.features))


@pytest.mark.parametrize("sets", [[torch.zeros(1, 64)], [torch.zeros(5, 64)] * 2, []])
def test_too_few_examples_for_statistics_are_refused(system, sets):
    with pytest.raises(UserError, match="training: got"):
        set_statistics(system("bottom").network, [each.double() for each in sets])


def test_error_rates_count_what_is_classified_wrongly():
    net = LadderNetwork((2, 2), lowest=None, networks=2)
    with torch.no_grad():
        net.encoder[0].weight.copy_(torch.stack((torch.eye(2), torch.eye(2).flip(0))))
    examples, labels = torch.eye(2)[[0, 0, 1, 1]], torch.tensor([0, 0, 1, 0])
    assert error_rates(net, examples, labels).tolist() == [0.25, 0.75]
    assert net.training


def test_the_supervised_baseline_is_normalised_by_what_it_has_seen(digits):
    config = dataclasses.replace(preset("digits", "supervised", 50), seeds=2)
    parts = runs.statistics_from(config, digits)
    chosen = runs.build_batches(config, digits).chosen
    for part, numbers in zip(parts, chosen, strict=True):
        assert torch.equal(part, digits.features[numbers])
    full = runs.statistics_from(dataclasses.replace(preset(), seeds=2), digits)
    assert all(part is digits.features for part in full)


def test_pictures_show_weights_reconstructions_and_samples(system):
    pictures = system("ebgan", seeds=(0, 1), image=(1, 8, 8)).pictures()
    row_names = pictures["reconstructions"].shape[1] - (12 * 72 + 8)
    assert 50 < row_names < 100
    assert {name: picture.shape for name, picture in pictures.items()} == {
        "weights": (3 * 72 + 8, 8 * 72 + 8, 3),
        "reconstructions": (3 * 72 + 8, row_names + 12 * 72 + 8, 3),
        "samples": (3 * 72 + 8, 8 * 72 + 8, 3),
    }
    assert system("gamma", image=(1, 8, 8)).pictures().keys() == {"weights"}
    assert system("bottom").pictures() == {}


def test_pictures_leave_the_state_as_it_was(system):
    ladder, other = (system("ebgan", image=(1, 8, 8)) for _ in range(2))
    ladder.step(1)
    other.step(1)
    first = ladder.pictures()
    second = ladder.pictures()
    for name, picture in first.items():
        assert np.array_equal(picture, second[name])
    ladder.step(2)
    other.step(2)
    for name, value in ladder.network.state_dict().items():
        assert torch.equal(value, other.network.state_dict()[name])
