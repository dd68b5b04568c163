"""Trains a score network and writes its weights: how those in `ebgan/gan/scores/weights` were made.

    python scripts/train_score_network.py digits --out digits.safetensors
    python scripts/train_score_network.py mnist --data-root FOLDER_OF_DATA_SETS --out mnist.safetensors
    python scripts/train_score_network.py images --data-root FOLDER_OR_ZIP_OF_IMAGES --out images.safetensors

Prints the accuracy on held-out images and the SHA-256 of the file, which stands in
`ebgan.gan.scores.networks.NETWORKS`. Seeded, on one thread: the same machine writes the same bits.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from ebgan.data import Batches, ImageSet, load
from ebgan.errors import UserError, at_least, require
from ebgan.gan.scores import NETWORKS, ScoreNetwork
from ebgan.training import cpu_threads

SEED = 0
HELD_OUT_EVERY = 5

Labelled = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Task:
    """Images and labels to learn from, as batches by their number, and some that are never learnt from."""

    batch: Callable[[int], Labelled]
    held_out: list[Labelled]
    steps: int


def digits(root: Path | None) -> Task:
    """The task of telling the embedded digits apart, 8x8 and shifted by up to one pixel."""
    return _classes("digits", root, size=8, pad=1, epochs=150)


def mnist(root: Path | None) -> Task:
    """The task of telling digits apart, padded to 32x32 as GANs see them and shifted by up to two pixels."""
    return _classes("mnist", root, size=32, pad=4, epochs=8)


def _classes(name: str, root: Path | None, *, size: int, pad: int, epochs: int) -> Task:
    """The task of naming the class of an image; `pad` black pixels on each side leave room for shifts."""
    training, test = load(name, "train", root), load(name, "test", root)
    padded = np.pad(training.images, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    shifted = Batches(replace(training, images=padded), 128, size=size, seed=SEED, threads=1)
    count = min(500, len(test))
    centred = Batches(test, count, size=size, threads=1)
    return Task(
        batch=lambda step: (shifted.at(step), _labels(training, shifted.indices(step))),
        held_out=[
            (centred.at(step), _labels(test, centred.indices(step))) for step in range(len(test) // count)
        ],
        steps=epochs * len(training) // 128,
    )


def images(root: Path | None) -> Task:
    """The task of telling if a photograph is turned by 0, 90, 180 or 270 degrees.

    A network that can tell has learnt what things look like, and needs no labels for it (Gidaris et al.,
    arXiv:1803.07728).
    """
    everything = load("images", "train", root, size=72)
    unseen = np.arange(len(everything)) % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
    training, test = _chosen(everything, ~unseen), _chosen(everything, unseen)
    batches = Batches(training, 64, size=64, flip=True, seed=SEED, threads=1)
    upright = Batches(test, len(test), size=64, threads=1).at(0)
    return Task(
        batch=lambda step: _turned(batches.at(step)),
        held_out=[(upright.rot90(turns, (2, 3)), torch.full((len(test),), turns)) for turns in range(4)],
        steps=40 * len(training) // 64,
    )


TASKS = {"digits": digits, "mnist": mnist, "images": images}


def _labels(images: ImageSet, indices: np.ndarray) -> Tensor:
    return torch.from_numpy(images.labels[indices])


def _chosen(images: ImageSet, mask: np.ndarray) -> ImageSet:
    return replace(images, images=images.images[mask], labels=images.labels[mask])


def _turned(upright: Tensor) -> Labelled:
    """The images, turned by 0, 90, 180 or 270 degrees in turn; the label counts quarters."""
    quarters = [upright[turns::4].rot90(turns, (2, 3)) for turns in range(4)]
    labels = [torch.full((len(each),), turns) for turns, each in enumerate(quarters)]
    return torch.cat(quarters), torch.cat(labels)


def train(network: ScoreNetwork, task: Task) -> None:
    """Minimise cross-entropy: AdamW, one-cycle schedule, channels last."""
    tqdm = require("tqdm").tqdm
    network.train().to(memory_format=torch.channels_last)
    optimizer = AdamW(network.parameters(), weight_decay=0.05)
    schedule = OneCycleLR(optimizer, max_lr=5e-3, total_steps=task.steps)
    for step in tqdm(range(task.steps), unit="step", mininterval=1.0, disable=None):
        batch, labels = task.batch(step)
        loss = cross_entropy(network(batch.to(memory_format=torch.channels_last)).logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    network.eval().to(memory_format=torch.contiguous_format)


def accuracy(network: ScoreNetwork, task: Task) -> float:
    """The share of the held-out images that the network puts into their class."""
    with torch.no_grad():
        right = torch.cat([network(batch).logits.argmax(1) == labels for batch, labels in task.held_out])
    return right.double().mean().item()


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what `arguments`, by default those of the process, ask for; the exit status is 2 on an error."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("name", choices=TASKS)
    parser.add_argument(
        "--data-root",
        type=Path,
        help="folder that holds the data set, as of `ebgan train gan`; digits need none",
    )
    parser.add_argument("--out", type=Path, required=True, help="file to write (.safetensors)")
    parser.add_argument("--steps", type=int, help="training steps (default: those of the frozen network)")
    options = parser.parse_args(arguments)
    try:
        with cpu_threads(1):
            run(options.name, options.data_root, options.out, options.steps)
    except UserError as error:
        print(f"train_score_network: {error}", file=sys.stderr)
        return 2
    return 0


def run(name: str, data_root: Path | None, out: Path, steps: int | None) -> None:
    task = TASKS[name](data_root)
    if steps is not None:
        at_least("steps", steps, 2)  # the schedule warms up and cools down
        task = replace(task, steps=steps)
    torch.manual_seed(SEED)
    network = NETWORKS[name].build()
    train(network, task)
    content = bytes(require("safetensors.torch").save(network.state_dict()))
    out.write_bytes(content)
    print(f"accuracy on {sum(len(labels) for _, labels in task.held_out)} held-out images: ", end="")
    print(f"{accuracy(network, task):.2%}\nSHA-256 of {out}: {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    sys.exit(main())
