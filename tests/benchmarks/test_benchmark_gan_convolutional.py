"""The benchmark of convolutional steps: its networks, and the sorting of a step's time."""

from __future__ import annotations

import pytest
import torch

from benchmarks import port_nets
from benchmarks.bench_gan_convolutional import our_step, port_batch
from benchmarks.parts import where_time_goes
from benchmarks.port_nets import PortStep


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_the_ports_networks_are_of_the_ports_size(memory_format: torch.memory_format) -> None:
    generator, discriminator = port_nets.networks(torch.device("cpu"), memory_format)
    generator_weights = (
        62 * 8192 + 8192 + 128 * 128 * 9 + 128 + 128 * 64 * 9 + 64 + 64 * 9 + 1 + 2 * (128 + 64)
    )
    assert sum(weights.numel() for weights in generator.parameters()) == generator_weights
    codes = 64 * 16 * 16
    discriminator_weights = 64 * 9 + 64 + 2 * codes * 32 + 32 + codes + 2 * (32 + codes) + 64 * 9 + 1
    assert sum(weights.numel() for weights in discriminator.parameters()) == discriminator_weights
    reconstruction, embedding = discriminator(generator(*generator.noise(2)))
    assert reconstruction.shape == (2, 1, 32, 32) and embedding.shape == (2, 32)


def test_a_step_of_the_port_moves_both_networks() -> None:
    nets = port_nets.networks(torch.device("cpu"), torch.contiguous_format)
    before = [[weights.clone() for weights in net.parameters()] for net in nets]
    PortStep(*nets)(port_batch(torch.device("cpu"), 4))
    for net, old in zip(nets, before, strict=True):
        assert any(not torch.equal(new, weights) for new, weights in zip(net.parameters(), old, strict=True))


def test_the_parts_of_a_step_add_up_and_convolutions_are_among_them() -> None:
    device = torch.device("cpu")
    rows = where_time_goes(our_step(port_batch(device, 2), torch.contiguous_format), "system", "job", device)
    assert sum(row.share for row in rows) == pytest.approx(1)
    shares = {row.part: row.share for row in rows}
    assert shares["convolutions"] > shares["losses and ladder layers"] > 0
    assert shares["everything else"] < 0.7  # 0.51 on a machine with other work
