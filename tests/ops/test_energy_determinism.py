"""The same input gives the same bits, for any number of threads, and the host never waits for the device."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from support.implementations import device_of
from support.losses import Case, images, value_and_gradients

SAMPLES = [(784,), (3, 127, 129)]


@pytest.fixture
def _threads_restored() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def bits(sample: tuple[int, ...], device: torch.device) -> list[Tensor]:
    case, batch = Case("discriminator_loss"), images(sample=sample, real=5, fake=6, device=device)
    value, gradients = value_and_gradients(case, case.inputs(batch), 9.0)
    with torch.no_grad():
        return [value, *gradients, ek.reconstruction_energy(*batch[:2])]


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_same_bits_at_every_run(sample: tuple[int, ...], kernels: ek.Backend) -> None:
    first = bits(sample, device_of(kernels))
    for _ in range(5):
        assert all(map(torch.equal, bits(sample, device_of(kernels)), first))


@pytest.mark.few_in_interpreter(sample=[])  # it has one thread
@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.usefixtures("_threads_restored")
def test_the_same_bits_for_any_number_of_threads(sample: tuple[int, ...], kernels: ek.Backend) -> None:
    torch.set_num_threads(1)
    alone = bits(sample, device_of(kernels))
    for threads in (2, 3, 8):
        torch.set_num_threads(threads)
        assert all(map(torch.equal, bits(sample, device_of(kernels)), alone))


def test_a_step_never_waits_for_the_device(kernels: ek.Backend) -> None:
    if device_of(kernels).type != "cuda":
        pytest.skip("only a CUDA device runs behind the host")
    batch = [image.requires_grad_() for image in images(device="cuda")]
    loss = ek.EBGANDiscriminatorLoss(margin=5.0).cuda()
    loss(*batch).loss.backward()  # the first call may load kernels
    try:
        torch.cuda.set_sync_debug_mode("error")
        loss.margin.fill_(7.0)
        (3 * loss(*batch).loss).backward()
        ek.generator_loss(*batch[2:]).backward()
        ek.discriminator_loss(*batch, margin=4.0)
    finally:
        torch.cuda.set_sync_debug_mode("default")
