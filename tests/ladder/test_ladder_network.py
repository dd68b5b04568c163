"""Ladder networks: sizes, starts, and every loss against the formulas written out."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from plain_ladder import LAMBDAS, denoised, encode, loss

from ebgan import UserError
from ebgan.ladder import LadderNetwork, network
from ebgan.ladder.combinators import FORMS, combinator


def test_the_networks_have_the_published_sizes():
    net = network("full", seeds=3)
    sizes = (784, 1000, 500, 250, 250, 250, 10)
    assert [tuple(layer.weight.shape) for layer in net.encoder] == [
        (3, inputs, outputs) for inputs, outputs in pairwise(sizes)
    ]
    assert [tuple(layer.weight.shape) for layer in net.decoder[:-1]] == [
        (3, above, below) for above, below in zip(sizes[:0:-1], sizes[-2::-1], strict=True)
    ]
    assert [tuple(layer.combinator.weight.shape) for layer in net.decoder] == [
        (3, 10, size) for size in reversed(sizes)
    ]
    assert net.decoder[-1].weight is None
    assert [layer.gamma is None for layer in net.encoder] == [True] * 5 + [False]
    assert all(layer.beta.shape == (3, 1, size) for layer, size in zip(net.encoder, sizes[1:], strict=True))
    assert not any("bias" in name for name, _ in net.named_parameters())


@pytest.mark.parametrize(("name", "levels"), [("full", 7), ("bottom", 7), ("gamma", 1), ("supervised", 0)])
def test_the_decoder_goes_down_as_far_as_costs_need_it(name, levels):
    assert len(network(name).decoder) == levels


def test_weights_start_at_one_over_the_root_of_their_inputs():
    net = network("full", seed=7, seeds=2)
    for layer in (*net.encoder, *net.decoder[:-1]):
        found = layer.weight.detach() * layer.weight.shape[1] ** 0.5
        assert found.mean().abs() < 0.05 and (found.std() - 1).abs() < 0.05
    assert not torch.equal(net.encoder[0].weight[0], net.encoder[0].weight[1])
    alone = network("full", seed=8)
    assert torch.equal(alone.encoder[0].weight[0], net.encoder[0].weight[1])


def test_a_network_without_layers_or_with_a_decoder_beyond_them_is_refused():
    for sizes, lowest in [((784,), 0), ((784, 10), 2), ((784, 10), -1)]:
        with pytest.raises(UserError, match="sizes, lowest"):
            LadderNetwork(sizes, lowest=lowest)
    with pytest.raises(UserError, match="model: got 'top', allowed are full, bottom, gamma, supervised"):
        network("top")


@pytest.mark.parametrize("model", LAMBDAS)
def test_loss_and_gradients_are_those_of_the_formulas(system, moved, model):
    ladder = system(model, seeds=(3, 4))
    moved(ladder.network)
    parameters = list(ladder.network.parameters())
    batch, noise = ladder.batches.at(0), ladder.noise.draw(1)
    found, _ = ladder.objective(batch, noise)
    expected = sum(loss(ladder.network, s, batch, noise, LAMBDAS[model]) for s in range(2))
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(
        torch.autograd.grad(found, parameters, allow_unused=True),
        torch.autograd.grad(expected, parameters, allow_unused=True),
    )


def test_without_noise_the_corrupted_path_is_the_clean_one(system, moved):
    ladder = system("full", input_noise=0.0, layer_noise=0.0)
    moved(ladder.network)
    x = torch.stack([ladder.batches.at(0).unlabelled] * 3, 1)
    encoded = ladder.network.encode(x, ladder.noise.draw(1))
    for z in encoded.z:
        assert torch.equal(z[:, 1], z[:, 2])
    torch.testing.assert_close(ladder.network(x[:, 0]), encoded.logits[:, 2])


def test_noise_reaches_every_layer_but_of_the_clean_part(system):
    ladder = system("full", seeds=(0, 1), input_noise=0.5, layer_noise=0.1)
    for level, noise in enumerate(ladder.noise.draw(1)):
        assert (noise[:, :2].std() / (0.5 if level == 0 else 0.1) - 1).abs() < 0.15
        assert not noise[:, 2].any()


def test_parts_of_a_batch_do_not_see_each_other(system, moved):
    ladder = system("bottom")
    moved(ladder.network)
    batch, noise = ladder.batches.at(0), ladder.noise.draw(1)
    parts = [batch.labelled, batch.unlabelled]
    before = ladder.network.encode(torch.stack(parts, 1), noise).logits[:, 1]
    parts[0] = 5 * parts[0]
    torch.testing.assert_close(ladder.network.encode(torch.stack(parts, 1), noise).logits[:, 1], before)


def test_reconstruction_is_the_lowest_denoised_layer(system, moved):
    ladder = system("bottom", seeds=(0, 1))
    moved(ladder.network)
    batch, noise = ladder.batches.at(0), ladder.noise.draw(1)
    encoded = ladder.network.encode(torch.stack([batch.labelled, batch.unlabelled], 1), noise)
    found = ladder.network.reconstruct(encoded.z, encoded.logits)
    for s in range(2):
        for part, x in enumerate([batch.labelled, batch.unlabelled]):
            z, _, _, logits = encode(ladder.network, s, x[s], [each[s, part] for each in noise])
            torch.testing.assert_close(found[s, part], denoised(ladder.network, s, z, logits)[0])


def test_combinators_start_as_published():
    z, u = torch.randn(2, 1, 6, 3, generator=torch.Generator().manual_seed(0)).double()
    sigmoid = torch.sigmoid
    expected = {
        "gauss": torch.zeros_like(z),
        "gauss_stable_v": z / 2,
        "sig": z + sigmoid(z),
        "comparison_g2": z + sigmoid(z),
        "comparison_g3": z,
        "comparison_g4": sigmoid(z) + sigmoid(u),
        "lin": z,
    }
    assert expected.keys() == {"gauss", *FORMS}
    for name, z_hat in expected.items():
        torch.testing.assert_close(combinator(name, 1, 3).double()(z, u), z_hat)


def test_a_gaussian_combinator_with_a10_alone_is_the_identity_in_z():
    z, u = torch.randn(2, 1, 6, 3, generator=torch.Generator().manual_seed(0))
    gaussian = combinator("gauss", 1, 3)
    with torch.no_grad():
        gaussian.weight.zero_()[:, 9] = 1
    assert torch.equal(gaussian(z, u), z)


@pytest.mark.parametrize("name", ["gauss", *FORMS])
def test_every_combinator_learns(system, name):
    ladder = system("full")
    ladder = type(ladder)(
        network("full", inputs=64, hidden=(24, 16), combinator=name), ladder.batches, LAMBDAS["full"]
    )
    ladder.network.double()
    ladder.noise = ladder.make_noise(noisy=2, clean=1)
    costs = [ladder.step(step)["denoising_cost"].item() for step in range(1, 31)]
    assert costs[-1] < 0.7 * costs[0]


@pytest.mark.parametrize("name", FORMS)
def test_the_cost_standardises_what_is_denoised(moved, name):
    z_clean, z, u = torch.randn(3, 2, 6, 3, generator=torch.Generator().manual_seed(0)).double()
    mean, std = torch.full((2, 3), 0.5).double(), torch.full((2, 3), 2.0).double()
    form = combinator(name, 2, 3).double()
    moved(form)
    expected = (z_clean - (form(z, u) - 0.5) / 2).square().sum(-1).mean(-1) / 3
    torch.testing.assert_close(form.cost(z_clean, z, u, mean, std), expected)
