"""The command `ebgan demo`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import ebgan_kernels
from ebgan.cli.options import Device
from ebgan.demo import nearest_neighbour_check, speed_table
from ebgan.gan import preset, train
from ebgan.training import choose_device


@dataclass(frozen=True)
class Demo:
    """Train on the embedded digits in a minute or two, check the samples, and measure the fused loss.

    The demo writes samples.png and energies.png, and prints how a nearest-neighbour classifier sees the
    samples and how fast the loss is. It needs no download, and replaces an earlier demo in the same folder.
    """

    out: Path = Path("runs/demo")
    """Folder of the run."""
    device: Device = "auto"

    def run(self) -> int:
        print(ebgan_kernels.backend_report(), end="\n\n")
        device = choose_device(self.device)
        system = train(preset("digits"), self.out, device=device, command="demo", replace=True)
        print(f"samples: {self.out / 'samples.png'}\nenergies: {self.out / 'energies.png'}\n")
        check = nearest_neighbour_check(system.generator)
        print(check, end="\n\n", flush=True)
        print(speed_table(device))
        return 0 if check.passed else 1
