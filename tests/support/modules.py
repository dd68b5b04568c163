"""Every ``nn.Module`` of both packages, with arguments that make a small one."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable

from torch import nn

import ebgan
import ebgan_kernels as ek
from ebgan.disentangle import energy_discriminator, interface
from ebgan.disentangle.big import BigDecoder, BigDiscriminator, BigEncoder
from ebgan.disentangle.classifier import IdentityClassifier
from ebgan.disentangle.ends import CodeLayers, FirstMaps
from ebgan.disentangle.energy import EnergyDiscriminator
from ebgan.disentangle.layers import Conditioned
from ebgan.disentangle.small import SmallDecoder, SmallDiscriminator, SmallEncoder
from ebgan.energies.auto_encoder import AutoEncoder
from ebgan.energies.descent import EnergyNetwork
from ebgan.energies.ebgan import Generator as PlaneGenerator
from ebgan.energies.sparse import SparseNetwork
from ebgan.gan.convolutional import (
    ConvolutionalClassifier,
    ConvolutionalDiscriminator,
    ConvolutionalGenerator,
)
from ebgan.gan.fully_connected import (
    FullyConnectedClassifier,
    FullyConnectedDiscriminator,
    FullyConnectedGenerator,
)
from ebgan.gan.interface import Classifier, Discriminator, Generator
from ebgan.gan.noise_planes import NoisePlaneGenerator
from ebgan.gan.scores.networks import ScoreNetwork
from ebgan.ladder.combinators import Combinator, Elementwise, Gaussian
from ebgan.ladder.generator import ImageGenerator, LadderGenerator
from ebgan.ladder.layers import EncoderLayer
from ebgan.ladder.network import DecoderLayer, LadderNetwork
from ebgan.video.builders import discriminator, generator
from ebgan.video.discriminator import MultiscaleDiscriminator, PlainMultiscaleDiscriminator
from ebgan.video.generator import MultiscaleGenerator
from ebgan.video.layers import ConvolutionReLU
from ebgan_kernels.families import OPERATOR_FAMILIES
from ebgan_kernels.ops.energy_modules import MarginModule
from ebgan_kernels.ops.gdl import PredictionModule
from ebgan_kernels.ops.module import Module

BASES = {
    *(Module, MarginModule, PredictionModule),
    *(Generator, Discriminator, Classifier, Combinator),
    *(interface.Encoder, interface.Decoder, interface.Discriminator),
}
MODULES: dict[type[nn.Module], Callable[[], nn.Module]] = {
    **{
        module: make
        for family in OPERATOR_FAMILIES
        for module, make in importlib.import_module(f"support.families.{family}").MODULES.items()
    },
    FullyConnectedGenerator: lambda: FullyConnectedGenerator((1, 8, 8), width=4),
    FullyConnectedDiscriminator: lambda: FullyConnectedDiscriminator((1, 8, 8), width=4),
    FullyConnectedClassifier: lambda: FullyConnectedClassifier((1, 8, 8), width=4),
    ConvolutionalGenerator: lambda: ConvolutionalGenerator((3, 64, 64), width=8),
    ConvolutionalDiscriminator: lambda: ConvolutionalDiscriminator((3, 64, 64), width=1),
    ConvolutionalClassifier: lambda: ConvolutionalClassifier((3, 64, 64), width=1),
    NoisePlaneGenerator: lambda: NoisePlaneGenerator((3, 128, 128), width=16),
    ScoreNetwork: lambda: ScoreNetwork(channels=1, widths=(2,), classes=2),
    Gaussian: lambda: Gaussian(3, (2,)),
    Elementwise: lambda: Elementwise("sig", 2, 3),
    EncoderLayer: lambda: EncoderLayer(2, 3, 4, top=True),
    DecoderLayer: lambda: DecoderLayer(2, 3, 4, "gauss"),
    LadderNetwork: lambda: LadderNetwork((4, 3, 2)),
    ImageGenerator: lambda: ImageGenerator((4, 3, 4), (1, 2, 2)),
    LadderGenerator: lambda: LadderGenerator((4, 3, 2)),
    ConvolutionReLU: lambda: ConvolutionReLU(1, 2, 3),
    MultiscaleGenerator: lambda: generator("8to8", width=0.1),
    MultiscaleDiscriminator: lambda: discriminator("8to8", width=0.1),
    PlainMultiscaleDiscriminator: lambda: discriminator("8to8", width=0.1, plain=True),
    BigEncoder: lambda: BigEncoder((1, 8, 8), width=2, style_size=3, identity_size=2),
    BigDecoder: lambda: BigDecoder((1, 8, 8), width=2, style_size=3, identity_size=2),
    BigDiscriminator: lambda: BigDiscriminator((1, 8, 8), width=2, identities=(3, 2)),
    SmallEncoder: lambda: SmallEncoder((1, 8, 8), width=2, style_size=3, identity_size=2),
    SmallDecoder: lambda: SmallDecoder((1, 8, 8), width=2, style_size=3, identity_size=2),
    SmallDiscriminator: lambda: SmallDiscriminator((1, 8, 8), width=2, identities=(3, 2)),
    EnergyDiscriminator: lambda: energy_discriminator(
        "small", (1, 8, 8), width=2, identities=(3, 2), identity_size=2
    ),
    IdentityClassifier: lambda: IdentityClassifier(2, (3, 2), dropout=True),
    CodeLayers: lambda: CodeLayers(4, 3, 2),
    FirstMaps: lambda: FirstMaps(3, 2, 4, 1),
    AutoEncoder: lambda: AutoEncoder(nn.Tanh(), width=3, code=2),
    EnergyNetwork: lambda: EnergyNetwork(3),
    PlaneGenerator: lambda: PlaneGenerator(3),
    SparseNetwork: lambda: SparseNetwork(4, 3),
    Conditioned: lambda: Conditioned(nn.Conv2d(1, 2, 1), 2, (3, 2), inner=1, scale=1),
}


def classes_of_packages() -> set[type[nn.Module]]:
    """Every module class that a file of the packages defines; compiled libraries and Triton hold none."""
    found: set[type[nn.Module]] = set()
    for package in (ek, ebgan):
        for file in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if re.search(r"__main__|\._C_|^ebgan_kernels\.triton", file.name):
                continue
            members = vars(importlib.import_module(file.name)).values()
            found.update(
                each
                for each in members
                if inspect.isclass(each) and issubclass(each, nn.Module) and each.__module__ == file.name
            )
    return found
