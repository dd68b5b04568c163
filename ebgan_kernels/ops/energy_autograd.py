"""Autograd of the energy family; the public functions are in ``ebgan_kernels.ops.energy``.

Every ``backward`` returns one gradient for each argument of ``forward``: those of the tensors, then None for
the options.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ebgan_kernels.backends import Backend
from ebgan_kernels.checks.energy import same_layout
from ebgan_kernels.native.energy import DISTANCES, SHAPINGS
from ebgan_kernels.native.library import empty_gradient
from ebgan_kernels.ops.gradients import (
    Gradients,
    differentiated_again,
    operator,
    reference_gradients,
    scaled_in_place,
    stored_gradients,
)
from ebgan_kernels.reference import energy as reference
from ebgan_kernels.reference.energy import Distance, Shaping


class Options(NamedTuple):
    """The arguments that are not tensors: the loss, the implementation, and which inputs need a gradient."""

    distance: Distance
    shaping: Shaping
    backend: Backend
    needed: tuple[bool, ...]


def _integers(options: Options) -> tuple[int, int]:
    """Distance and shaping as the integers of the operators' schemas.

    A property of the named tuple would break the graph of torch.compile under torch 2.10.
    """
    return DISTANCES[options.distance], SHAPINGS[options.shaping]


# (reconstruction, target, energy, margin): a batch whose term of the loss is f(E) without a margin, and
# f([margin - E]^+) with one.
_Term = tuple[Tensor, Tensor, Tensor, Tensor | None]


def _given(gradient: Tensor | None, needed: bool) -> Tensor | None:
    return gradient if needed else None


class ReconstructionEnergyFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, reconstruction: Tensor, target: Tensor, options: Options) -> Tensor:
        pair = same_layout(reconstruction, target)
        energy = operator(options.backend, "reconstruction_energy")(*pair, DISTANCES[options.distance])
        ctx.save_for_backward(reconstruction, target, energy)
        ctx.options = options
        return energy

    @staticmethod
    def backward(ctx: Any, grad_energy: Tensor) -> tuple[Tensor | None, ...]:
        reconstruction, target, energy = ctx.saved_tensors
        if differentiated_again():
            again = reference_gradients(
                partial(reference.reconstruction_energy, distance=ctx.options.distance),
                (reconstruction, target),
                ctx.options.needed,
                grad_energy,
            )
            return *again, None
        gradients = operator(ctx.options.backend, "reconstruction_energy_backward")(
            grad_energy,
            *same_layout(reconstruction, target),
            energy,
            DISTANCES[ctx.options.distance],
            *ctx.options.needed,
        )
        return *map(_given, gradients, ctx.options.needed), None


class HingeMarginLossFunction(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        real_energy: Tensor,
        fake_energy: Tensor,
        margin: Tensor,
        options: Options,
    ) -> Tensor:
        loss, *gradients = operator(options.backend, "hinge_margin_loss")(
            real_energy, fake_energy, margin, SHAPINGS[options.shaping]
        )
        ctx.save_for_backward(real_energy, fake_energy, margin, *gradients)
        ctx.options = options
        return loss

    @staticmethod
    def backward(ctx: Any, grad_loss: Tensor) -> tuple[Tensor | None, ...]:
        real_energy, fake_energy, margin, *gradients = ctx.saved_tensors
        energies = (real_energy, fake_energy)
        if differentiated_again():
            again = reference_gradients(
                partial(reference.hinge_margin_loss, margin=margin, shaping=ctx.options.shaping),
                energies,
                ctx.options.needed,
                grad_loss,
            )
            return *again, None, None
        scaled = [
            (grad_loss * g).to(e.dtype) if n else None
            for g, e, n in zip(gradients, energies, ctx.options.needed, strict=True)
        ]
        return *scaled, None, None


def _computed_gradients(
    ctx: Any, term: _Term, grad_loss: Tensor, stored: Gradients | None, needed: Sequence[bool]
) -> Gradients:
    """A term's gradients from its saved energy, in new buffers or in those stored by the forward pass."""
    reconstruction, target, energy, margin = term
    pair = same_layout(reconstruction, target)
    buffers = [
        stored[i] if stored and need else empty_gradient(pair[i], need) for i, need in enumerate(needed)
    ]
    options, filled = ctx.options, stored is not None
    operator(options.backend, "energy_loss_backward_")(
        *buffers, grad_loss, *pair, energy, margin, *_integers(options), filled
    )
    return list(map(_given, buffers, needed))


def _image_gradients(
    ctx: Any,
    grad_loss: Tensor,
    reference_loss: Callable[..., Tensor],
    terms: Callable[..., Sequence[_Term]],
) -> Gradients:
    """The gradients of all images of a loss: handed out where the forward pass stored them, else computed.

    ``terms`` arranges the saved tensors as terms; the usual backward pass does not call it.
    """
    if not differentiated_again():
        stored, ctx.stored = ctx.stored, None
        if stored is not None and scaled_in_place(ctx.options.backend, stored, grad_loss):
            return stored
    arranged = terms(*ctx.saved_tensors)
    if differentiated_again():
        images = [image for term in arranged for image in term[:2]]
        return reference_gradients(reference_loss, images, ctx.options.needed, grad_loss)
    gradients: Gradients = []
    for i, term in enumerate(arranged):
        of_term = slice(2 * i, 2 * i + 2)
        filled = None if stored is None else stored[of_term]
        gradients += _computed_gradients(ctx, term, grad_loss, filled, ctx.options.needed[of_term])
    return gradients


class DiscriminatorLossFunction(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        real_reconstruction: Tensor,
        real: Tensor,
        fake_reconstruction: Tensor,
        fake: Tensor,
        margin: Tensor,
        options: Options,
    ) -> tuple[Tensor, Tensor, Tensor]:
        loss, real_energy, fake_energy, *gradients = operator(options.backend, "discriminator_loss")(
            *same_layout(real_reconstruction, real),
            *same_layout(fake_reconstruction, fake),
            margin,
            *_integers(options),
            *options.needed,
        )
        ctx.save_for_backward(
            real_reconstruction, real, fake_reconstruction, fake, margin, real_energy, fake_energy
        )
        ctx.mark_non_differentiable(real_energy, fake_energy)
        ctx.set_materialize_grads(False)
        ctx.options = options
        ctx.stored = stored_gradients(gradients, options.needed)
        return loss, real_energy, fake_energy

    @staticmethod
    def backward(ctx: Any, grad_loss: Tensor | None, *_: Tensor | None) -> tuple[Tensor | None, ...]:
        if grad_loss is None:
            return (None,) * 6
        gradients = _image_gradients(
            ctx, grad_loss, partial(_discriminator_reference, ctx), _discriminator_terms
        )
        return *gradients, None, None


def _discriminator_terms(
    real_reconstruction: Tensor,
    real: Tensor,
    fake_reconstruction: Tensor,
    fake: Tensor,
    margin: Tensor,
    real_energy: Tensor,
    fake_energy: Tensor,
) -> list[_Term]:
    return [
        (real_reconstruction, real, real_energy, None),
        (fake_reconstruction, fake, fake_energy, margin),
    ]


def _discriminator_reference(
    ctx: Any, real_reconstruction: Tensor, real: Tensor, fake_reconstruction: Tensor, fake: Tensor
) -> Tensor:
    images = (real_reconstruction, real, fake_reconstruction, fake)
    margin = ctx.saved_tensors[4]
    return reference.discriminator_loss(*images, margin, ctx.options.distance, ctx.options.shaping)[0]


class GeneratorLossFunction(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        fake_reconstruction: Tensor,
        fake: Tensor,
        options: Options,
    ) -> Tensor:
        loss, energy, *gradients = operator(options.backend, "generator_loss")(
            *same_layout(fake_reconstruction, fake), *_integers(options), *options.needed
        )
        ctx.save_for_backward(fake_reconstruction, fake, energy)
        ctx.options = options
        ctx.stored = stored_gradients(gradients, options.needed)
        return loss

    @staticmethod
    def backward(ctx: Any, grad_loss: Tensor) -> tuple[Tensor | None, ...]:
        gradients = _image_gradients(
            ctx,
            grad_loss,
            partial(reference.generator_loss, distance=ctx.options.distance, shaping=ctx.options.shaping),
            lambda *saved: [(*saved, None)],
        )
        return *gradients, None
