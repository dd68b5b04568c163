"""TensorBoard events, as TensorBoard reads them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ebgan.gan import resume, train
from ebgan.training.events import EventFile


def test_tensorboard_reads_what_was_written_as_torchs_own_writer_has_it(tmp_path):
    from torch.utils.tensorboard import SummaryWriter

    picture = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    ours = EventFile(tmp_path / "ours", first_step=1)
    theirs = SummaryWriter(str(tmp_path / "theirs"), purge_step=1)
    for step in (1, 2):
        ours.scalars(step, {"loss": step / 4, "energy": 2.5})
        theirs.add_scalar("loss", step / 4, step)
        theirs.add_scalar("energy", 2.5, step)
    ours.picture(2, "samples", picture)
    theirs.add_image("samples", picture, 2, dataformats="HWC")
    theirs.close()
    ours.file.close()
    found = [EventAccumulator(str(tmp_path / name)).Reload() for name in ("ours", "theirs")]
    for tag in ("loss", "energy"):
        one, other = ([(each.step, each.value) for each in of.Scalars(tag)] for of in found)
        assert one == other and len(one) == 2
    one, other = ([(each.step, each.encoded_image_string) for each in of.Images("samples")] for of in found)
    assert one == other and len(one) == 1


def test_a_resumed_run_has_each_step_once(tmp_path, tiny):
    run = tmp_path / "run"
    train(tiny(steps=10, log_every=1, checkpoint_every=5), run, device=torch.device("cpu"))
    (run / "checkpoints" / "step-00000010" / "weights.safetensors").write_bytes(b"damaged")
    resume(run, device=torch.device("cpu"), steps=12)
    events = EventAccumulator(str(run / "tensorboard")).Reload()
    assert [each.step for each in events.Scalars("real_energy")] == list(range(1, 13))
    assert [each.value for each in events.Scalars("margin")] == [pytest.approx(3.0)] * 12
