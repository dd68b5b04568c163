"""Style and pose transfer: what is known of images, their identity, told apart from the rest, their style."""

from __future__ import annotations

from ebgan.disentangle.builders import NETS, decoder, discriminator, encoder, energy_discriminator
from ebgan.disentangle.config import DisentangleConfig
from ebgan.disentangle.disentangling import Disentangling, Shown, Weights
from ebgan.disentangle.interface import Codes, Decoder, Discriminator, Encoder
from ebgan.disentangle.pictures import transfer
from ebgan.disentangle.presets import PRESETS, preset
from ebgan.disentangle.runs import build
from ebgan.disentangle.system import SYSTEM, evaluate_run, open_run, resume, train
from ebgan.disentangle.triplets import Identities, TripletBatches, Triplets

__all__ = [
    "NETS",
    "PRESETS",
    "SYSTEM",
    "Codes",
    "Decoder",
    "Discriminator",
    "DisentangleConfig",
    "Disentangling",
    "Encoder",
    "Identities",
    "Shown",
    "TripletBatches",
    "Triplets",
    "Weights",
    "build",
    "decoder",
    "discriminator",
    "encoder",
    "energy_discriminator",
    "evaluate_run",
    "open_run",
    "preset",
    "resume",
    "train",
    "transfer",
]
