"""The energy family: `python -m benchmarks.bench_energy [--quick] [--device cpu|cuda] [--output DIR]`.

The usual step of an EBGAN: the reconstructions of the discriminator's loss are leaves that want a
gradient, the images are not; the generator's loss has gradients to both. The margin is 1.1 times the mean
energy of the fakes, so most hinges are active.

The least traffic, in units of the N elements of one image tensor:

                          forward   forward + backward
    discriminator_loss    4 read    4 read, 2 written       one pass: loss and gradients together
    generator_loss        2 read    2 read, 2 written
    reconstruction_energy 2 read    4 read, 1 written       per-sample: backward reads the images again
    hinge_margin_loss     2 read    2 read, 2 written       (N energies each)
"""

from __future__ import annotations

import torch
from torch import Tensor

import ebgan_kernels
from benchmarks.command import Session, open_session
from benchmarks.compiled_step import measure_compiled_steps
from benchmarks.operators import (
    Case,
    Mode,
    Operator,
    byte_count,
    one_pass_bytes,
    read_or_copied,
    record_cases,
)
from ebgan_kernels.reference import energy as reference

# The README and the pictures show these operators.
HEADLINE: tuple[str, ...] = ("discriminator_loss",)

LARGE, MEDIUM, SMALL = (64, 3, 128, 128), (64, 3, 64, 64), (64, 1, 28, 28)


def _images(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """A reconstruction, and images in [-1, 1] that it is off from by a tenth or so."""
    images = torch.rand(shape) * 2 - 1
    return (images + 0.1 * torch.randn(shape)).to(dtype), images.to(dtype)


def _discriminator_arguments(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, ...]:
    real_reconstruction, real = _images(shape, dtype)
    fake_reconstruction, fake = _images(shape, dtype)
    margin = 1.1 * reference.reconstruction_energy(fake_reconstruction, fake, "l2").mean()
    return real_reconstruction.requires_grad_(), real, fake_reconstruction.requires_grad_(), fake, margin


def _generator_arguments(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, ...]:
    fake_reconstruction, fake = _images(shape, dtype)
    return fake_reconstruction.requires_grad_(), fake.requires_grad_()


def _energy_arguments(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, ...]:
    reconstruction, target = _images(shape, dtype)
    return reconstruction.requires_grad_(), target


def _hinge_arguments(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, ...]:
    real_energy, fake_energy = torch.rand(shape, dtype=dtype), 10 * torch.rand(shape, dtype=dtype)
    return real_energy.requires_grad_(), fake_energy.requires_grad_(), 1.1 * fake_energy.detach().mean()


def _stream_discriminator(arguments: tuple[Tensor, ...], mode: Mode) -> object:
    real_reconstruction, real, fake_reconstruction, fake, _ = arguments
    if mode == "forward":
        return [tensor.sum() for tensor in arguments[:4]]
    return torch.sub(real_reconstruction, real), torch.sub(fake_reconstruction, fake)


def _stream_energy(arguments: tuple[Tensor, ...], mode: Mode) -> object:
    sums = [tensor.sum() for tensor in arguments]
    return sums if mode == "forward" else (sums, torch.sub(*arguments))


def _two_pass_bytes(arguments: tuple[Tensor, ...], mode: Mode) -> int:
    again = 0 if mode == "forward" else byte_count(arguments)
    return again + one_pass_bytes(arguments, mode)


DISCRIMINATOR = Operator(
    "discriminator_loss",
    _discriminator_arguments,
    lambda real_reconstruction, real, fake_reconstruction, fake, margin: reference.discriminator_loss(
        real_reconstruction, real, fake_reconstruction, fake, margin, "l2", "identity"
    )[0],
    lambda real_reconstruction, real, fake_reconstruction, fake, margin: (
        ebgan_kernels.discriminator_loss(
            real_reconstruction, real, fake_reconstruction, fake, margin=margin
        ).loss
    ),
    _stream_discriminator,
    one_pass_bytes,
)
GENERATOR = Operator(
    "generator_loss",
    _generator_arguments,
    lambda fake_reconstruction, fake: reference.generator_loss(fake_reconstruction, fake, "l2", "identity"),
    ebgan_kernels.generator_loss,
    read_or_copied,
    one_pass_bytes,
)
ENERGY = Operator(
    "reconstruction_energy",
    _energy_arguments,
    lambda reconstruction, target: reference.reconstruction_energy(reconstruction, target, "l2"),
    ebgan_kernels.reconstruction_energy,
    _stream_energy,
    _two_pass_bytes,
    modes=("forward", "forward+backward"),
)
HINGE = Operator(
    "hinge_margin_loss",
    _hinge_arguments,
    lambda real_energy, fake_energy, margin: reference.hinge_margin_loss(
        real_energy, fake_energy, margin, "identity"
    ),
    ebgan_kernels.hinge_margin_loss,
    lambda arguments, mode: read_or_copied(arguments[:2], mode),
    one_pass_bytes,
)

# The most wanted first: a budget ends the run where it is spent.
CASES = (
    *(Case(DISCRIMINATOR, shape) for shape in (LARGE, MEDIUM, SMALL)),
    *(Case(GENERATOR, shape) for shape in (LARGE, MEDIUM, SMALL)),
    *(Case(DISCRIMINATOR, shape, torch.bfloat16) for shape in (LARGE, MEDIUM, SMALL)),
    Case(DISCRIMINATOR, MEDIUM, layout="channels_last"),
    *(Case(ENERGY, shape) for shape in (LARGE, MEDIUM, SMALL)),
    Case(GENERATOR, MEDIUM, torch.bfloat16),
    Case(HINGE, (64,)),
)
QUICK_CASES = (Case(DISCRIMINATOR, SMALL), Case(ENERGY, SMALL))


def run(session: Session) -> None:
    session.record(measure_compiled_steps(session.device, quick=session.quick))
    record_cases(session, CASES, QUICK_CASES)


if __name__ == "__main__":
    run(open_session("energy", __doc__))
