"""Autograd of the energy family; the public functions are in ``ebgan_kernels.ops.energy``.

The options of a :class:`~ebgan_kernels.ops.gradients.Call` are integers, as the operators' schemas have them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ebgan_kernels.checks.energy import same_layout
from ebgan_kernels.native.energy import DISTANCES, SHAPINGS
from ebgan_kernels.native.library import of_all
from ebgan_kernels.ops.gradients import (
    Call,
    differentiated_again,
    fused_loss,
    operator,
    reference_gradients,
)
from ebgan_kernels.reference import energy as reference
from ebgan_kernels.reference.energy import Distance, Shaping

_DISTANCES: tuple[Distance, ...] = tuple(DISTANCES)  # type: ignore[arg-type]
_SHAPINGS: tuple[Shaping, ...] = tuple(SHAPINGS)  # type: ignore[arg-type]


class ReconstructionEnergyFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, call: Call, reconstruction: Tensor, target: Tensor) -> Tensor:
        pair = same_layout(reconstruction, target)
        energy: Tensor = operator(call.backend, "reconstruction_energy")(*pair, *call.options)
        ctx.save_for_backward(reconstruction, target, energy)
        ctx.call = call
        return energy

    @staticmethod
    def backward(ctx: Any, grad_energy: Tensor) -> tuple[Tensor | None, ...]:
        reconstruction, target, energy = ctx.saved_tensors
        backend, needed, options = ctx.call
        if differentiated_again():
            exact = partial(reference.reconstruction_energy, distance=_DISTANCES[options[0]])
            return None, *reference_gradients(exact, (reconstruction, target), needed, grad_energy)
        gradients = operator(backend, "reconstruction_energy_backward")(
            grad_energy, *same_layout(reconstruction, target), energy, *options, needed
        )
        return None, *of_all(gradients, needed, 2)


class HingeMarginLossFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, call: Call, real_energy: Tensor, fake_energy: Tensor, margin: Tensor) -> Tensor:
        loss, *gradients = operator(call.backend, "hinge_margin_loss")(
            real_energy, fake_energy, margin, *call.options
        )
        ctx.save_for_backward(real_energy, fake_energy, margin, *gradients)
        ctx.call = call
        return loss

    @staticmethod
    def backward(ctx: Any, grad_loss: Tensor) -> tuple[Tensor | None, ...]:
        real_energy, fake_energy, margin, *gradients = ctx.saved_tensors
        energies, needed = (real_energy, fake_energy), ctx.call.needed
        if differentiated_again():
            shaping = _SHAPINGS[ctx.call.options[0]]
            exact = partial(reference.hinge_margin_loss, margin=margin, shaping=shaping)
            return None, *reference_gradients(exact, energies, needed, grad_loss), None
        scaled = [
            (grad_loss * gradient).to(energy.dtype) if needed >> i & 1 else None
            for i, (gradient, energy) in enumerate(zip(gradients, energies, strict=True))
        ]
        return None, *scaled, None


def _one_pair(tensors: Sequence[Tensor]) -> tuple[Tensor | None, ...]:
    return *same_layout(tensors[0], tensors[1]), None, None, None


def _two_pairs(tensors: Sequence[Tensor]) -> tuple[Tensor | None, ...]:
    real_reconstruction, real, fake_reconstruction, fake, margin = tensors
    return *same_layout(real_reconstruction, real), *same_layout(fake_reconstruction, fake), margin


def _generator(fake_reconstruction: Tensor, fake: Tensor, distance: int, shaping: int) -> Tensor:
    return reference.generator_loss(fake_reconstruction, fake, _DISTANCES[distance], _SHAPINGS[shaping])


def _discriminator(*arguments: Any) -> Tensor:
    *images, margin, distance, shaping = arguments
    options = margin, _DISTANCES[distance], _SHAPINGS[shaping]
    return reference.discriminator_loss(images[0], images[1], images[2], images[3], *options)[0]


# Takes (fake_reconstruction, fake).
GeneratorLossFunction = fused_loss("energy_loss", others=1, layout=_one_pair, reference=_generator)
# Takes (real_reconstruction, real, fake_reconstruction, fake, margin); returns the loss and both energies.
DiscriminatorLossFunction = fused_loss(
    "energy_loss",
    others=2,
    returns_others=True,
    layout=_two_pairs,
    constants=1,
    reference=_discriminator,
)
