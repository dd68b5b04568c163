"""Images from files: `python -m benchmarks.bench_loading [--quick] [--output DIR]`.

JPEG files of 256x256 (smooth random pictures; no data needed), decoded to 64x64 and made batches of 64
in [-1, 1] as they are needed: from a folder, a zip and shards by threads, and from the folder by torch's
DataLoader over Pillow, with as many processes. Then the share of training steps that waits for them. Files
are in the page cache. Runs on the CPU alone.
"""

from __future__ import annotations

import io
import itertools
import statistics
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmarks.command import Session, open_session
from benchmarks.rows import PartRow, StepRow
from benchmarks.timing import Timing, Variant, wall_times
from ebgan.data import Batches, open_set
from ebgan.data.batches import available_processors
from ebgan.data.image_files import ImageFiles
from ebgan.gan import EBGAN, discriminator, generator
from ebgan.gan.two_player import ImageBatches

SYSTEM = "loading"
SEED, SIZE, BATCH = 0, 64, 64
# Batches of a timed call. What our reader decodes ahead of the last one is dropped, and counted all the same;
# of 4 batches that made it an eighth slower (AMD EPYC, 2026-11-28).
IN_A_CALL = 16
Load = Callable[[Path], ImageBatches]


def pictures(count: int) -> dict[str, bytes]:
    """JPEG files of 256x256 by their names; smooth, as photographs are, and 20 KB each."""
    random = np.random.default_rng(SEED)
    files = {}
    for number in range(count):
        noise = Image.fromarray(random.integers(0, 256, (48, 48, 3), np.uint8))
        file = io.BytesIO()
        noise.resize((256, 256), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
        files[f"{number % 10}/{number:06}.jpg"] = file.getvalue()
    return files


def arrange(root: Path, files: dict[str, bytes]) -> dict[str, Path]:
    """The files in a folder, a zip and four shards."""
    places = {"folder": root / "folder", "zip": root / "pictures.zip", "shards": root / "shards"}
    for name, content in files.items():
        (places["folder"] / name).parent.mkdir(parents=True, exist_ok=True)
        (places["folder"] / name).write_bytes(content)
    with zipfile.ZipFile(places["zip"], "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    places["shards"].mkdir()
    for shard in range(4):
        with tarfile.open(places["shards"] / f"shard-{shard}.tar", "w") as tar:
            for name in itertools.islice(files, shard, None, 4):
                member = tarfile.TarInfo(name)
                member.size = len(files[name])
                tar.addfile(member, io.BytesIO(files[name]))
    return places


def opened(root: Path) -> ImageFiles:
    files = open_set("images", root=root, size=SIZE, memory=0)
    assert isinstance(files, ImageFiles)  # in no memory at all none of them fits
    return files


class Decoded(Dataset[Tensor]):
    """The files of a folder, as one writes it for a DataLoader."""

    def __init__(self, root: Path) -> None:
        self.files = sorted(root.rglob("*.jpg"))

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Tensor:
        with Image.open(self.files[index]) as image:
            image.draft("RGB", (2 * SIZE, 2 * SIZE))
            small = image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.LANCZOS, reducing_gap=2.0)
        return torch.from_numpy(np.asarray(small).copy()).permute(2, 0, 1).float() / 127.5 - 1


class LoaderBatches:
    """A DataLoader with a process for each processor, as batches that are asked for in order."""

    def __init__(self, root: Path, batches: int) -> None:
        sampler = torch.utils.data.RandomSampler(Decoded(root), num_samples=batches * BATCH)
        workers = available_processors()
        self._loader = DataLoader(
            Decoded(root), BATCH, sampler=sampler, num_workers=workers, persistent_workers=True
        )
        self._batches = self._endless()

    def _endless(self) -> Iterator[Tensor]:
        while True:
            yield from self._loader

    def at(self, step: int) -> Tensor:
        return next(self._batches)


class Waited:
    """Batches that note the seconds that each is waited for."""

    def __init__(self, batches: ImageBatches) -> None:
        self.batches = batches
        self.seconds: list[float] = []

    def at(self, step: int) -> Tensor:
        start = time.perf_counter()
        batch = self.batches.at(step)
        self.seconds.append(time.perf_counter() - start)
        return batch


def throughput(places: dict[str, Path], *, quick: bool) -> list[StepRow]:
    """Rows of loading without anything else to do."""
    steps = itertools.count(0, IN_A_CALL)
    loader = LoaderBatches(places["folder"], IN_A_CALL)

    # Opened once, as the loader's processes are: what is timed is a run that goes on.
    sets = {name: opened(root) for name, root in places.items()}

    def load(files: ImageFiles) -> None:
        batches, first = Batches(files, BATCH, seed=SEED), next(steps)
        for step in range(first, first + IN_A_CALL):
            batches.at(step)

    def load_by_torch(_: object) -> None:
        for step in range(IN_A_CALL):
            loader.at(step)

    workers = available_processors()
    variants = {f"DataLoader over Pillow, {workers} processes": Variant(load_by_torch)}
    for name, files in sets.items():
        variants[f"{name}, {workers} threads"] = Variant(lambda _, files=files: load(files))
    timings = wall_times(variants, None, device=torch.device("cpu"), quick=quick)
    job = f"{IN_A_CALL} batches of {BATCH} at {SIZE}x{SIZE} from JPEG of 256x256"
    return StepRow.group(SYSTEM, job, IN_A_CALL * BATCH, timings)


def waiting(places: dict[str, Path], *, quick: bool) -> list[PartRow]:
    """The share of training steps that waits for images, loaded in each way in turns."""
    count = 3 if quick else 12
    sources: dict[str, ImageBatches] = {
        f"waiting, {name}": Batches(opened(root), BATCH, seed=SEED) for name, root in places.items()
    }
    sources["waiting, DataLoader over Pillow"] = LoaderBatches(places["folder"], 1000)
    waited = {name: Waited(batches) for name, batches in sources.items()}
    totals: dict[str, list[float]] = {name: [] for name in sources}
    for name, batches in waited.items():  # a way at a time: what one decodes ahead would slow the others
        torch.manual_seed(SEED)
        system = EBGAN(
            generator("celeba-64", width=128), discriminator("celeba-64", width=16), batches, margin=14.0
        )
        for step in range(1, count + 3):
            start = time.perf_counter()
            system.step(step)
            totals[name].append(time.perf_counter() - start)
    rows = []
    for name, batches in waited.items():
        kept = [1e3 * seconds for seconds in batches.seconds[2:]]  # the first ones find nothing decoded
        timing = Timing.of(kept)
        share = sum(kept) / (1e3 * sum(totals[name][2:]))
        job = f"EBGAN step of {BATCH} images of {SIZE}x{SIZE}, an eighth of the width, "
        job += f"{statistics.median(totals[name][2:]) * 1e3:.0f} ms"
        rows.append(PartRow(SYSTEM, job, name, timing.median_ms, timing.iqr_ms, share))
    return rows


def run(session: Session) -> None:
    with tempfile.TemporaryDirectory() as folder:
        places = arrange(Path(folder), pictures(2 * BATCH if session.quick else 1024))
        session.record(throughput(places, quick=session.quick))
        session.record(waiting(places, quick=session.quick))


if __name__ == "__main__":
    run(open_session("loading", __doc__))
