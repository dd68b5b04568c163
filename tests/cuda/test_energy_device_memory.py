"""What the CUDA kernels of the energy family touch in memory: outputs, a small workspace, nothing else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek

OPERATORS = torch.ops.ebgan_kernels
GENERATOR = (None, None, None)  # its loss has no fakes and no margin
GUARD = 64  # values on either side; not a multiple of every vector with `offset` added


def _guarded(values: Tensor, offset: int) -> tuple[Tensor, Tensor]:
    """A copy of `values` within a larger tensor of NaN, and that tensor."""
    storage = torch.full((GUARD + offset + values.numel() + GUARD,), float("nan"), device=values.device).to(
        values.dtype
    )
    inside = storage[GUARD + offset : GUARD + offset + values.numel()].view(values.shape)
    inside.copy_(values)
    return inside, storage


def _assert_guard_intact(storage: Tensor, offset: int) -> None:
    assert storage[: GUARD + offset].isnan().all()
    assert storage[-GUARD:].isnan().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
@pytest.mark.parametrize("offset", [0, 1, 5])
@pytest.mark.parametrize("elements", [1, 13, 785, 8195, 3 * 128 * 128 + 1])
def test_nothing_outside_a_buffer_is_read_or_written(
    cuda: torch.device, elements: int, offset: int, dtype: torch.dtype
) -> None:
    pair = [_guarded(torch.rand(3, elements, device=cuda).to(dtype), offset)[0] for _ in range(2)]
    buffers = [_guarded(torch.zeros(3, elements, device=cuda, dtype=dtype), offset) for _ in range(2)]
    both = 0b11
    loss, (energy, *gradients) = OPERATORS.energy_loss(*pair, *GENERATOR, 3, 0, both)
    (grad_reconstruction, first), (grad_target, second) = buffers
    one = torch.ones((), device=cuda)
    OPERATORS.energy_loss_backward_(
        [grad_reconstruction, grad_target], one, *pair, *GENERATOR, [energy], 3, 0, both, False
    )
    OPERATORS.scale_gradients_([grad_target], -one)

    assert loss.isfinite()
    assert torch.equal(grad_reconstruction, gradients[0])
    assert torch.equal(grad_target, gradients[0])
    for storage in (first, second):
        _assert_guard_intact(storage, offset)


def test_an_incoming_gradient_of_one_leaves_filled_buffers_alone(cuda: torch.device) -> None:
    pair = [torch.rand(4, 1000, device=cuda) for _ in range(2)]
    buffers = [torch.full_like(image, 7) for image in pair]
    energy = OPERATORS.reconstruction_energy(*pair, 0)
    one = torch.ones((), device=cuda)
    OPERATORS.energy_loss_backward_(buffers, one, *pair, *GENERATOR, [energy], 0, 0, 0b11, True)
    OPERATORS.scale_gradients_(buffers, one)
    assert all((buffer == 7).all() for buffer in buffers)


@pytest.mark.needs_gpu
@pytest.mark.parametrize("elements", [3 * 64 * 64, 500_000])
def test_peak_memory_is_the_outputs_and_a_sum_for_every_part(cuda: torch.device, elements: int) -> None:
    samples = 8
    batch = [torch.rand(samples, elements, device=cuda) for _ in range(4)]
    arguments = (*batch, torch.ones((), device=cuda), 0, 0, 0b0101)
    OPERATORS.energy_loss(*arguments)
    torch.cuda.reset_peak_memory_stats(cuda)
    before = torch.cuda.memory_stats(cuda)["requested_bytes.all.current"]
    loss, outputs = OPERATORS.energy_loss(*arguments)
    peak = torch.cuda.memory_stats(cuda)["requested_bytes.all.peak"] - before

    results = sum(result.numel() * result.element_size() for result in (loss, *outputs))
    assert len(outputs) == 2 + 2  # energies and gradients
    workspace = 2 * samples * (elements // 8192 + 1) * 4
    assert results <= peak <= results + workspace


def _skip_without_memory(needed: int) -> None:
    free, _ = torch.cuda.mem_get_info()
    if free < needed:
        pytest.skip(f"needs {needed >> 30} GiB of free GPU memory, there are {free >> 30}")


@pytest.mark.needs_gpu
@pytest.mark.slow
@pytest.mark.parametrize(("samples", "elements"), [(1, 2**31 + 9), (174_763, 3 * 64 * 64 + 1), (3, 2**30)])
def test_more_elements_than_32_bits_count_are_right(cuda: torch.device, samples: int, elements: int) -> None:
    _skip_without_memory(5 * 2 * samples * elements)
    reconstruction = torch.zeros(samples, elements, dtype=torch.bfloat16, device=cuda)
    target = torch.zeros_like(reconstruction)
    reconstruction[:, -5:] = 2.0
    target[:, :3] = 1.0

    energy = ek.reconstruction_energy(reconstruction, target, distance="l1")
    assert (energy == 13.0).all()
    loss, (_, gradient, grad_target) = OPERATORS.energy_loss(reconstruction, target, *GENERATOR, 3, 0, 0b11)
    assert loss.item() == 13.0
    weight = torch.tensor(1 / samples, dtype=torch.bfloat16, device=cuda)
    assert (gradient[:, :3] == -weight).all()
    assert (gradient[:, -5:] == weight).all()
    assert torch.count_nonzero(gradient).item() == 8 * samples
    assert torch.equal(grad_target, gradient.neg_())
