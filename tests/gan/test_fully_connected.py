from __future__ import annotations

import pytest
import torch
from torch import nn

from ebgan import UserError
from ebgan.gan import classifier, discriminator, generator


def parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def test_the_papers_best_generator_has_its_layers():
    net = generator("mnist")
    weights = [layer.weight.shape for layer in net.modules() if isinstance(layer, nn.Linear)]
    assert weights == [(800, 100), (800, 800), (800, 800), (800, 800), (1024, 800)]
    hidden = 100 * 800 + 800 + 3 * (800 * 800 + 800) + 4 * 2 * 800
    assert parameters(net) == hidden + 800 * 1024 + 1024


def test_the_papers_best_discriminator_has_its_layers():
    net = discriminator("mnist")
    assert parameters(net) == (1024 * 1024 + 1024) + 2 * 1024 + (1024 * 1024 + 1024)
    assert [type(layer) for layer in net.encoder] == [nn.Flatten, nn.Linear, nn.BatchNorm1d, nn.ReLU]
    assert [type(layer) for layer in net.decoder] == [nn.Linear, nn.Unflatten]


@pytest.mark.parametrize("layers", [2, 3, 4, 5])
def test_only_the_encoder_grows_with_the_discriminators_layers(layers):
    net = discriminator("mnist", layers=layers, width=128, dropout=True)
    assert sum(isinstance(layer, nn.Linear) for layer in net.encoder) == layers - 1
    assert sum(isinstance(layer, nn.Dropout) for layer in net.encoder) == layers - 1
    assert sum(isinstance(layer, nn.Linear) for layer in net.decoder) == 1


def test_weights_start_with_the_papers_spread_and_biases_at_zero():
    for net, std in (
        (generator("mnist"), 0.02),
        (discriminator("mnist"), 0.002),
        (classifier("mnist"), 0.002),
    ):
        for layer in net.modules():
            if isinstance(layer, nn.Linear):
                few = layer.out_features == 1  # of 1024 weights the spread itself is known to 2 % only
                assert layer.weight.std().item() == pytest.approx(std, rel=0.1 if few else 0.02)
                assert not layer.bias.any()


@pytest.mark.parametrize(("name", "shape"), [("digits", (1, 8, 8)), ("mnist", (1, 32, 32))])
def test_images_and_reconstructions_have_the_data_sets_shape(name, shape):
    net = generator(name)
    images = net(*net.noise(5))
    reconstruction, codes = discriminator(name)(images)
    assert images.shape == reconstruction.shape == (5, *shape)
    assert codes.shape[0] == 5 and codes.ndim == 2
    assert images.abs().max() <= 1


def test_noise_of_one_seed_repeats():
    net = generator("digits", noise_size=7)
    first, second = (net.noise(3, generator=torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(first[0], second[0]) and first[0].shape == (3, 7)


def test_the_plain_gans_discriminator_has_the_encoders_layers_and_one_logit():
    net = classifier("mnist", layers=3, width=64)
    weights = [layer.weight.shape for layer in net.modules() if isinstance(layer, nn.Linear)]
    assert weights == [(64, 1024), (64, 64), (1, 64)]
    assert net(torch.zeros(5, 1, 32, 32)).shape == (5,)


def test_the_plain_gans_discriminator_sees_what_all_images_of_a_batch_share():
    assert not any(isinstance(layer, nn.BatchNorm1d) for layer in classifier("mnist").modules())
    net = classifier("mnist", layers=3, width=64)
    normalised = [layer.num_features for layer in net.modules() if isinstance(layer, nn.BatchNorm1d)]
    assert normalised == [64]
    light, dark = (torch.full((16, 1, 32, 32), grey) for grey in (1.0, -1.0))
    first = net.layers[:3]
    assert not torch.allclose(first(light), first(dark))


def test_dropout_is_off_unless_asked_for():
    images = torch.rand(4, 1, 8, 8)
    plain, dropping = discriminator("digits"), discriminator("digits", dropout=True)
    assert torch.equal(plain(images).codes, plain(images).codes)
    assert not torch.equal(dropping(images).codes, dropping(images).codes)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: generator("celeba"),
            "net: got 'celeba', allowed are digits, mnist, sprites, yale-b, celeba-64",
        ),
        (lambda: classifier("mnist", layers=1), "discriminator layers: got 1"),
        (lambda: generator("mnist", layers=1), "generator layers: got 1"),
        (lambda: discriminator("mnist", layers=1), "discriminator layers: got 1"),
        (lambda: discriminator("mnist", width=0), "discriminator width: got 0"),
        (
            lambda: generator("mnist", depth=3),
            "generator depth: the generator of net 'mnist' has no such option",
        ),
    ],
)
def test_wrong_options_are_named(build, message):
    with pytest.raises(UserError, match=message):
        build()
