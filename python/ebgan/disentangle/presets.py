"""Settings that work, for each data set."""

from __future__ import annotations

from dataclasses import replace

from ebgan.disentangle.config import DisentangleConfig
from ebgan.errors import one_of

_DIGITS = DisentangleConfig(
    data="digits",
    batch_size=32,
    steps=1_200,
    style_size=8,
    identity_size=16,
    width=16,
    threads=1,
    picture_every=300,
)
_MNIST = replace(_DIGITS, data="mnist", style_size=16, identity_size=16, steps=20_000, threads=None)
_POSES = replace(_MNIST, net="big", style_size=64, identity_size=64)

PRESETS: dict[str, DisentangleConfig] = {
    "digits": _DIGITS,
    "mnist": _MNIST,
    "fashion-mnist": replace(_MNIST, data="fashion-mnist"),
    "sprites": replace(_POSES, data="sprites", identity="body,bottomwear,topwear,hair", size=32),
    "turntable": replace(_POSES, data="turntable", identity="instance", size=32),
    "norb": replace(_POSES, data="norb", identity="instance", size=32),
    "yale-b": replace(_POSES, data="yale-b", size=32),
}


def preset(data: str = "digits") -> DisentangleConfig:
    """The settings for `data`.

    Example:
        >>> preset("sprites").factors
        ('body', 'bottomwear', 'topwear', 'hair')
    """
    one_of("data", data, PRESETS)
    return PRESETS[data]
