"""Writes a score network as a feature extractor that `ebgan evaluate RUN --extractor FILE` reads.

    python scripts/export_extractor.py images --out images.pt2

An example of such a file, to export a network of your own by: a program of torch.export that takes uint8
images (N, 3, H, W) of any number and size, brings them to its own, and gives features (N, D).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.nn.functional import interpolate

from ebgan.gan.scores import NETWORKS, load_network


class Features(nn.Module):
    """The features (N, D) of the score network `name`, of uint8 images (N, 3, H, W)."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.channels, height, width = NETWORKS[name].image
        self.size = (height, width)
        self.blocks = load_network(name).blocks

    def forward(self, images: Tensor) -> Tensor:
        own = interpolate(images / 127.5 - 1, self.size, mode="bilinear", antialias=True)
        own = own if self.channels == 3 else own.mean(1, keepdim=True)
        return self.blocks(own).mean((2, 3))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("name", choices=NETWORKS)
    parser.add_argument("--out", type=Path, required=True, help="file to write (.pt2)")
    options = parser.parse_args(arguments)
    images = torch.zeros(2, 3, 48, 40, dtype=torch.uint8)
    dynamic = {0: Dim("images"), 2: Dim("height"), 3: Dim("width")}
    program = torch.export.export(Features(options.name), (images,), dynamic_shapes={"images": dynamic})
    torch.export.save(program, options.out)
    print(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
