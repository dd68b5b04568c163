"""Multi-scale video prediction (arXiv:1511.05440): networks by name, the system that trains them, runs."""

from __future__ import annotations

from ebgan.video.builders import NETS, discriminator, generator
from ebgan.video.config import VideoConfig
from ebgan.video.discriminator import MultiscaleDiscriminator
from ebgan.video.generator import MultiscaleGenerator
from ebgan.video.losses import LOSSES, Terms, adversarial_loss
from ebgan.video.prediction import VideoPrediction
from ebgan.video.presets import PRESETS, preset
from ebgan.video.runs import build, build_generator, open_run, resume, train, trained_generator
from ebgan.video.schedule import GeometricDecay
from ebgan.video.strips import strips

__all__ = [
    "LOSSES",
    "NETS",
    "PRESETS",
    "GeometricDecay",
    "MultiscaleDiscriminator",
    "MultiscaleGenerator",
    "Terms",
    "VideoConfig",
    "VideoPrediction",
    "adversarial_loss",
    "build",
    "build_generator",
    "discriminator",
    "generator",
    "open_run",
    "preset",
    "resume",
    "strips",
    "train",
    "trained_generator",
]
