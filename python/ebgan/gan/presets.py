"""Settings that work, for each model and data set."""

from __future__ import annotations

from dataclasses import replace

from ebgan.errors import UserError, one_of
from ebgan.gan.builders import NETS
from ebgan.gan.config import GanConfig, Model

# The scale of a margin is that of the energy: ||Dec(Enc(x)) - x|| grows with the square root of the pixels.
# Margin and learning rates of the 32x32 sets are the paper's best; it leaves beta1, batch size and steps
# open. With Adam's usual beta1 of 0.9 the generator lost modes on MNIST, with 0.5 it did not. Matrices of the
# digits' size gain little from a second thread, and waiting for it on a busy machine cost a factor of 25 (2.3
# to 5.4 against 60 to 149 steps a second; 2 cores, 2026-11-22).
_DIGITS = GanConfig(data="digits", net="digits", margin=3.0, batch_size=128, steps=8_000, threads=1)
_MNIST = GanConfig(data="mnist", net="mnist", margin=10.0, batch_size=128, steps=10_000)
# A plain GAN of the same size, 8,000 steps. KID and I' by the digits' score network, 2,000 samples of one
# seed (2026-11-28): SGD of 0.1, 0.021 and 6.9; SGD of 0.01, the best of the paper's MNIST grid, 0.14 and 4.5;
# Adam of 0.0002, 0.18 and 3.9; Adam of 0.001, 0.53 and 2.3, with four digits missing. The EBGAN: 0.013, 7.4.
_DIGITS_GAN = replace(
    _DIGITS, model="gan", margin=None, optimizer="sgd", generator_lr=0.1, discriminator_lr=0.1
)
# On 3,000 dogs, at a quarter of the generator's width and half of the discriminator's (2026-11-22): margin 14
# made grids of one texture at 600 steps and had left them behind by 1,500. Margins of 20, 30 and 40, and a
# discriminator as slow as the generator, were given up with such grids after 200 to 811 steps. The energy
# that the auto-encoder alone reaches on your images is the scale of their margin.
_IMAGES = GanConfig(
    data="images",
    net="celeba-64",
    margin=14.0,
    batch_size=64,
    steps=10_000,
    generator_lr=2e-4,
    discriminator_lr=1e-3,
    picture_every=500,
    checkpoint_every=500,
)
# With these fully connected nets characters were there after 250 steps of 64; those of celeba-64, at a
# quarter of the generator's width and half of the discriminator's, had made grids of one texture after 500
# steps of 32 (2026-11-28). The margins are those of --margin auto.
_SPRITES = replace(_MNIST, data="sprites", net="sprites", margin=25.0, batch_size=64)
_YALE_B = replace(_SPRITES, data="yale-b", net="yale-b", margin=17.3)

# The paper's margins for its nets of ImageNet; learning rates and batch sizes it leaves open.
_OF_NETS = {
    "imagenet-128": replace(_IMAGES, net="imagenet-128", margin=40.0, batch_size=32),
    "imagenet-256": replace(_IMAGES, net="imagenet-256", margin=80.0, batch_size=16),
}


def _paper_gan(ebgan: GanConfig) -> GanConfig:
    """The best plain GAN of the paper's MNIST grid, on the data of an EBGAN."""
    return replace(
        ebgan,
        model="gan",
        margin=None,
        generator_width=1600,
        optimizer="sgd",
        generator_lr=0.01,
        discriminator_lr=0.01,
    )


PRESETS: dict[Model, dict[str, GanConfig]] = {
    "ebgan": {
        "digits": _DIGITS,
        "mnist": _MNIST,
        "fashion-mnist": replace(_MNIST, data="fashion-mnist"),
        "images": _IMAGES,
        "sprites": _SPRITES,
        "yale-b": _YALE_B,
    },
    "gan": {
        "digits": _DIGITS_GAN,
        "mnist": _paper_gan(_MNIST),
        "fashion-mnist": _paper_gan(replace(_MNIST, data="fashion-mnist")),
    },
}


def preset(data: str = "digits", model: Model = "ebgan", net: str | None = None) -> GanConfig:
    """The settings of `model` on `data`, by its usual networks or those called `net`.

    Example:
        >>> preset("mnist").margin, preset("mnist", "gan").optimizer
        (10.0, 'sgd')
        >>> preset("images", net="imagenet-128").margin
        40.0
    """
    one_of("model", model, PRESETS)
    one_of("data", data, PRESETS["ebgan"])
    if data not in PRESETS[model]:
        known = ", ".join(PRESETS[model])
        raise UserError(f"model: there are no settings of {model!r} for {data!r}, only for {known}")
    usual = PRESETS[model][data]
    if net is None or net == usual.net:
        return usual
    one_of("net", net, NETS)
    if data == "images" and net in _OF_NETS:
        return _OF_NETS[net]
    return replace(usual, net=net)
