"""The energy family's operators in Triton: ``ebgan_kernels::<name>_triton`` for every schema of the family.

A sample of up to 64 KiB in the accumulation dtype (16,384 numbers, 8,192 in float64) is read once and stays
in registers. A larger sample is cut into chunks and read a second time for its gradients, from the L2 cache
where it fits; that takes extra memory of one number for each chunk. The kernels read margin and incoming
gradients, so nothing waits for the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import triton
from torch import Tensor

from ebgan_kernels.native.energy import FAKES, SCHEMAS
from ebgan_kernels.native.library import of_all
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
    return Pair(
        reconstruction,
        target,
        energy,
        grad_reconstruction,
        grad_target,
        margin,
        target.shape[0],
        target.numel() // max(target.shape[0], 1),
        reconstruction.stride(0),
        target.stride(0),
    )


def _wants_gradient(pair: Pair) -> bool:
    return pair.grad_reconstruction is not None or pair.grad_target is not None


def _energies_and_gradients(pairs: Sequence[Pair], distance: int, shaping: int | None) -> None:
    """Fills the energies of one or two pairs and the gradients that are wanted."""
    first, second = pairs[0], pairs[1] if len(pairs) > 1 else None
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
    if not _wants_gradient(pair) or not pair.elements:
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


def _mean_loss(loss: Tensor, batches: Sequence[Energies], shaping: int) -> None:
    samples = max(batch.batch for batch in batches)
    block = block_of(samples, LOSS_BLOCK)
    iterations = triton.next_power_of_2(triton.cdiv(samples, block))
    kernels.mean_loss[(1,)](
        loss,
        batches[0],
        batches[1] if len(batches) > 1 else None,
        PAIRS=len(batches),
        SHAPING=shaping,
        ITERATIONS=iterations,
        BLOCK=block,
        num_warps=warps_of(block, loss.dtype),
    )


@operator("reconstruction_energy", SCHEMAS, FAKES)
def reconstruction_energy(energy: Tensor, reconstruction: Tensor, target: Tensor, distance: int) -> None:
    _energies_and_gradients([_pair(reconstruction, target, energy)], distance, None)


@operator("reconstruction_energy_backward", SCHEMAS, FAKES)
def reconstruction_energy_backward(
    gradients: Sequence[Tensor],
    grad_energy: Tensor,
    reconstruction: Tensor,
    target: Tensor,
    energy: Tensor,
    distance: int,
    needed: int,
) -> None:
    pair = _pair(reconstruction, target, energy, None, *of_all(gradients, needed, 2))
    _gradients(pair, grad_energy, grad_energy.stride(0), False, distance, None)


@operator("hinge_margin_loss", SCHEMAS, FAKES)
def hinge_margin_loss(
    outputs: tuple[Tensor, Tensor, Tensor],
    real_energy: Tensor,
    fake_energy: Tensor,
    margin: Tensor,
    shaping: int,
) -> None:
    loss, grad_real, grad_fake = outputs
    real = Energies(real_energy, grad_real, None, real_energy.shape[0], real_energy.stride(0))
    fake = Energies(fake_energy, grad_fake, margin, fake_energy.shape[0], fake_energy.stride(0))
    _mean_loss(loss, [real, fake], shaping)


def _pairs(
    images: Sequence[Tensor | None], margin: Tensor | None, results: Sequence[Tensor], needed: int
) -> list[Pair]:
    """The pairs of a loss, of which the second, where there is one, is under the hinge.

    Results are the energies of the pairs, then the gradients that are needed.
    """
    given = [image for image in images if image is not None]
    count = len(given) // 2
    gradients = of_all(results[count:], needed, len(given))
    return [
        _pair(given[2 * i], given[2 * i + 1], results[i], (None, margin)[i], *gradients[2 * i : 2 * i + 2])
        for i in range(count)
    ]


@operator("energy_loss", SCHEMAS, FAKES)
def energy_loss(outputs: tuple[Tensor, list[Tensor]], *arguments: Any) -> None:
    loss, results = outputs
    *images, margin, distance, shaping, needed = arguments
    pairs = _pairs(images, margin, results, needed)
    _energies_and_gradients(pairs, distance, shaping)
    _mean_loss(loss, [Energies(pair.energy, None, pair.margin, pair.batch, 1) for pair in pairs], shaping)


@operator("energy_loss_backward_", SCHEMAS, FAKES)
def energy_loss_backward_(gradients: Sequence[Tensor], grad_loss: Tensor, *arguments: Any) -> None:
    *images, margin, energies, distance, shaping, needed, filled = arguments
    for pair in _pairs(images, margin, [*energies, *gradients], needed):
        _gradients(pair, grad_loss, 0, filled, distance, shaping)
