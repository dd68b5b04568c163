from __future__ import annotations

import pytest
import torch
from torch import nn

from ebgan import UserError
from ebgan.training import Progress, newest_valid
from ebgan.training.checkpoint import load, load_weights, save


def trained(
    optimizer_type: type[torch.optim.Optimizer], **options: object
) -> tuple[nn.Module, torch.optim.Optimizer]:
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    optimizer = optimizer_type(net.parameters(), lr=0.01, **options)
    net(torch.randn(8, 3)).square().sum().backward()
    optimizer.step()
    return net, optimizer


@pytest.mark.parametrize(
    ("optimizer_type", "options"),
    [(torch.optim.Adam, {"betas": (0.5, 0.9)}), (torch.optim.SGD, {"momentum": 0.9}), (torch.optim.SGD, {})],
)
def test_weights_buffers_and_optimizers_come_back_as_they_were(tmp_path, optimizer_type, options):
    net, optimizer = trained(optimizer_type, **options)
    save(tmp_path, Progress(7, 1.5), {"net": net}, {"net": optimizer})
    other, other_optimizer = trained(optimizer_type, **options)

    path, skipped = newest_valid(tmp_path)
    assert load(path, {"net": other}, {"net": other_optimizer}) == Progress(7, 1.5)
    assert skipped == []
    torch.testing.assert_close(other.state_dict(), net.state_dict(), rtol=0, atol=0)
    torch.testing.assert_close(other_optimizer.state_dict(), optimizer.state_dict(), rtol=0, atol=0)


def test_an_optimizer_keeps_what_belongs_to_its_device(tmp_path):
    """A run that goes on on a GPU has its rate in a tensor, and Adam's `capturable`; on a CPU neither."""
    net, on_cpu = trained(torch.optim.Adam, fused=True)
    on_gpu = torch.optim.Adam(net.parameters(), lr=torch.tensor(0.5), capturable=True, fused=True)
    save(tmp_path / "cpu", Progress(1, 0.0), {"net": net}, {"net": on_cpu})
    load(newest_valid(tmp_path / "cpu")[0], {"net": net}, {"net": on_gpu})
    (group,) = on_gpu.param_groups
    assert isinstance(group["lr"], torch.Tensor) and group["capturable"] and group["lr"] == torch.tensor(0.01)
    save(tmp_path / "gpu", Progress(1, 0.0), {"net": net}, {"net": on_gpu})
    load(newest_valid(tmp_path / "gpu")[0], {"net": net}, {"net": on_cpu})
    (group,) = on_cpu.param_groups
    assert isinstance(group["lr"], float) and not group["capturable"]
    assert group["lr"] == pytest.approx(0.01)


def test_a_fused_optimizer_of_channels_last_weights_goes_on_to_the_same_bits(tmp_path):
    """It walks through the memory of weights and moments side by side, so these must lie alike."""

    def steps(net: nn.Module, optimizer: torch.optim.Optimizer, first: int, last: int) -> None:
        for step in range(first, last):
            torch.manual_seed(step)
            optimizer.zero_grad()
            net(torch.randn(2, 8, 5, 5)).square().mean().backward()
            optimizer.step()

    def new() -> tuple[nn.Module, torch.optim.Optimizer]:
        torch.manual_seed(0)
        net = nn.Conv2d(8, 6, 3).to(memory_format=torch.channels_last)
        return net, torch.optim.Adam(net.parameters(), lr=0.01, fused=True)

    whole, halves, resumed = new(), new(), new()
    steps(*whole, 0, 4)
    steps(*halves, 0, 2)
    save(tmp_path, Progress(2, 0.0), {"net": halves[0]}, {"net": halves[1]})
    load(newest_valid(tmp_path)[0], {"net": resumed[0]}, {"net": resumed[1]})
    steps(*resumed, 2, 4)
    torch.testing.assert_close(resumed[0].state_dict(), whole[0].state_dict(), rtol=0, atol=0)


def test_what_a_killed_process_left_half_written_is_no_checkpoint(tmp_path):
    net, optimizer = trained(torch.optim.Adam)
    save(tmp_path, Progress(1, 0.0), {"net": net}, {"net": optimizer})
    (tmp_path / ".step-00000002").mkdir()
    (tmp_path / ".step-00000002" / "weights.safetensors").write_bytes(b"half")
    assert newest_valid(tmp_path)[0].name == "step-00000001"
    save(tmp_path, Progress(2, 0.0), {"net": net}, {"net": optimizer})
    assert newest_valid(tmp_path)[0].name == "step-00000002"


def test_checkpoints_that_a_run_went_back_behind_are_gone_with_the_next(tmp_path):
    net, optimizer = trained(torch.optim.Adam)
    for step in (5, 10, 15, 12):
        save(tmp_path, Progress(step, 0.0), {"net": net}, {"net": optimizer}, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000010", "step-00000012"]


def test_one_flipped_bit_is_noticed(tmp_path):
    net, optimizer = trained(torch.optim.Adam)
    save(tmp_path, Progress(1, 0.0), {"net": net}, {"net": optimizer})
    file = tmp_path / "step-00000001" / "weights.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"weights\.safetensors: cut short or damaged"):
        load_weights(file.parent, {"net": net})


def test_weights_of_another_net_are_refused_in_one_line(tmp_path):
    net, optimizer = trained(torch.optim.Adam)
    save(tmp_path, Progress(1, 0.0), {"net": net}, {"net": optimizer})
    with pytest.raises(UserError, match="does not fit 'net'") as error:
        load_weights(tmp_path / "step-00000001", {"net": nn.Sequential(nn.Linear(4, 2), nn.BatchNorm1d(2))})
    assert "\n" not in str(error.value)
