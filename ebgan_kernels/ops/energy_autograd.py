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
        return None, *of_all(gradients, needed)


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
            (grad_loss * gradient).to(energy.dtype) if need else None
            for gradient, energy, need in zip(gradients, energies, needed, strict=True)
        ]
        return None, *scaled, None


def _in_pairs(tensors: Sequence[Any]) -> tuple[Any, ...]:
    """Images in pairs of one layout, and the margin behind them."""
    if len(tensors) == 3:
        return *same_layout(tensors[0], tensors[1]), tensors[2]
    return *same_layout(tensors[0], tensors[1]), *same_layout(tensors[2], tensors[3]), tensors[4]


def _reference_loss(*arguments: Any) -> Tensor:
    *images, margin, distance, shaping = arguments
    options = _DISTANCES[distance], _SHAPINGS[shaping]
    if margin is None:
        return reference.generator_loss(images[0], images[1], *options)
    return reference.discriminator_loss(*images, margin, *options)[0]  # type: ignore[call-arg]


# Takes (reconstruction, target, None) for a generator, and (real_reconstruction, real, fake_reconstruction,
# fake, margin) for a discriminator.
EnergyLossFunction = fused_loss("energy_loss", layout=_in_pairs, reference=_reference_loss)
