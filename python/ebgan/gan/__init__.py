"""Energy-based GANs and the plain one: networks by name, the systems that train them, and runs of them."""

from __future__ import annotations

from ebgan.gan import scores
from ebgan.gan.builders import NETS, classifier, discriminator, generator, image_shape
from ebgan.gan.config import GanConfig
from ebgan.gan.ebgan import EBGAN
from ebgan.gan.gan import GAN
from ebgan.gan.interface import AutoEncoded, Classifier, Discriminator, Generator
from ebgan.gan.presets import PRESETS, preset
from ebgan.gan.runs import build, build_generator
from ebgan.gan.system import SYSTEM, evaluate_run, open_run, resume, train, trained_generator
from ebgan.gan.two_player import TwoPlayer, sample
from ebgan.gan.walks import walk

__all__ = [
    "EBGAN",
    "GAN",
    "NETS",
    "PRESETS",
    "SYSTEM",
    "AutoEncoded",
    "Classifier",
    "Discriminator",
    "GanConfig",
    "Generator",
    "TwoPlayer",
    "build",
    "build_generator",
    "classifier",
    "discriminator",
    "evaluate_run",
    "generator",
    "image_shape",
    "open_run",
    "preset",
    "resume",
    "sample",
    "scores",
    "train",
    "trained_generator",
    "walk",
]
