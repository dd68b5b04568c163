"""Energy-based GANs: networks by name, the system that trains them, and runs of it."""

from __future__ import annotations

from ebgan.gan.builders import NETS, discriminator, generator, image_shape
from ebgan.gan.config import PRESETS, GanConfig
from ebgan.gan.ebgan import EBGAN, frozen, sample
from ebgan.gan.fully_connected import FullyConnectedDiscriminator, FullyConnectedGenerator
from ebgan.gan.interface import AutoEncoded, Generator
from ebgan.gan.runs import build, resume, train, trained_generator

__all__ = [
    "EBGAN",
    "NETS",
    "PRESETS",
    "AutoEncoded",
    "FullyConnectedDiscriminator",
    "FullyConnectedGenerator",
    "GanConfig",
    "Generator",
    "build",
    "discriminator",
    "frozen",
    "generator",
    "image_shape",
    "resume",
    "sample",
    "train",
    "trained_generator",
]
