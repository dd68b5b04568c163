"""torch.compile, torch.export and autocast: no graph break, no needless recompilation, the same numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch._dynamo.testing import CompileCounterWithBackend

import ebgan_kernels as ek
from support.implementations import device_of
from support.losses import CASES, FUNCTIONS, Case, images, value_and_gradients

CALL = "torch.ops.ebgan_kernels.energy_loss"


@pytest.fixture(autouse=True)
def _nothing_compiled_before() -> None:
    torch._dynamo.reset()


def compiled(
    case: Case, backend: str = "aot_eager"
) -> tuple[Callable[..., Tensor], CompileCounterWithBackend]:
    counter = CompileCounterWithBackend(backend)
    return torch.compile(
        lambda inputs, margin: case(inputs, margin), fullgraph=True, backend=counter
    ), counter


@pytest.mark.parametrize("case", CASES, ids=str)
def test_compiled_forward_and_backward_equal_eager(case: Case, implementation: ek.Backend) -> None:
    batch = images(device=device_of(implementation))
    inputs, margin = case.inputs(batch), case.margin(batch)
    function, _ = compiled(case)
    result = function(inputs, margin)
    gradients = torch.autograd.grad(result.sum(), inputs)
    expected, expected_gradients = value_and_gradients(case, inputs, margin)
    torch.testing.assert_close(result, expected)
    torch.testing.assert_close(gradients, tuple(expected_gradients))


def test_a_whole_training_step_compiled_by_inductor_equals_eager(implementation: ek.Backend) -> None:
    device = device_of(implementation)
    _, real, _, fake = images(sample=(48,), device=device)
    autoencoder = torch.nn.Sequential(torch.nn.Linear(48, 8), torch.nn.ReLU(), torch.nn.Linear(8, 48)).to(
        device
    )
    loss = ek.EBGANDiscriminatorLoss(margin=5.0).to(device)

    def step() -> tuple[Tensor, tuple[Tensor, ...]]:
        value = loss(autoencoder(real), real, autoencoder(fake), fake).loss
        return value, torch.autograd.grad(3 * value, tuple(autoencoder.parameters()))

    expected = step()
    forward = torch.compile(
        lambda: loss(autoencoder(real), real, autoencoder(fake), fake).loss, fullgraph=True
    )
    value = forward()
    gradients = torch.autograd.grad(3 * value, tuple(autoencoder.parameters()))
    torch.testing.assert_close((value, gradients), expected)


def test_a_new_margin_does_not_recompile(implementation: ek.Backend) -> None:
    case, batch = Case("discriminator_loss"), images(device=device_of(implementation))
    function, counter = compiled(case)
    inputs, margin = case.inputs(batch), torch.tensor(1.0, device=device_of(implementation))
    values = {function(inputs, margin.fill_(value)).item() for value in (4.0, 6.0, 8.0)}
    assert len(values) == 3 and counter.frame_count == 1


def test_switching_the_implementation_recompiles(kernels: ek.Backend) -> None:
    case, batch = Case("discriminator_loss"), images(device=device_of(kernels))
    function, counter = compiled(case)
    inputs, margin = case.inputs(batch), case.margin(batch)
    ours = function(inputs, margin)
    assert counter.frame_count == 1 and CALL in counter.graphs[0].print_readable(False)
    with ek.backend("reference"):
        function(inputs, margin)
    assert counter.frame_count == 2 and CALL not in counter.graphs[1].print_readable(False)
    assert torch.equal(function(inputs, margin), ours) and counter.frame_count == 2


@pytest.mark.parametrize("case", FUNCTIONS, ids=str)
def test_an_exported_forward_equals_eager(case: Case, implementation: ek.Backend) -> None:
    class Program(torch.nn.Module):
        def forward(self, inputs: list[Tensor], margin: Tensor) -> Tensor:
            return case(inputs, margin)

    batch = images(device=device_of(implementation))
    inputs, margin = [x.detach() for x in case.inputs(batch)], case.margin(batch)
    with torch.no_grad():
        program = torch.export.export(Program(), (inputs, margin)).module()
        torch.testing.assert_close(program(inputs, margin), case(inputs, margin))


def test_under_autocast_a_half_reconstruction_of_a_float32_image_gives_a_float32_loss(
    implementation: ek.Backend,
) -> None:
    device = device_of(implementation)
    _, real, _, fake = images(sample=(48,), device=device)
    autoencoder = torch.nn.Linear(48, 48).to(device)
    with torch.autocast(device.type, torch.bfloat16):
        reconstruction, fake_reconstruction = autoencoder(real), autoencoder(fake)
        loss, real_energy, fake_energy = ek.discriminator_loss(
            reconstruction, real, fake_reconstruction, fake, margin=9.0
        )
    assert reconstruction.dtype == torch.bfloat16 and real.dtype == torch.float32
    assert {loss.dtype, real_energy.dtype, fake_energy.dtype} == {torch.float32}
    residuals = [
        (r.detach().float() - x).norm(dim=1) for r, x in ((reconstruction, real), (fake_reconstruction, fake))
    ]
    torch.testing.assert_close([real_energy, fake_energy], residuals)
    loss.backward()
    assert autoencoder.weight.grad.isfinite().all() and autoencoder.weight.grad.any()
