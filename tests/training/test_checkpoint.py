from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from ebgan import UserError
from ebgan.training import Progress, checkpoint, newest_valid
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
    for group in other_optimizer.param_groups:
        group["lr"] = 0.5
    for entry in other_optimizer.state.values():  # nothing is equal before it is restored
        for value in entry.values():
            value.add_(1)

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


def test_nothing_of_a_checkpoint_has_its_name_before_all_of_it_is_on_the_disk(tmp_path, monkeypatch):
    net, optimizer = trained(torch.optim.Adam)
    seen = []

    def written(path: Path, content: bytes) -> str:
        seen.append([each.name for each in tmp_path.glob("step-*")])
        return write(path, content)

    write = checkpoint._write
    monkeypatch.setattr(checkpoint, "_write", written)
    for step in (1, 2):
        save(tmp_path, Progress(step, 0.0), {"net": net}, {"net": optimizer}, keep=1)
    assert seen == [[]] * 3 + [["step-00000001"]] * 3


def changed(tmp_path: Path, **changes: object) -> Path:
    """A checkpoint whose description was changed, with its checksum as a program would write it."""
    net, optimizer = trained(torch.optim.Adam)
    save(tmp_path, Progress(1, 0.0), {"net": net}, {"net": optimizer})
    file = tmp_path / "step-00000001" / "checkpoint.json"
    content = json.loads(file.read_text()) | changes
    del content["own_sha256"]
    file.write_text(json.dumps(content))
    return file.parent


def test_a_checkpoint_of_another_format_says_so(tmp_path):
    path = changed(tmp_path, format=2)
    message = r"checkpoint\.json: has the format 2 of another version of ebgan, this one reads 1; go on"
    with pytest.raises(UserError, match=message):
        load_weights(path, {})
    with pytest.raises(UserError, match=message):
        newest_valid(tmp_path)


def test_a_checkpoint_of_a_version_without_formats_and_checksums_of_itself_is_read(tmp_path):
    path = changed(tmp_path)
    content = json.loads((path / "checkpoint.json").read_text())
    del content["format"]
    (path / "checkpoint.json").write_text(json.dumps(content))
    net, optimizer = trained(torch.optim.Adam)
    assert load(path, {"net": net}, {"net": optimizer}) == Progress(1, 0.0)


@pytest.mark.parametrize("optimizers", [{}, {"net": []}, {"net": [{"lr": 1}, {"lr": 1}]}, {"net": 5}])
def test_optimisers_that_do_not_fit_are_refused_in_one_line(tmp_path, optimizers):
    net, optimizer = trained(torch.optim.Adam)
    with pytest.raises(UserError, match="its optimisers do not fit the run") as error:
        load(changed(tmp_path, optimizers=optimizers), {"net": net}, {"net": optimizer})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"5", b"{}", b'{"step": 1}', b"[" * 100_000, bytes(9)])
def test_a_description_that_is_none_is_named(tmp_path, content):
    (changed(tmp_path) / "checkpoint.json").write_bytes(content)
    with pytest.raises(UserError, match=r"no usable checkpoint \(.*checkpoint\.json: (unreadable|damaged)"):
        newest_valid(tmp_path)


def test_every_flipped_bit_of_the_description_is_noticed_or_harmless(tmp_path):
    net, optimizer = trained(torch.optim.Adam)
    save(tmp_path, Progress(1, 1.25), {"net": net}, {"net": optimizer})
    file = tmp_path / "step-00000001" / "checkpoint.json"
    whole = file.read_bytes()
    noticed = 0
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            progress = load(file.parent, {"net": net}, {"net": optimizer})
        except UserError:
            noticed += 1
        else:
            assert progress == Progress(1, 1.25)
    assert noticed > 0.9 * len(whole)


def test_a_checkpoint_that_holds_a_pickle_is_refused_and_never_run(tmp_path):
    path = changed(tmp_path)
    torch.save({"net.0.weight": torch.zeros(2, 3)}, path / "weights.safetensors")
    with pytest.raises(UserError, match=r"weights\.safetensors: cut short or damaged"):
        load_weights(path, {"net": nn.Linear(3, 2)})


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
