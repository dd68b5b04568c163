"""Autograd of the energy family; the public functions are in ``ebgan_kernels.ops.energy``.

Every ``backward`` returns one gradient for each argument of ``forward``: those of the tensors, then None for
the options.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ebgan_kernels.backends import Backend
from ebgan_kernels.checks import same_layout
from ebgan_kernels.native.energy import DISTANCES, SHAPINGS
from ebgan_kernels.native.library import empty_gradient
from ebgan_kernels.ops.gradients import (
    differentiated_again,
    operator,
    reference_gradients,
    scale_in_place,
    scales_exactly,
)
from ebgan_kernels.reference import energy as reference
from ebgan_kernels.reference.energy import Distance, Shaping

# (reconstruction, target, energy, margin): a batch and what its energies become in the loss, f(E) without a
# margin and f([margin - E]^+) with one.
_Term = tuple[Tensor, Tensor, Tensor, Tensor | None]


def _given(gradient: Tensor, needed: bool) -> Tensor | None:
    return gradient if needed else None


class ReconstructionEnergyFunction(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        reconstruction: Tensor,
        target: Tensor,
        distance: Distance,
        backend: Backend,
        needed: tuple[bool, ...],
    ) -> Tensor:
        pair = same_layout(reconstruction, target)
        energy = operator(backend, "reconstruction_energy")(*pair, DISTANCES[distance])
        ctx.save_for_backward(reconstruction, target, energy)
        ctx.distance, ctx.backend, ctx.needed = distance, backend, needed
        return energy

    @staticmethod
    def backward(ctx: Any, grad_energy: Tensor) -> tuple[Tensor | None, ...]:
        reconstruction, target, energy = ctx.saved_tensors
        if differentiated_again():
            again = reference_gradients(
                partial(reference.reconstruction_energy, distance=ctx.distance),
                (reconstruction, target),
                ctx.needed,
                grad_energy,
            )
            return *again, None, None, None
        gradients = operator(ctx.backend, "reconstruction_energy_backward")(
            grad_energy, *same_layout(reconstruction, target), energy, DISTANCES[ctx.distance], *ctx.needed
        )
        return *map(_given, gradients, ctx.needed), None, None, None


class HingeMarginLossFunction(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        real_energy: Tensor,
        fake_energy: Tensor,
        margin: Tensor,
        shaping: Shaping,
        backend: Backend,
        needed: tuple[bool, ...],
    ) -> Tensor:
        loss, *gradients = operator(backend, "hinge_margin_loss")(
            real_energy, fake_energy, margin, SHAPINGS[shaping]
        )
        ctx.save_for_backward(real_energy, fake_energy, margin, *gradients)
        ctx.shaping, ctx.needed = shaping, needed
        return loss

    @staticmethod
    def backward(ctx: Any, grad_loss: Tensor) -> tuple[Tensor | None, ...]:
        real_energy, fake_energy, margin, *gradients = ctx.saved_tensors
        energies = (real_energy, fake_energy)
        if differentiated_again():
            again = reference_gradients(
                partial(reference.hinge_margin_loss, margin=margin, shaping=ctx.shaping),
                energies,
                ctx.needed,
                grad_loss,
            )
            return *again, None, None, None, None
        scaled = [
            (grad_loss * g).to(e.dtype) if n else None
            for g, e, n in zip(gradients, energies, ctx.needed, strict=True)
        ]
        return *scaled, None, None, None, None


def _computed_gradients(
    ctx: Any, term: _Term, grad_loss: Tensor, buffers: Sequence[Tensor] | None, needed: Sequence[bool]
) -> Sequence[Tensor]:
    """A term's gradients from its saved energy: in fresh buffers, or in ones filled for a gradient of 1."""
    reconstruction, target, energy, margin = term
    pair = same_layout(reconstruction, target)
    filled = buffers is not None
    if buffers is None:
        buffers = [empty_gradient(image, need) for image, need in zip(pair, needed, strict=True)]
    options = (DISTANCES[ctx.distance], SHAPINGS[ctx.shaping])
    operator(ctx.backend, "energy_loss_backward_")(
        *buffers, grad_loss, *pair, energy, margin, *options, filled
    )
    return buffers


def _image_gradients(
    ctx: Any, grad_loss: Tensor, reference_loss: Callable[[], Tensor], terms: Sequence[_Term]
) -> list[Tensor | None]:
    """The gradients of all images of a loss: handed out if the forward pass stored them, else computed."""
    if differentiated_again():
        images = [image for term in terms for image in term[:2]]
        return reference_gradients(reference_loss, images, ctx.needed, grad_loss)
    gradients, ctx.gradients = ctx.gradients, None
    if gradients is not None and scales_exactly(gradients):
        for gradient, need in zip(gradients, ctx.needed, strict=True):
            if need:
                scale_in_place(ctx.backend, gradient, grad_loss)
    else:
        stored = gradients
        gradients = []
        for i, term in enumerate(terms):
            of_term = slice(2 * i, 2 * i + 2)
            buffers = None if stored is None else stored[of_term]
            gradients += _computed_gradients(ctx, term, grad_loss, buffers, ctx.needed[of_term])
    return list(map(_given, gradients, ctx.needed))


class DiscriminatorLossFunction(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        real_reconstruction: Tensor,
        real: Tensor,
        fake_reconstruction: Tensor,
        fake: Tensor,
        margin: Tensor,
        distance: Distance,
        shaping: Shaping,
        backend: Backend,
        needed: tuple[bool, ...],
    ) -> tuple[Tensor, Tensor, Tensor]:
        loss, real_energy, fake_energy, *ctx.gradients = operator(backend, "discriminator_loss")(
            *same_layout(real_reconstruction, real),
            *same_layout(fake_reconstruction, fake),
            margin,
            DISTANCES[distance],
            SHAPINGS[shaping],
            *needed,
        )
        ctx.save_for_backward(
            real_reconstruction, real, real_energy, fake_reconstruction, fake, fake_energy, margin
        )
        ctx.mark_non_differentiable(real_energy, fake_energy)
        ctx.set_materialize_grads(False)
        ctx.distance, ctx.shaping, ctx.backend, ctx.needed = distance, shaping, backend, needed
        return loss, real_energy, fake_energy

    @staticmethod
    def backward(ctx: Any, grad_loss: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        if grad_loss is None:
            return (None,) * 9
        real_reconstruction, real, real_energy, fake_reconstruction, fake, fake_energy, margin = (
            ctx.saved_tensors
        )
        gradients = _image_gradients(
            ctx,
            grad_loss,
            lambda *images: partial(
                reference.discriminator_loss, margin=margin, distance=ctx.distance, shaping=ctx.shaping
            )(*images)[0],
            [
                (real_reconstruction, real, real_energy, None),
                (fake_reconstruction, fake, fake_energy, margin),
            ],
        )
        return *gradients, None, None, None, None, None


class GeneratorLossFunction(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        fake_reconstruction: Tensor,
        fake: Tensor,
        distance: Distance,
        shaping: Shaping,
        backend: Backend,
        needed: tuple[bool, ...],
    ) -> Tensor:
        loss, energy, *ctx.gradients = operator(backend, "generator_loss")(
            *same_layout(fake_reconstruction, fake), DISTANCES[distance], SHAPINGS[shaping], *needed
        )
        ctx.save_for_backward(fake_reconstruction, fake, energy)
        ctx.distance, ctx.shaping, ctx.backend, ctx.needed = distance, shaping, backend, needed
        return loss

    @staticmethod
    def backward(ctx: Any, grad_loss: Tensor) -> tuple[Tensor | None, ...]:
        fake_reconstruction, fake, energy = ctx.saved_tensors
        gradients = _image_gradients(
            ctx,
            grad_loss,
            partial(reference.generator_loss, distance=ctx.distance, shaping=ctx.shaping),
            [(fake_reconstruction, fake, energy, None)],
        )
        return *gradients, None, None, None, None
