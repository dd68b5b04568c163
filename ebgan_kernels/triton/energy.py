"""The energy family's operators in Triton: ``ebgan_kernels::<name>_triton`` for every schema of the family.

A sample of up to 64 KiB in the accumulation dtype (16,384 numbers, 8,192 in float64) is read once and stays
in registers. A larger sample is cut into chunks and read a second time for its gradients, from the L2 cache
where it fits; that takes extra memory of one number for each chunk. The kernels read margin and incoming
gradients, so nothing waits for the device.
"""

from __future__ import annotations

import triton
from torch import Tensor

from ebgan_kernels.native.energy import FAKES, SCHEMAS
from ebgan_kernels.native.library import accumulation_dtype, empty_gradient
from ebgan_kernels.triton import energy_kernels as kernels
from ebgan_kernels.triton.energy_kernels import Energies, Pair
from ebgan_kernels.triton.launch import block_of, operator, warps_of

# The largest sample that stays in registers: 32 float32 numbers for each thread of 16 warps; twice that would
# spill.
WHOLE_SAMPLE_BYTES = 64 * 1024
CHUNK_BLOCK = 4096
# Each program of finish_samples reads all partial sums of its sample, so beyond this many chunks grow
# instead. Neither this bound nor the two blocks were measured against others.
MOST_CHUNKS = 1024
LOSS_BLOCK = 4096


def _cut(elements: int) -> tuple[int, int]:
    """The number of chunks of a sample, and of blocks of CHUNK_BLOCK elements in a chunk."""
    iterations = triton.next_power_of_2(triton.cdiv(elements, CHUNK_BLOCK * MOST_CHUNKS))
    return triton.cdiv(elements, CHUNK_BLOCK * iterations), iterations


def _pair(
    reconstruction: Tensor,
    target: Tensor,
    energy: Tensor,
    margin: Tensor | None = None,
    grad_reconstruction: Tensor | None = None,
    grad_target: Tensor | None = None,
) -> Pair:
    """The pair of a batch. Gradients that are not wanted come as None or as tensors of no elements."""
    return Pair(
        reconstruction,
        target,
        energy,
        None if grad_reconstruction is None or not grad_reconstruction.numel() else grad_reconstruction,
        None if grad_target is None or not grad_target.numel() else grad_target,
        margin,
        target.shape[0],
        target.numel() // max(target.shape[0], 1),
        reconstruction.stride(0),
        target.stride(0),
    )


def _wants_gradient(pair: Pair) -> bool:
    return pair.grad_reconstruction is not None or pair.grad_target is not None


def _energies_and_gradients(first: Pair, second: Pair | None, distance: int, shaping: int | None) -> None:
    """Fills the energies of both pairs and the gradients that are wanted."""
    pairs = [first] if second is None else [first, second]
    samples = sum(pair.batch for pair in pairs)
    elements = max(pair.elements for pair in pairs)
    item_size = first.energy.element_size()
    if elements * item_size <= WHOLE_SAMPLE_BYTES:
        block = block_of(elements, WHOLE_SAMPLE_BYTES // item_size)
        kernels.whole_samples[(samples,)](
            first,
            second,
            PAIRS=len(pairs),
            DISTANCE=distance,
            SHAPING=shaping,
            BLOCK=block,
            num_warps=warps_of(block, first.energy.dtype),
        )
        return
    chunks, iterations = _cut(elements)
    blocks = {
        "ITERATIONS": iterations,
        "BLOCK": CHUNK_BLOCK,
        "num_warps": warps_of(CHUNK_BLOCK, first.energy.dtype),
    }
    partials = first.energy.new_empty(samples, chunks)
    kernels.partial_sums[(samples * chunks,)](
        first, second, partials, chunks, PAIRS=len(pairs), DISTANCE=distance, **blocks
    )
    programs = chunks if any(map(_wants_gradient, pairs)) else 1
    kernels.finish_samples[(samples * programs,)](
        first,
        second,
        partials,
        chunks,
        programs,
        PAIRS=len(pairs),
        DISTANCE=distance,
        SHAPING=shaping,
        CHUNKS=triton.next_power_of_2(chunks),
        **blocks,
    )


def _gradients(
    pair: Pair, upstream: Tensor, upstream_stride: int, filled: bool, distance: int, shaping: int | None
) -> None:
    if not _wants_gradient(pair):
        return
    chunks, iterations = _cut(pair.elements)
    kernels.gradients[(pair.batch * chunks,)](
        pair,
        upstream,
        upstream_stride,
        chunks,
        FILLED=filled,
        DISTANCE=distance,
        SHAPING=shaping,
        ITERATIONS=iterations,
        BLOCK=CHUNK_BLOCK,
        num_warps=warps_of(CHUNK_BLOCK, pair.energy.dtype),
    )


def _mean_loss(loss: Tensor, first: Energies, second: Energies | None, shaping: int) -> None:
    batches = [first] if second is None else [first, second]
    samples = max(batch.batch for batch in batches)
    block = block_of(samples, LOSS_BLOCK)
    iterations = triton.next_power_of_2(triton.cdiv(samples, block))
    kernels.mean_loss[(1,)](
        loss,
        first,
        second,
        PAIRS=len(batches),
        SHAPING=shaping,
        ITERATIONS=iterations,
        BLOCK=block,
        num_warps=warps_of(block, loss.dtype),
    )


def _new_energy(target: Tensor) -> Tensor:
    return target.new_empty(target.shape[0], dtype=accumulation_dtype(target))


@operator("reconstruction_energy", SCHEMAS, FAKES)
def reconstruction_energy(reconstruction: Tensor, target: Tensor, distance: int) -> Tensor:
    energy = _new_energy(target)
    _energies_and_gradients(_pair(reconstruction, target, energy), None, distance, None)
    return energy


@operator("reconstruction_energy_backward", SCHEMAS, FAKES)
def reconstruction_energy_backward(
    grad_energy: Tensor,
    reconstruction: Tensor,
    target: Tensor,
    energy: Tensor,
    distance: int,
    need_reconstruction: bool,
    need_target: bool,
) -> tuple[Tensor, Tensor]:
    grads = empty_gradient(reconstruction, need_reconstruction), empty_gradient(target, need_target)
    pair = _pair(reconstruction, target, energy, None, *grads)
    _gradients(pair, grad_energy, grad_energy.stride(0), False, distance, None)
    return grads


@operator("hinge_margin_loss", SCHEMAS, FAKES)
def hinge_margin_loss(
    real_energy: Tensor, fake_energy: Tensor, margin: Tensor, shaping: int
) -> tuple[Tensor, Tensor, Tensor]:
    dtype = accumulation_dtype(real_energy)
    loss = real_energy.new_empty((), dtype=dtype)
    grad_real = real_energy.new_empty(real_energy.shape, dtype=dtype)
    grad_fake = fake_energy.new_empty(fake_energy.shape, dtype=dtype)
    real = Energies(real_energy, grad_real, None, real_energy.shape[0], real_energy.stride(0))
    fake = Energies(fake_energy, grad_fake, margin, fake_energy.shape[0], fake_energy.stride(0))
    _mean_loss(loss, real, fake, shaping)
    return loss, grad_real, grad_fake


@operator("discriminator_loss", SCHEMAS, FAKES)
def discriminator_loss(
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
    real_energy, fake_energy = _new_energy(real), _new_energy(fake)
    real_grads = (
        empty_gradient(real_reconstruction, need_real_reconstruction),
        empty_gradient(real, need_real),
    )
    fake_grads = (
        empty_gradient(fake_reconstruction, need_fake_reconstruction),
        empty_gradient(fake, need_fake),
    )
    real_pair = _pair(real_reconstruction, real, real_energy, None, *real_grads)
    fake_pair = _pair(fake_reconstruction, fake, fake_energy, margin, *fake_grads)
    _energies_and_gradients(real_pair, fake_pair, distance, shaping)
    loss = real_energy.new_empty(())
    _mean_loss(
        loss,
        Energies(real_energy, None, None, real_energy.shape[0], 1),
        Energies(fake_energy, None, margin, fake_energy.shape[0], 1),
        shaping,
    )
    return loss, real_energy, fake_energy, *real_grads, *fake_grads


@operator("generator_loss", SCHEMAS, FAKES)
def generator_loss(
    fake_reconstruction: Tensor,
    fake: Tensor,
    distance: int,
    shaping: int,
    need_fake_reconstruction: bool,
    need_fake: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    energy = _new_energy(fake)
    grads = empty_gradient(fake_reconstruction, need_fake_reconstruction), empty_gradient(fake, need_fake)
    _energies_and_gradients(_pair(fake_reconstruction, fake, energy, None, *grads), None, distance, shaping)
    loss = energy.new_empty(())
    _mean_loss(loss, Energies(energy, None, None, energy.shape[0], 1), None, shaping)
    return loss, energy, *grads


@operator("energy_loss_backward_", SCHEMAS, FAKES)
def energy_loss_backward_(
    grad_reconstruction: Tensor,
    grad_target: Tensor,
    grad_loss: Tensor,
    reconstruction: Tensor,
    target: Tensor,
    energy: Tensor,
    margin: Tensor | None,
    distance: int,
    shaping: int,
    filled: bool,
) -> None:
    pair = _pair(reconstruction, target, energy, margin, grad_reconstruction, grad_target)
    _gradients(pair, grad_loss, 0, filled, distance, shaping)
