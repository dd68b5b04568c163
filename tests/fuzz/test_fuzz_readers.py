"""Every reader of files, fed files cut short, with bytes changed, and with bytes put in.

Each must read the file or refuse it with one line, within 10 seconds of computing and 1 GB. EBGAN_FUZZ_FILES
is the number of files for each reader (`make fuzz` takes 1000), EBGAN_FUZZ_SEED that of their faults.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
import random
import resource
import struct
import time
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from ebgan import UserError, gan
from ebgan.data import load, open_video
from ebgan.data.idx import read_idx
from ebgan.data.norb import parse_matrix
from ebgan.data.pgm import parse_pgm
from ebgan.gan import GanConfig
from ebgan.training import Progress, RunFolder, newest_valid
from ebgan.training.checkpoint import load as load_checkpoint
from ebgan.training.checkpoint import save
from ebgan.training.metrics import read_metrics
from support.image_files import encoded
from support.video_files import wandering, write_video

FILES = int(os.environ.get("EBGAN_FUZZ_FILES", "20"))
SEED = int(os.environ.get("EBGAN_FUZZ_SEED", str(random.SystemRandom().randrange(1 << 16))))
SECONDS, KILOBYTES = 10, 1 << 20

NOISE = np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8)
Read = Callable[[Path], object]


def damaged(content: bytes, faults: random.Random) -> bytes:
    """The file cut short, or with a few bytes changed, or with others put in or repeated."""
    changed = bytearray(content)
    kind = faults.randrange(4)
    if kind == 0:
        return bytes(changed[: faults.randrange(len(changed) + 1)])
    for _ in range(faults.choice([1, 1, 2, 5, 40])):
        place = faults.randrange(max(len(changed), 1))
        if faults.random() < 0.5:  # headers, where most of the meaning is
            place %= 256
        if kind == 1:
            changed[place % len(changed)] = faults.choice([0, 1, 0x7F, 0x80, 0xFF, faults.randrange(256)])
        elif kind == 2:
            changed[place % len(changed)] ^= 1 << faults.randrange(8)
        else:
            changed[place:place] = changed[place : place + faults.randrange(1, 9)] or b"\xff"
    return bytes(changed)


def zipped() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("train/a/1.png", "train/b/2.png"):
            archive.writestr(name, encoded(Image.fromarray(NOISE)))
    return file.getvalue()


def read_one_image(path: Path) -> object:
    return load("images", root=path.parent, size=8)


def read_zip(path: Path) -> object:
    return load("images", root=path, size=8)


def matrix(path: Path) -> object:
    return parse_matrix(path.read_bytes())


def picture(path: Path) -> object:
    return parse_pgm(path.read_bytes())


def read_clip(path: Path) -> object:
    index = open_video(path)
    return index.read(0, 1), index.read(index.length - 1, index.length)


def read_config(path: Path) -> object:
    return RunFolder(path.parent).read_config(GanConfig)


def read_rows(path: Path) -> object:
    return read_metrics(RunFolder(path.parent))


def networks() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    net(torch.ones(4, 3)).square().sum().backward()
    optimizer.step()
    return net, optimizer


def read_checkpoint(path: Path) -> object:
    net, optimizer = networks()
    newest, _ = newest_valid(path.parent.parent)
    return load_checkpoint(newest, {"net": net}, {"net": optimizer})


def checkpoint_file(name: str) -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        net, optimizer = networks()
        save(folder / "run", Progress(1, 0.5), {"net": net}, {"net": optimizer})
        return (folder / "run" / "step-00000001" / name).read_bytes()

    return make


def video(name: str, codec: str, pixels: str = "yuv420p") -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        return write_video(folder / name, wandering(8, 32, 32), codec=codec, pixels=pixels).read_bytes()

    return make


def image(format: str, **options: object) -> Callable[[Path], bytes]:
    exif = Image.Exif()
    exif[0x0112] = 6
    return lambda folder: encoded(Image.fromarray(NOISE), format, exif=exif.tobytes(), **options)


def config_json(folder: Path) -> bytes:
    run = RunFolder.create(folder / "run", "train gan", dataclasses.replace(gan.preset(), steps=7))
    return run.config.read_bytes()


IDX = struct.pack(">BBBB3I", 0, 0, 8, 3, 5, 4, 3) + bytes(range(60))
NORB = struct.pack("<Ii3i", 0x1E3D4C54, 2, 3, 4, 1) + bytes(range(48))
ROWS = "".join(json.dumps({"step": n, "seconds": 0.5, "loss": 1.5}) + "\n" for n in range(9)).encode()
STEP = "step-00000001"
# Where the file lies, the whole file, what reads it.
READERS: dict[str, tuple[str, Callable[[Path], bytes], Read]] = {
    "idx": ("a", lambda folder: IDX, read_idx),
    "idx.gz": ("a.gz", lambda folder: gzip.compress(IDX), read_idx),
    "norb": ("a.mat", lambda folder: NORB, matrix),
    "pgm": ("a.pgm", lambda folder: b"P5\n# of a face\n5 4\n255\n" + bytes(range(20)), picture),
    "jpeg": ("a.jpg", image("JPEG"), read_one_image),
    "progressive jpeg": ("a.jpg", image("JPEG", progressive=True), read_one_image),
    "png": ("a.png", image("PNG"), read_one_image),
    "webp": ("a.webp", image("WEBP"), read_one_image),
    "zip": ("a.zip", lambda folder: zipped(), read_zip),
    "mp4": ("a.mp4", video("a.mp4", "libx264"), read_clip),
    "matroska": ("a.mkv", video("a.mkv", "mpeg4"), read_clip),
    "avi": ("a.avi", video("a.avi", "mpeg4"), read_clip),
    "transport stream": ("a.ts", video("a.ts", "mpeg2video"), read_clip),
    "gif": ("a.gif", video("a.gif", "gif", "rgb8"), read_clip),
    "config.json": ("config.json", config_json, read_config),
    "metrics.jsonl": ("metrics.jsonl", lambda folder: ROWS, read_rows),
    "weights": (f"{STEP}/weights.safetensors", checkpoint_file("weights.safetensors"), read_checkpoint),
    "optimizers": (
        f"{STEP}/optimizers.safetensors",
        checkpoint_file("optimizers.safetensors"),
        read_checkpoint,
    ),
    "checkpoint.json": (f"{STEP}/checkpoint.json", checkpoint_file("checkpoint.json"), read_checkpoint),
}


@pytest.mark.filterwarnings("error::ResourceWarning")
@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_read_or_refused_in_one_line(name: str, tmp_path: Path) -> None:
    place, make, read = READERS[name]
    content = make(tmp_path)
    path = tmp_path / "run" / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    read(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    faults = random.Random(f"{SEED} {name}")
    refused = 0
    for number in range(FILES):
        path.write_bytes(damaged(content, faults))
        started = time.process_time()
        try:
            read(path)
        except (UserError, ValueError) as error:
            assert str(error) and "\n" not in str(error), f"EBGAN_FUZZ_SEED={SEED}, file {number}"
            assert isinstance(error, UserError) or read in (matrix, picture)
            refused += 1
        assert time.process_time() - started < SECONDS, f"EBGAN_FUZZ_SEED={SEED}, file {number}"
    assert refused
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < KILOBYTES, f"EBGAN_FUZZ_SEED={SEED}: {grown} KB"
