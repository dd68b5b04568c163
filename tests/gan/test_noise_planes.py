"""The nets of ImageNet: the paper's layers, and noise that reaches every one of them."""

from __future__ import annotations

import pytest
import torch
from test_convolutional import kernels
from torch import nn

from ebgan import UserError
from ebgan.gan import classifier, discriminator, generator, preset
from ebgan.gan.noise_planes import NoisePlaneGenerator


def test_the_generators_have_the_papers_layers_with_their_planes_of_noise():
    assert kernels(generator("imagenet-128")) == [
        (1, 100, 1024, 4, 1),
        (1, 1024 + 64, 512, 4, 2),
        (1, 512 + 32, 256, 4, 2),
        (1, 256 + 16, 128, 4, 2),
        (1, 128 + 8, 64, 4, 2),
        (1, 64 + 4, 64, 4, 2),
        (0, 64, 3, 3, 1),
    ]
    assert [layer[1:3] for layer in kernels(generator("imagenet-256", width=64))] == [
        (100, 64),
        (64 + 64, 32),
        (32 + 32, 16),
        (16 + 16, 8),
        (8 + 8, 4),
        (4 + 4, 2),
        (2 + 2, 2),
        (2, 3),
    ]


def test_the_auto_encoder_has_the_papers_layers():
    net = discriminator("imagenet-256")
    assert kernels(net.encoder) == [
        (0, 3, 64, 4, 2),
        (0, 64, 128, 4, 2),
        (0, 128, 256, 4, 2),
        (0, 256, 512, 4, 2),
    ]
    assert kernels(net.decoder) == [
        (1, 512, 256, 4, 2),
        (1, 256, 128, 4, 2),
        (1, 128, 64, 4, 2),
        (1, 64, 3, 4, 2),
    ]


@pytest.mark.parametrize("side", [128, 256])
def test_images_reconstructions_and_logits_have_their_shapes(side: int):
    name = f"imagenet-{side}"
    net = generator(name, width=32, noise_size=7)
    images = net(*net.noise(2))
    reconstruction, codes = discriminator(name, width=2)(images)
    assert images.shape == reconstruction.shape == (2, 3, side, side) and images.abs().max() <= 1
    assert codes.shape == (2, 16, side // 16, side // 16)
    assert classifier(name, width=2)(images).shape == (2,)


def test_every_plane_of_noise_changes_the_images():
    torch.manual_seed(0)
    net = generator("imagenet-128", width=32)
    noise = net.noise(2)
    with torch.no_grad():
        images = net(*noise)
        for changed in range(len(noise)):
            other = [torch.randn_like(z) if i == changed else z for i, z in enumerate(noise)]
            assert not torch.equal(net(*other), images), changed


def test_all_layers_but_the_last_are_normalised():
    net = generator("imagenet-128", width=32)
    maps = [layer.num_features for layer in net.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert maps == [32, 16, 8, 4, 2, 2]


def test_a_net_brings_its_margin():
    assert (preset("images").margin, preset("images", net="imagenet-128").margin) == (14.0, 40.0)
    assert preset("images", net="imagenet-256").margin == 80.0
    assert preset("digits", net="mnist").net == "mnist"
    with pytest.raises(UserError, match="net: got 'imagenet-64', allowed are digits, mnist"):
        preset("images", net="imagenet-64")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: generator("imagenet-128", width=24), "generator width: got 24, allowed are multiples of 16"),
        (lambda: generator("imagenet-256", width=16), "generator width: got 16"),
        (lambda: NoisePlaneGenerator((3, 64, 64)), "image: got 64x64, allowed is 128x128 and 256x256"),
        (lambda: NoisePlaneGenerator((3, 128, 256)), "image: got 128x256"),
    ],
)
def test_wrong_sizes_are_named(build, message):
    with pytest.raises(UserError, match=message):
        build()
