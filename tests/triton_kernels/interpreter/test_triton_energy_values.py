"""Values and gradients against the reference in float64, at the edges of blocks and chunks, in all dtypes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ebgan_kernels.native.energy import DISTANCES, SHAPINGS
from ebgan_kernels.reference import energy as reference
from support.accuracy import assert_as_accurate_as_torch, assert_within_one_ulp
from support.losses import images

HALF, BRAIN, SINGLE, DOUBLE = torch.float16, torch.bfloat16, torch.float32, torch.float64
SMALLEST_BLOCK, WHOLE_SAMPLE = 256, 16384


def all_results(inputs: list[Tensor], margin: Tensor, distance: str, shaping: str) -> tuple[Tensor, ...]:
    """Loss, energies and the four gradients of the reference."""
    leaves = [x.detach().requires_grad_() for x in inputs]
    loss, *energies = reference.discriminator_loss(*leaves, margin, distance, shaping)
    return loss.detach(), *energies, *torch.autograd.grad(loss, leaves)


def results(operator, device, distance, shaping, elements, *, dtypes=(SINGLE, SINGLE), seeds=4):
    """For each result of a discriminator's loss: ours, PyTorch's and the exact one, a tensor a seed."""
    ours, torchs, exacts = [], [], []
    for seed in range(seeds):
        inputs = images(seed, sample=(elements,), real=2, fake=3, dtypes=dtypes, device=device)
        double = [x.double() for x in inputs]
        # Between the second and the third fake energy: near one, their difference would be all rounding.
        margin = reference.reconstruction_energy(*double[2:], distance)[1:].mean().to(SINGLE)
        options = (DISTANCES[distance], SHAPINGS[shaping])
        loss, results_of_loss = operator("energy_loss")(*inputs, margin, *options, 0b1111)
        ours.append((loss, *results_of_loss))
        torchs.append(all_results([x.float() for x in inputs], margin, distance, shaping))
        exacts.append(all_results(double, margin, distance, shaping))
    return zip(zip(*ours, strict=True), zip(*torchs, strict=True), zip(*exacts, strict=True), strict=True)


@pytest.mark.parametrize("elements", [1, SMALLEST_BLOCK - 1, SMALLEST_BLOCK, SMALLEST_BLOCK + 1])
@pytest.mark.parametrize("shaping", SHAPINGS)
@pytest.mark.parametrize("distance", DISTANCES)
def test_every_distance_and_shaping_is_as_accurate_as_torch(operator, device, distance, shaping, elements):
    for ours, torchs, exacts in results(operator, device, distance, shaping, elements, seeds=8):
        assert_as_accurate_as_torch(ours, torchs, exacts)


@pytest.mark.parametrize("elements", [WHOLE_SAMPLE, WHOLE_SAMPLE + 1])
@pytest.mark.parametrize(("distance", "shaping"), [("l2", "identity"), ("l1", "square")])
def test_large_samples_are_as_accurate_as_torch(operator, device, distance, shaping, elements):
    for ours, torchs, exacts in results(operator, device, distance, shaping, elements, seeds=3):
        assert_as_accurate_as_torch(ours, torchs, exacts)


@pytest.mark.parametrize("elements", [257, 512, 513, 1024, 1025, 2048])
def test_chunks_of_several_blocks_are_as_accurate_as_torch(operator, device, chunks_of_256, elements):
    for ours, torchs, exacts in results(operator, device, "l2", "identity", elements):
        assert_as_accurate_as_torch(ours, torchs, exacts)


@pytest.mark.parametrize("elements", [200, 300])
@pytest.mark.parametrize(
    "dtypes", [(BRAIN, SINGLE), (HALF, HALF), (BRAIN, BRAIN), (HALF, BRAIN), (SINGLE, HALF)]
)
def test_half_types_mix_and_each_gradient_has_its_inputs_dtype(
    operator, device, chunks_of_256, dtypes, elements
):
    of_each = results(operator, device, "l2", "identity", elements, dtypes=dtypes)
    expected = (SINGLE, SINGLE, SINGLE, *dtypes, *dtypes)
    for (ours, torchs, exacts), dtype in zip(of_each, expected, strict=True):
        assert {x.dtype for x in ours} == {dtype}
        if dtype == SINGLE:
            assert_as_accurate_as_torch(ours, torchs, exacts)
        else:
            for value, exact in zip(ours, exacts, strict=True):
                assert_within_one_ulp(value, exact)


@pytest.mark.parametrize("elements", [300, WHOLE_SAMPLE // 2 + 1])
@pytest.mark.parametrize("distance", DISTANCES)
def test_float64_is_computed_in_float64(operator, device, distance, elements):
    for ours, _, exacts in results(
        operator, device, distance, "square", elements, dtypes=(DOUBLE, DOUBLE), seeds=1
    ):
        for value, exact in zip(ours, exacts, strict=True):
            torch.testing.assert_close(value, exact, rtol=1e-11, atol=1e-18)


@pytest.mark.parametrize("shaping", SHAPINGS)
@pytest.mark.parametrize("elements", [10, 300])
def test_generator_loss_equals_the_real_term_of_the_discriminators(
    operator, device, chunks_of_256, elements, shaping
):
    inputs = images(sample=(elements,), device=device)
    options = (DISTANCES["l2"], SHAPINGS[shaping])
    margin = torch.zeros((), device=device)  # below every energy: the fake term is 0
    loss, (energy, _, *gradients) = operator("energy_loss")(*inputs, margin, *options, 0b1111)
    generator_loss, results = operator("energy_loss")(*inputs[:2], None, None, None, *options, 0b11)
    for mine, theirs in zip((generator_loss, *results), (loss, energy, *gradients[:2]), strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("elements", [200, 300])
@pytest.mark.parametrize("distance", DISTANCES)
def test_reconstruction_energy_and_its_backward_are_as_accurate_as_torch(
    operator, device, chunks_of_256, distance, elements
):
    ours, torchs, exacts = [], [], []
    for seed in range(8):
        reconstruction, target = images(seed, sample=(elements,), device=device)[:2]
        weights = torch.tensor([0.3, -2.0, 0.0], device=device)
        energy = operator("reconstruction_energy")(reconstruction, target, DISTANCES[distance])
        gradients = operator("reconstruction_energy_backward")(
            weights, reconstruction, target, energy, DISTANCES[distance], 0b11
        )
        ours.append((energy, *gradients))
        for dtype, results in ((SINGLE, torchs), (DOUBLE, exacts)):
            leaves = [x.to(dtype).requires_grad_() for x in (reconstruction, target)]
            energy = reference.reconstruction_energy(*leaves, distance)
            results.append((energy.detach(), *torch.autograd.grad(energy, leaves, weights.to(dtype))))
    for of_each in zip(*(zip(*seeds, strict=True) for seeds in (ours, torchs, exacts)), strict=True):
        assert_as_accurate_as_torch(*of_each)


@pytest.mark.parametrize("shaping", SHAPINGS)
@pytest.mark.parametrize("batch", [1, 257, 5000])
def test_hinge_margin_loss_takes_energies_of_any_stride_and_dtype(operator, device, batch, shaping):
    real = (20 * torch.rand(2 * batch, device=device))[::2]
    fake = (20 * torch.rand(batch + 3, device=device)).to(HALF)
    margin = torch.tensor(10.0, dtype=DOUBLE, device=device)
    loss, grad_real, grad_fake = operator("hinge_margin_loss")(real, fake, margin, SHAPINGS[shaping])
    leaves = [x.double().requires_grad_() for x in (real, fake)]
    exact = reference.hinge_margin_loss(*leaves, margin, shaping)
    torch.testing.assert_close(loss.double(), exact.detach(), rtol=1e-6, atol=0.0)
    for gradient, expected in zip((grad_real, grad_fake), torch.autograd.grad(exact, leaves), strict=True):
        assert gradient.dtype == SINGLE
        torch.testing.assert_close(gradient.double(), expected, rtol=1e-6, atol=0.0)
