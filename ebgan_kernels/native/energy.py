"""Schemas and fake kernels of the energy family: see ``ebgan_kernels.native.library`` for the mechanism.

Every implementation takes this layout: the two tensors of a pair have the same shape and, within a sample,
the same dense strides (``ebgan_kernels.checks.energy.same_layout`` ensures it), so a sample is a block of D
values in storage order. Samples may be any ``stride(0)`` apart. Gradients are packed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from ebgan_kernels.native.library import define, empty_gradients, empty_samples, writes_in_place
from ebgan_kernels.reference.dtypes import accumulation_dtype

# The fake kernels say shape[0], not len(): len() would pin the batch size of a compiled program.

DISTANCES = {"l2": 0, "squared_l2": 1, "mse": 2, "l1": 3}
SHAPINGS = {"identity": 0, "square": 1}

SCHEMAS = {
    # Returns the energy (N,) in the accumulation dtype.
    "reconstruction_energy": "(Tensor reconstruction, Tensor target, int distance) -> Tensor",
    # Returns the needed ones of the gradients of reconstruction and target.
    "reconstruction_energy_backward": (
        "(Tensor grad_energy, Tensor reconstruction, Tensor target, Tensor energy, int distance,"
        " int needed) -> Tensor[]"
    ),
    # Returns the loss and the two gradients for an incoming gradient of 1, all in the accumulation dtype.
    "hinge_margin_loss": (
        "(Tensor real_energy, Tensor fake_energy, Tensor margin, int shaping) -> (Tensor, Tensor, Tensor)"
    ),
    # With fakes and a margin it is the loss of a discriminator, else that of a generator. Returns the 0-d
    # loss; the energies of each pair, in its dtype, and behind them the needed ones of the images' gradients
    # for an incoming gradient of 1.
    "energy_loss": (
        "(Tensor reconstruction, Tensor target, Tensor? fake_reconstruction, Tensor? fake, Tensor? margin,"
        " int distance, int shaping, int needed) -> (Tensor, Tensor[])"
    ),
    # Writes the gradients of grad_loss * loss from the energies of each pair. `filled` says that they already
    # hold those for grad_loss = 1, so that nothing is done where grad_loss is 1.
    "energy_loss_backward_": (
        "(Tensor(a!)[] gradients, Tensor grad_loss, Tensor reconstruction, Tensor target,"
        " Tensor? fake_reconstruction, Tensor? fake, Tensor? margin, Tensor[] energies, int distance,"
        " int shaping, int needed, bool filled) -> ()"
    ),
}


def _empty_energy(target: Tensor) -> Tensor:
    return target.new_empty(target.shape[0], dtype=accumulation_dtype(target))


def _fake_energy(reconstruction: Tensor, target: Tensor, distance: int) -> Tensor:
    return _empty_energy(target)


def _fake_energy_backward(
    grad_energy: Tensor, reconstruction: Tensor, target: Tensor, *more: Any
) -> list[Tensor]:
    return empty_gradients((reconstruction, target), more[-1], empty_samples)


def _fake_hinge(
    real_energy: Tensor, fake_energy: Tensor, margin: Tensor, shaping: int
) -> tuple[Tensor, Tensor, Tensor]:
    loss = real_energy.new_empty((), dtype=accumulation_dtype(real_energy))
    return loss, _empty_energy(real_energy), _empty_energy(fake_energy)


def _fake_loss(*arguments: Any) -> tuple[Tensor, list[Tensor]]:
    images, needed = [image for image in arguments[:4] if image is not None], arguments[-1]
    loss = images[0].new_empty((), dtype=accumulation_dtype(images[0]))
    return loss, [*map(_empty_energy, images[1::2]), *empty_gradients(images, needed, empty_samples)]


FAKES: dict[str, Callable[..., Any]] = {
    "reconstruction_energy": _fake_energy,
    "reconstruction_energy_backward": _fake_energy_backward,
    "hinge_margin_loss": _fake_hinge,
    "energy_loss": _fake_loss,
    "energy_loss_backward_": writes_in_place,
}
define(SCHEMAS, FAKES)
