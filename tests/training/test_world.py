"""Several processes that train one run: their steps are those of one process with the same batches."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn

from ebgan import UserError
from ebgan.gan import EBGAN, AutoEncoded, Discriminator, Generator
from ebgan.training import World, seed_step, world

DOUBLE = torch.float64
STEPS = 50
RUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
pytestmark = pytest.mark.skipif(not dist.is_gloo_available(), reason="torch is built without gloo")


class Plain(Generator):
    """A generator without batch normalisation, which would see a share of the batch alone on a CPU."""

    noise_shapes = ((3,),)

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 16), nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z.to(DOUBLE)).view(-1, 1, 4, 4)


class PlainAutoEncoder(Discriminator):
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Linear(16, 6), nn.Linear(6, 16)

    def forward(self, images: Tensor) -> AutoEncoded:
        codes = self.encoder(images.flatten(1)).relu()
        return AutoEncoded(self.decoder(codes).view_as(images), codes)


class RandomImages:
    def at(self, step: int) -> Tensor:
        random = torch.Generator().manual_seed(step)
        return torch.rand(8, 1, 4, 4, generator=random, dtype=DOUBLE) * 2 - 1


def trained(pulling_away_weight: float) -> EBGAN:
    torch.manual_seed(0)
    system = EBGAN(
        Plain().double(),
        PlainAutoEncoder().double(),
        RandomImages(),
        margin=2.0,
        pulling_away_weight=pulling_away_weight,
    )
    for step in range(1, STEPS + 1):
        seed_step(0, step)
        system.step(step)
    return system


def weights(system: EBGAN) -> list[Tensor]:
    return [parameter.detach() for net in system.modules.values() for parameter in net.parameters()]


def _process(rank: int, folder: str, processes: int, pulling_away_weight: float) -> None:
    torch.set_num_threads(1)
    store = dist.FileStore(f"{folder}/store", processes)
    patience = timedelta(minutes=1)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=processes, timeout=patience)
    try:
        here = world()
        assert here == World(rank, processes)
        assert here.told_by_first(f"of {rank}") == "of 0" and here.greatest(5 * rank) == 5 * (processes - 1)
        with pytest.raises(UserError, match=f"batch_size: got 9, which {processes} processes cannot share"):
            here.check_batch(9)
        torch.save(weights(trained(pulling_away_weight)), f"{folder}/{rank}.pt")
    finally:
        dist.destroy_process_group()


@pytest.mark.slow
@pytest.mark.parametrize(("processes", "pulling_away_weight"), [(2, 0.0), (2, 0.1), (4, 0.1)])
def test_several_processes_make_the_updates_of_one(
    processes: int, pulling_away_weight: float, tmp_path: Path
) -> None:
    torch.multiprocessing.spawn(_process, (str(tmp_path), processes, pulling_away_weight), processes)
    alone = weights(trained(pulling_away_weight))
    for rank in range(processes):
        found = torch.load(tmp_path / f"{rank}.pt")
        torch.testing.assert_close(found, alone, rtol=1e-9, atol=1e-12)


def options(out: Path, *more: str) -> list[str]:
    small = ["--batch-size", "8", "--generator-width", "16", "--discriminator-width", "16", "--threads", "1"]
    return ["-m", "ebgan", "train", "gan", "--out", str(out), *small, *more]


@pytest.mark.slow
def test_torchrun_trains_one_run_and_a_killed_process_is_told_and_resumed(tmp_path: Path) -> None:
    out, steps = tmp_path / "run", 20_000
    words = [*RUN, *options(out, "--steps", str(steps), "--checkpoint-every", "20", "--log-every", "10")]
    with (tmp_path / "log").open("w") as log:
        run = subprocess.Popen(words, stdout=log, stderr=log, cwd=tmp_path)
    end = time.monotonic() + 120
    while not any(path.name > "step-00000020" for path in out.glob("checkpoints/step-*")):
        assert time.monotonic() < end and run.poll() is None, (tmp_path / "log").read_text()
        time.sleep(0.1)
    workers = subprocess.run(["pgrep", "-P", str(run.pid)], capture_output=True, text=True, check=True).stdout
    os.kill(int(workers.split()[-1]), signal.SIGKILL)
    assert run.wait(120) != 0
    said = (tmp_path / "log").read_text()
    assert "another process of the run is gone" in said or "stopped and saved at step" in said
    reached = max(int(path.name[5:]) for path in out.glob("checkpoints/step-*[0-9]"))
    resumed = [*RUN, "-m", "ebgan", "train", "gan", "--resume", str(out), "--steps", str(reached + 20)]
    done = subprocess.run(resumed, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("What to do next:") == 1  # the first process alone speaks
    logged = [json.loads(line)["step"] for line in (out / "metrics.jsonl").open()]
    assert logged == list(range(10, reached + 21, 10))


@pytest.mark.slow
def test_a_system_that_cannot_share_says_so(tmp_path: Path) -> None:
    words = [*RUN, "-m", "ebgan", "train", "ladder", "--out", str(tmp_path / "run")]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode != 0
    assert "'ebgan train ladder' runs in one process, and torchrun started 2" in done.stderr


def test_one_process_is_a_world_of_its_own() -> None:
    here = world()
    rows = torch.arange(6.0)
    assert here == World() and here.first and here.group is None
    assert here.share(rows) is rows and here.mean(rows) is rows and here.greatest(3) == 3
