from __future__ import annotations

import pytest
import torch
from torch import nn

from ebgan import UserError
from ebgan.gan import classifier, discriminator, generator


def kernels(net: nn.Module) -> list[tuple[int, ...]]:
    """(kind, input maps, output maps, kernel, stride) of the layers; kind 1 is transposed."""
    return [
        (int(layer.transposed), layer.in_channels, layer.out_channels, layer.kernel_size[0], layer.stride[0])
        for layer in net.modules()
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))
    ]


def test_the_generator_has_the_papers_layers():
    assert kernels(generator("celeba-64")) == [
        (1, 100, 1024, 4, 1),
        (1, 1024, 512, 4, 2),
        (1, 512, 256, 4, 2),
        (1, 256, 128, 4, 2),
        (1, 128, 3, 4, 2),
    ]


def test_the_auto_encoder_has_the_papers_layers():
    net = discriminator("celeba-64")
    assert kernels(net.encoder) == [(0, 3, 64, 4, 2), (0, 64, 128, 4, 2), (0, 128, 256, 4, 2)]
    assert kernels(net.decoder) == [(1, 256, 128, 4, 2), (1, 128, 64, 4, 2), (1, 64, 3, 4, 2)]


def test_hidden_layers_are_normalised_but_the_first_of_the_encoder_and_those_that_images_leave_by():
    maps = [
        [layer.num_features for layer in net.modules() if isinstance(layer, nn.BatchNorm2d)]
        for net in (generator("celeba-64"), discriminator("celeba-64"))
    ]
    assert maps == [[1024, 512, 256, 128], [128, 256, 128, 64]]


def test_images_stay_in_range_and_reconstructions_have_their_shape():
    net = generator("celeba-64", width=32)
    images = net(*net.noise(3))
    reconstruction, codes = discriminator("celeba-64", width=4)(images)
    assert images.shape == reconstruction.shape == (3, 3, 64, 64) and images.abs().max() <= 1
    assert codes.shape == (3, 16, 8, 8)
    assert classifier("celeba-64", width=4)(images).shape == (3,)


def test_weights_lie_channels_last_and_start_with_the_papers_spread():
    for net, std in ((generator("celeba-64", width=256), 0.02), (discriminator("celeba-64"), 0.002)):
        for layer in net.modules():
            if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                assert layer.weight.is_contiguous(memory_format=torch.channels_last)
                assert layer.weight.std().item() == pytest.approx(std, rel=0.1)
                assert not layer.bias.any()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: generator("celeba-64", width=12), "generator width: got 12, allowed are multiples of 8"),
        (lambda: generator("celeba-64", width=0), "generator width: got 0"),
        (lambda: generator("celeba-64", noise_size=0), "noise_size: got 0"),
        (lambda: discriminator("celeba-64", width=0), "discriminator width: got 0"),
        (
            lambda: discriminator("celeba-64", layers=3),
            "discriminator layers: the discriminator of net 'celeba-64' has no such option",
        ),
        (
            lambda: classifier("celeba-64", dropout=True),
            "discriminator dropout: the discriminator of net 'celeba-64' has no such option",
        ),
    ],
)
def test_wrong_options_are_named(build, message):
    with pytest.raises(UserError, match=message):
        build()


def test_another_size_of_image_is_refused():
    from ebgan.gan.convolutional import ConvolutionalGenerator

    with pytest.raises(UserError, match="image: got 32x32, allowed is 64x64"):
        ConvolutionalGenerator((3, 32, 32))
