"""Images that stay in their files: the batches of a set in memory, in bounded memory, by threads that end."""

from __future__ import annotations

import gc
import os
import re
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from ebgan.cli import main
from ebgan.data import Batches, DataError, ImageFiles, ImageSet, load, open_set
from ebgan.data.images import open_images
from ebgan.errors import UserError
from support.image_archives import ARRANGEMENTS, folder
from support.image_files import encoded, plain


def photographs(count: int, side: int = 24) -> dict[str, bytes]:
    random = np.random.default_rng(0)
    return {
        f"{'ab'[number % 2]}/{number:04}.png": encoded(
            Image.fromarray(random.integers(0, 256, (side, side + number % 3, 3), np.uint8))
        )
        for number in range(count)
    }


def lazy(root: Path, size: int) -> ImageFiles:
    files = open_set("images", root=root, size=size, memory=0)
    assert isinstance(files, ImageFiles)
    return files


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
@pytest.mark.parametrize("stored", [12, 16])
def test_batches_are_those_of_the_set_in_memory_with_flips_and_with_central_and_random_crops(
    arrangement, stored, tmp_path
):
    root = ARRANGEMENTS[arrangement](tmp_path / "own", photographs(11))
    in_memory = Batches(load("images", root=root, size=stored), 4, size=12, flip=True, seed=3)
    from_files = Batches(lazy(root, stored), 4, size=12, flip=True, seed=3, threads=2)
    for step in (0, 1, 2, 3, 9, 4, 5, 0):
        assert torch.equal(from_files.at(step), in_memory.at(step))
        assert from_files.indices(step).tolist() == in_memory.indices(step).tolist()
    assert from_files.image_set.labels.tolist() == in_memory.image_set.labels.tolist()
    assert from_files.image_set.classes == in_memory.image_set.classes == ("a", "b")


def test_a_resumed_run_sees_what_it_would_have_seen(tmp_path):
    root = folder(tmp_path, photographs(7))
    whole = Batches(lazy(root, 8), 3, flip=True, seed=1)
    seen = [whole.at(step) for step in range(12)]
    resumed = Batches(lazy(root, 8), 3, flip=True, seed=1, threads=1)
    for step in range(6, 12):
        assert torch.equal(resumed.at(step), seen[step])


def test_a_set_is_in_memory_up_to_the_limit_and_the_summary_says_which(tmp_path, monkeypatch):
    root = folder(tmp_path / "own", photographs(5))
    size = 5 * 3 * 8 * 8
    fits = open_set("images", root=root, size=8, memory=size)
    assert isinstance(fits, ImageSet)
    assert str(Batches(fits, 2)) == "images (train): 5 images, in memory"
    larger = open_set("images", root=root, size=8, memory=size - 1)
    assert isinstance(larger, ImageFiles)
    words = "images (train): 5 images, decoded as they are needed by 3 threads"
    assert str(Batches(larger, 2, threads=3)) == words
    monkeypatch.setattr("ebgan.data.registry.IN_MEMORY", size - 1)
    assert isinstance(open_set("images", root=root, size=8), ImageFiles)
    assert isinstance(open_set("digits", size=8), ImageSet)


def test_damaged_files_are_replaced_by_the_next_whole_one_counted_and_named(tmp_path, caplog):
    files = {f"{number}.png": plain((number * 20, 0, 0)) for number in range(8)}
    files |= {f"{number}.png": b"words" for number in (2, 3, 7)}
    batches = Batches(lazy(folder(tmp_path / "own", files), 8), 8, threads=2)
    expected = torch.tensor([0, 1, 4, 4, 4, 5, 6, 0]) * 20 / 127.5 - 1
    for step in range(3):
        indices = torch.from_numpy(batches.indices(step))
        assert torch.allclose(batches.at(step)[:, 0, 0, 0], expected[indices])
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2 and lines[0].startswith("ebgan: skipped 1 so far of 8 images of ")
    assert lines[1].startswith("ebgan: skipped 2 so far of 8 images of ")
    assert all("(not a JPEG, PNG or WebP image)" in line for line in lines)


def test_a_set_without_a_whole_file_is_an_error_that_names_some(tmp_path):
    root = folder(tmp_path, {f"{number}.png": b"words" for number in range(5)})
    with pytest.raises(DataError, match=r"holds no usable image among 5 in a row: '\d.png' \(not a JPEG"):
        Batches(lazy(root, 8), 2).at(0)


def test_images_that_stay_in_files_need_a_size(tmp_path):
    with pytest.raises(UserError, match=r"^size: is missing"):
        Batches(open_images("train", folder(tmp_path, photographs(2)), None), 2)


def test_memory_does_not_grow_with_the_steps_nor_with_the_set(tmp_path):
    root = folder(tmp_path, photographs(60))
    batches = Batches(lazy(root, 64), 4, threads=2)
    batch = 4 * 3 * 64 * 64

    def peak(steps: range) -> int:
        gc.collect()
        tracemalloc.reset_peak()
        for step in steps:
            batches.at(step)
        return tracemalloc.get_traced_memory()[1]

    tracemalloc.start()
    try:
        peak(range(5))
        before = tracemalloc.get_traced_memory()[0]
        early, late = peak(range(5, 15)), peak(range(15, 115))
        # The set is 15 batches; how many of those being decoded meet in a peak is a matter of chance.
        assert late < early + 4 * batch
        assert tracemalloc.get_traced_memory()[0] < before + 4 * batch
    finally:
        tracemalloc.stop()


def test_the_threads_end_with_the_batches_and_work_ahead_of_them_is_dropped(tmp_path):
    before = set(threading.enumerate())
    batches = Batches(lazy(folder(tmp_path, photographs(9)), 8), 4, threads=2)
    batches.at(0)
    decoders = set(threading.enumerate()) - before
    assert 1 <= len(decoders) <= 2
    del batches
    gc.collect()
    for thread in decoders:
        thread.join(timeout=30)
        assert not thread.is_alive()


def test_an_interrupted_run_leaves_no_process_and_resumes_to_the_same_bits(tmp_path, capsys, monkeypatch):
    root = folder(tmp_path / "own", photographs(20, side=64))
    sizes = "--generator-width 8 --discriminator-width 4 --batch-size 4 --checkpoint-every 1 --threads 1"
    new = ["train", "gan", "--data", "images", "--data-root", str(root), *sizes.split()]
    lazily = (
        "import sys, ebgan.data.registry as r; r.IN_MEMORY = 0; from ebgan.cli import main; "
        "sys.exit(main(sys.argv[1:]))"
    )
    part = subprocess.Popen(
        [sys.executable, "-c", lazily, *new, "--steps", "100000", "--out", str(tmp_path / "part")],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    checkpoints = tmp_path / "part" / "checkpoints"
    end = time.monotonic() + 120
    while len(list(checkpoints.glob("step-*"))) < 2 and time.monotonic() < end:
        time.sleep(0.02)
    part.send_signal(signal.SIGINT)
    _, told = part.communicate(timeout=60)
    assert part.returncode == 130
    with pytest.raises(ProcessLookupError):  # nothing of its process group is left
        os.killpg(part.pid, 0)

    (stopped,) = re.findall(r"stopped and saved at step (\d+);", told)
    steps = str(int(stopped) + 4)
    monkeypatch.setattr("ebgan.data.registry.IN_MEMORY", 0)
    assert main(["train", "gan", "--resume", str(tmp_path / "part"), "--steps", steps]) == 0
    assert "images (train): 20 images, decoded as they are needed by 1 thread\n" in capsys.readouterr().out
    assert main([*new, "--steps", steps, "--out", str(tmp_path / "whole")]) == 0
    ours, theirs = (weights(tmp_path / name, int(steps)) for name in ("part", "whole"))
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def weights(run: Path, step: int) -> dict[str, torch.Tensor]:
    return load_file(run / "checkpoints" / f"step-{step:08d}" / "weights.safetensors")
