"""Schemas and fake kernels of the energy family: see ``ebgan_kernels.native.library`` for the mechanism.

Every implementation takes this layout: the two tensors of a pair have the same shape and, within a sample,
the same dense strides (``ebgan_kernels.checks.energy.same_layout`` ensures it), so a sample is a block of D
values in storage order. Samples may be any ``stride(0)`` apart. Gradients are packed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from ebgan_kernels.native.library import accumulation_dtype, define, empty_gradient

# The fake kernels say shape[0], not len(): len() would pin the batch size of a compiled program.

DISTANCES = {"l2": 0, "squared_l2": 1, "mse": 2, "l1": 3}
SHAPINGS = {"identity": 0, "square": 1}

SCHEMAS = {
    # Returns the energy (N,) in the accumulation dtype.
    "reconstruction_energy": "(Tensor reconstruction, Tensor target, int distance) -> Tensor",
    "reconstruction_energy_backward": (
        "(Tensor grad_energy, Tensor reconstruction, Tensor target, Tensor energy, int distance,"
        " bool need_reconstruction, bool need_target) -> (Tensor, Tensor)"
    ),
    # Returns the loss and the two gradients for an incoming gradient of 1, all in the accumulation dtype.
    "hinge_margin_loss": (
        "(Tensor real_energy, Tensor fake_energy, Tensor margin, int shaping) -> (Tensor, Tensor, Tensor)"
    ),
    # Returns the loss, both energies, and the gradients of the four images for an incoming gradient of 1.
    "discriminator_loss": (
        "(Tensor real_reconstruction, Tensor real, Tensor fake_reconstruction, Tensor fake, Tensor margin,"
        " int distance, int shaping, bool need_real_reconstruction, bool need_real,"
        " bool need_fake_reconstruction, bool need_fake)"
        " -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)"
    ),
    # Returns the loss, the energy, and the gradients of the two images for an incoming gradient of 1.
    "generator_loss": (
        "(Tensor fake_reconstruction, Tensor fake, int distance, int shaping, bool need_fake_reconstruction,"
        " bool need_fake) -> (Tensor, Tensor, Tensor, Tensor)"
    ),
    # Writes the gradients of grad_loss * mean f(E), or with a margin of grad_loss * mean f([margin - E]^+),
    # from the saved energies. `filled` says that the buffers already hold the gradients for grad_loss = 1, so
    # that nothing is done where grad_loss is 1.
    "energy_loss_backward_": (
        "(Tensor(a!) grad_reconstruction, Tensor(b!) grad_target, Tensor grad_loss, Tensor reconstruction,"
        " Tensor target, Tensor energy, Tensor? margin, int distance, int shaping, bool filled) -> ()"
    ),
}


def _fake_energy(reconstruction: Tensor, target: Tensor, distance: int) -> Tensor:
    return reconstruction.new_empty(reconstruction.shape[0], dtype=accumulation_dtype(reconstruction))


def _fake_energy_backward(
    grad_energy: Tensor,
    reconstruction: Tensor,
    target: Tensor,
    energy: Tensor,
    distance: int,
    need_reconstruction: bool,
    need_target: bool,
) -> tuple[Tensor, Tensor]:
    return empty_gradient(reconstruction, need_reconstruction), empty_gradient(target, need_target)


def _fake_hinge(
    real_energy: Tensor, fake_energy: Tensor, margin: Tensor, shaping: int
) -> tuple[Tensor, Tensor, Tensor]:
    dtype = accumulation_dtype(real_energy)
    return (
        real_energy.new_empty((), dtype=dtype),
        real_energy.new_empty(real_energy.shape[0], dtype=dtype),
        fake_energy.new_empty(fake_energy.shape[0], dtype=dtype),
    )


def _fake_discriminator(
    real_reconstruction: Tensor,
    real: Tensor,
    fake_reconstruction: Tensor,
    fake: Tensor,
    margin: Tensor,
    distance: int,
    shaping: int,
    need_real_reconstruction: bool,
    need_real: bool,
    need_fake_reconstruction: bool,
    need_fake: bool,
) -> tuple[Tensor, ...]:
    return (
        real.new_empty((), dtype=accumulation_dtype(real)),
        _fake_energy(real_reconstruction, real, distance),
        _fake_energy(fake_reconstruction, fake, distance),
        empty_gradient(real_reconstruction, need_real_reconstruction),
        empty_gradient(real, need_real),
        empty_gradient(fake_reconstruction, need_fake_reconstruction),
        empty_gradient(fake, need_fake),
    )


def _fake_generator(
    fake_reconstruction: Tensor,
    fake: Tensor,
    distance: int,
    shaping: int,
    need_fake_reconstruction: bool,
    need_fake: bool,
) -> tuple[Tensor, ...]:
    return (
        fake.new_empty((), dtype=accumulation_dtype(fake)),
        _fake_energy(fake_reconstruction, fake, distance),
        empty_gradient(fake_reconstruction, need_fake_reconstruction),
        empty_gradient(fake, need_fake),
    )


def _fake_loss_backward(*_: Any) -> None:
    """Writes in place."""


FAKES: dict[str, Callable[..., Any]] = {
    "reconstruction_energy": _fake_energy,
    "reconstruction_energy_backward": _fake_energy_backward,
    "hinge_margin_loss": _fake_hinge,
    "discriminator_loss": _fake_discriminator,
    "generator_loss": _fake_generator,
    "energy_loss_backward_": _fake_loss_backward,
}
define(SCHEMAS, FAKES)
