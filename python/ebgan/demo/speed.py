"""Times of the discriminator loss computed three ways, and its share of a training step.

All variants of a row are timed in turns within the same seconds, so that a busy machine slows them alike.
Full measurements, with spread, bytes and memory, are those of `benchmarks/`.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

import ebgan_kernels as ek
from ebgan.gan import EBGAN, discriminator, generator
from ebgan_kernels.backends import select
from ebgan_kernels.reference import energy as reference

ROUNDS, ROUND_SECONDS = 25, 0.01


@dataclass(frozen=True)
class Row:
    """The batch of images to measure, and the net whose training step it is part of."""

    shape: tuple[int, int, int, int]
    net: str | None


ROWS = (Row((128, 1, 8, 8), "digits"), Row((128, 1, 32, 32), "mnist"), Row((64, 3, 64, 64), None))


class _Repeat:
    """Batches that are the same real images at every step."""

    def __init__(self, images: Tensor) -> None:
        self.images = images

    def at(self, step: int) -> Tensor:
        return self.images


def interleaved(variants: Mapping[str, Callable[[], object]], device: torch.device) -> dict[str, float]:
    """Median seconds of one call of each variant over `ROUNDS` rounds; in a round each has its turn."""

    def seconds(call: Callable[[], object], repeats: int) -> float:
        begin = time.perf_counter()
        for _ in range(repeats):
            call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return (time.perf_counter() - begin) / repeats

    for call in variants.values():
        seconds(call, 3)
    repeats = {name: max(1, int(ROUND_SECONDS / seconds(call, 3))) for name, call in variants.items()}
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(ROUNDS):
        for name, call in variants.items():
            times[name].append(seconds(call, repeats[name]))
    return {name: statistics.median(values) for name, values in times.items()}


def _losses(shape: tuple[int, ...], device: torch.device) -> tuple[dict[str, Callable[[], object]], str]:
    """The loss with its gradients three ways, at a margin of 1.1 times the mean fake energy; and a note."""
    images = [torch.rand(shape, device=device) * 2 - 1 for _ in range(4)]
    margin = 1.1 * ek.reconstruction_energy(images[2], images[3]).mean()
    for image in images:
        image.requires_grad_()

    def eager() -> Tensor:
        a, b, c, d = images
        return reference.discriminator_loss(a, b, c, d, margin, "l2", "identity")[0]

    def fused() -> Tensor:
        a, b, c, d = images
        return ek.discriminator_loss(a, b, c, d, margin=margin).loss

    compiled = torch.compile(eager)

    def with_gradients(loss: Callable[[], Tensor]) -> Callable[[], object]:
        return lambda: torch.autograd.grad(loss(), images)

    variants = {
        "eager": with_gradients(eager),
        "compile": with_gradients(compiled),
        "fused": with_gradients(fused),
    }
    try:
        variants["compile"]()
    except Exception as error:  # torch.compile raises whatever its compiler raised
        del variants["compile"]
        return variants, f"torch.compile cannot run here: {str(error).strip().splitlines()[0]}"
    return variants, ""


def _steps(row: Row, device: torch.device) -> dict[str, Callable[[], object]]:
    """Whole training steps, with the losses in plain PyTorch and fused."""
    assert row.net is not None
    real = torch.rand(row.shape, device=device) * 2 - 1
    system = EBGAN(
        generator(row.net).to(device), discriminator(row.net).to(device), _Repeat(real), margin=10.0
    )

    def eager() -> None:
        with ek.backend("reference"):
            system.step(1)

    return {"eager": eager, "fused": lambda: system.step(1)}


def _line(*cells: str) -> str:
    widths = (12, 8, 8, 8, 12, 14, 13, 13)
    return " ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))


def speed_table(device: torch.device) -> str:
    """Measure the rows on `device`, and return them as a table."""
    chosen = select(torch.empty(0, device=device))
    place = (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"CPU, {torch.get_num_threads()} threads"
    )
    lines = [
        f"discriminator_loss with its gradients, float32, milliseconds ({place}; fused = {chosen!r})",
        _line("batch", "eager", "compile", "fused", "speed-up", "share of step", "step: eager", "fused"),
    ]
    notes = []
    for row in ROWS:
        variants, note = _losses(row.shape, device)
        notes += [note] if note and note not in notes else []
        loss = interleaved(variants, device)
        step = interleaved(_steps(row, device), device) if row.net else {}
        times = [f"{loss[name] * 1e3:.3f}" if name in loss else "-" for name in ("eager", "compile", "fused")]
        gain = " / ".join(
            f"{loss[name] / loss['fused']:.1f}" for name in ("eager", "compile") if name in loss
        )
        share = f"{loss['eager'] / step['eager']:.1%}" if step else "not measured"
        steps = [f"{step[name] * 1e3:.2f}" if step else "not measured" for name in ("eager", "fused")]
        lines.append(_line("x".join(map(str, row.shape)), *times, gain, share, *steps))
    lines.append("speed-up: fused over eager / over torch.compile")
    lines.append(
        "share of step: the loss by the whole training step, both eager: the most that fusing can save"
    )
    return "\n".join(lines + notes)
