"""The networks of both sizes: their layers, what the ids change, what they refuse."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ebgan.disentangle import NETS, decoder, discriminator, encoder, energy_discriminator
from ebgan.disentangle.interface import cropped, padded
from ebgan.errors import UserError

EVERY = pytest.mark.parametrize("net", NETS)
CODES = {"style_size": 6, "identity_size": 5}
IMAGES = [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 56, 56)]


@EVERY
@pytest.mark.parametrize("image", IMAGES)
def test_codes_and_images_have_their_sizes(net, image):
    images = torch.rand(3, *image) * 2 - 1
    codes = encoder(net, image, width=4, **CODES)(images)
    assert [tuple(each.shape) for each in codes] == [(3, 6), (3, 6), (3, 5)]
    drawn = decoder(net, image, width=4, **CODES)(codes.mean, codes.identity)
    assert drawn.shape == images.shape and drawn.abs().max() <= 1
    ids = torch.tensor([[0, 1], [2, 0], [1, 1]])
    assert discriminator(net, image, width=4, identities=(3, 2))(images, ids).shape == (3,)
    assert (
        energy_discriminator(net, image, width=4, identities=(3, 2), identity_size=5)(images, ids).shape
        == images.shape
    )


def test_the_big_networks_have_the_layers_of_the_release():
    nf, image = 16, (1, 28, 28)
    sizes = {"style_size": 512, "identity_size": 64}
    maps = [
        [(each.in_channels, each.out_channels, *each.kernel_size, *each.stride) for each in net.modules()
         if isinstance(each, nn.Conv2d | nn.ConvTranspose2d)]
        for net in (encoder("big", image, **sizes), decoder("big", image, **sizes),
                    discriminator("big", image, identities=(10,)))
    ]  # fmt: skip
    three, two = (3, 3, 1, 1), (2, 2, 2, 2)
    assert maps[0] == [
        (1, nf, *three), (nf, nf, *three), (nf, 2 * nf, *two), (2 * nf, 2 * nf, *three),
        (2 * nf, 4 * nf, *two), (4 * nf, 4 * nf, *three), (4 * nf, 8 * nf, *two), (8 * nf, 8 * nf, *three),
    ]  # fmt: skip
    assert maps[1] == [
        (8 * nf, 8 * nf, *three), (8 * nf, 4 * nf, *two), (4 * nf, 4 * nf, *three), (4 * nf, 2 * nf, *two),
        (2 * nf, 2 * nf, *three), (2 * nf, nf, *two), (nf, nf, *three), (nf, 1, *three),
    ]  # fmt: skip
    assert maps[2] == [
        (1, nf, *three), (nf, nf, *two), (nf, 2 * nf, *two), (2 * nf, 2 * nf, *three),
        (2 * nf, 4 * nf, *two), (4 * nf, 4 * nf, *three), (4 * nf, 4 * nf, *three),
    ]  # fmt: skip
    codes = encoder("big", image, **sizes).codes
    assert codes.style.weight.shape == (2 * 512, 8 * nf * 16) and codes.identity.weight.shape == (
        64,
        8 * nf * 16,
    )
    tables = [
        each.weight.shape
        for each in discriminator("big", image, identities=(10,)).modules()
        if isinstance(each, nn.Embedding)
    ]
    assert tables == [(10, nf * 16), (10, 2 * nf * 16), (10, 4 * nf * 16)]


def test_the_small_networks_run_and_have_the_layers_of_the_release():
    """The release's small networks cannot be made: its trainer lacks an argument of theirs."""
    net = encoder("small", (1, 28, 28), width=16, **CODES)
    found = [
        (each.out_channels, each.kernel_size[0], each.stride[0])
        for each in net.modules()
        if isinstance(each, nn.Conv2d)
    ]
    assert found == [(16, 5, 1), (32, 4, 2), (64, 4, 2), (128, 4, 2)]
    assert net.codes.identity.in_features == 128 * 16


@EVERY
def test_the_id_changes_the_logit_and_its_tables_learn(net):
    """The release's small discriminator has no gradient by its id."""
    tables = discriminator(net, (1, 8, 8), width=4, identities=(3, 2)).eval()
    images = torch.rand(2, 1, 8, 8)
    first, second = (tables(images, torch.tensor([[who, 0], [who, 0]])) for who in (0, 1))
    assert not torch.allclose(first, second)
    first.sum().backward()
    rows = [each.weight.grad for each in tables.modules() if isinstance(each, nn.Embedding)]
    assert len(rows) == 6 and all(each[0].any() and not each[1].any() for each in rows)


def test_factors_of_an_id_share_the_maps_between_them():
    net = discriminator("small", (1, 8, 8), width=7, identities=(3, 2, 5))
    for layer in net.conditioned:
        channels = [table.weight.shape[1] // layer.inner**2 for table in layer.tables]
        assert max(channels) - min(channels) <= 1 and sum(channels) == layer.after[0].num_features


@EVERY
def test_the_identity_and_the_style_both_reach_the_image(net):
    made = decoder(net, (1, 8, 8), width=4, **CODES).eval()
    style, identity = torch.randn(1, 6, requires_grad=True), torch.randn(1, 5, requires_grad=True)
    made(style, identity).square().sum().backward()
    assert style.grad.abs().min() > 0 and identity.grad.abs().min() > 0


@pytest.mark.parametrize("side", [8, 12, 28, 31, 32])
def test_padding_is_black_and_taken_away_again(side):
    images = torch.rand(2, 1, side, side)
    inner = -(-side // 8)
    larger = padded(images, inner)
    assert larger.shape[-1] == 8 * inner
    torch.testing.assert_close(cropped(larger, side), images)
    assert float(larger.sum()) == pytest.approx(float(images.sum()) - 2 * (64 * inner**2 - side**2), rel=1e-4)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (
            torch.tensor([[0, 0], [0, 2]]),
            r"ids: got 2 in column 1, allowed are 0 to 1: the identity is unknown",
        ),
        (torch.tensor([[-1, 0], [0, 0]]), "ids: got -1 in column 0, allowed are 0 to 2"),
        (torch.tensor([0, 1]), r"ids: got torch.int64 \(2,\), allowed is int64 \(2, 2\)"),
        (torch.tensor([[0, 0]]), r"allowed is int64 \(2, 2\), a row for each image"),
        (torch.zeros(2, 2), "ids: got torch.float32"),
    ],
)
@EVERY
def test_unknown_ids_are_refused(net, ids, message):
    with pytest.raises(UserError, match=message):
        discriminator(net, (1, 8, 8), width=4, identities=(3, 2))(torch.zeros(2, 1, 8, 8), ids)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: encoder("huge", (1, 8, 8), **CODES), "net: got 'huge', allowed are small, big"),
        (lambda: encoder("big", (1, 8, 10), **CODES), "image: got 8x10 pixels, allowed are squares"),
        (lambda: decoder("big", (1, 8, 8), width=0, **CODES), "width: got 0"),
        (lambda: encoder("small", (1, 8, 8), style_size=0, identity_size=3), "style_size: got 0"),
        (
            lambda: discriminator("small", (1, 8, 8), width=1, identities=(2, 2)),
            "width: got layers of 1 maps",
        ),
    ],
)
def test_wrong_options_are_one_line(call, message):
    with pytest.raises(UserError, match=message):
        call()
