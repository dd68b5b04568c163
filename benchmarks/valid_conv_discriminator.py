"""The four-scale discriminators whole, forward and backward, for `benchmarks.bench_valid_conv`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

import ebgan_kernels
from benchmarks.operators import available_implementations
from benchmarks.rows import PartRow, Row, StepRow
from benchmarks.timing import Variant, wall_times
from ebgan.video import NETS, MultiscaleDiscriminator, discriminator
from ebgan_kernels import Backend

BATCH = 8
Step = Callable[[], Tensor]


class StreamedDiscriminator(nn.Module):
    """The plain network, each scale on a CUDA stream of its own."""

    def __init__(self, plain: MultiscaleDiscriminator) -> None:
        super().__init__()
        self.plain = plain
        self.streams = [torch.cuda.Stream() for _ in plain.scales]

    def logits(self, maps: list[Tensor]) -> list[Tensor]:
        main = torch.cuda.current_stream()
        found = []
        for stream, layers, x in zip(self.streams, self.plain.scales, maps, strict=True):
            stream.wait_stream(main)
            with torch.cuda.stream(stream):
                found.append(layers(x))
        for stream in self.streams:
            main.wait_stream(stream)
        return found


def _maps(name: str, device: torch.device, form: torch.memory_format) -> list[Tensor]:
    """Frames and what followed, as channels: both need gradients, as in the generator's step."""
    clip = torch.rand(BATCH, 3 * NETS[name].clip_frames, 32, 32, device=device) * 2 - 1
    scales = ebgan_kernels.average_pyramid(clip, 4)
    return [scale.contiguous(memory_format=form).requires_grad_() for scale in scales]


def _step(
    logits: Callable[[list[Tensor]], list[Tensor]], maps: list[Tensor], weights: Sequence[Tensor]
) -> Tensor:
    for leaf in (*maps, *weights):
        leaf.grad = None
    found = torch.cat(logits(list(maps)), 1)
    loss = binary_cross_entropy_with_logits(found, torch.ones_like(found))
    loss.backward()
    return loss


def _captured(step: Step) -> Callable[[], object]:
    """The step as a CUDA graph."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=side):
        step()
    return graph.replay


def _heads(net: MultiscaleDiscriminator) -> list[nn.Sequential]:
    return [
        nn.Sequential(*(layer for layer in layers.children() if not isinstance(layer, nn.Conv2d)))
        for layers in net.scales
    ]


def _features(net: MultiscaleDiscriminator, maps: list[Tensor]) -> list[Tensor]:
    """The inputs of the dense heads."""
    features = []
    for layers, x in zip(net.scales, maps, strict=True):
        for layer in layers.children():
            x = layer(x) if isinstance(layer, nn.Conv2d) else x
        features.append(x.detach().requires_grad_())
    return features


def discriminator_rows(name: str, device: torch.device, *, quick: bool) -> Iterator[Row]:
    width = 0.1 if quick else 1.0
    variants: dict[str, Variant] = {}
    forms = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
    heads: Variant | None = None
    for layout, form in forms.items():
        plain = discriminator(name, width=width, plain=True).to(device, memory_format=form)
        ours = discriminator(name, width=width).to(device, memory_format=form)
        ours.load_state_dict(plain.state_dict())
        maps = _maps(name, device, form)
        step = partial(_step, plain.logits, maps, list(plain.parameters()))
        named: list[tuple[str, Step, Backend]] = [("torch", step, "reference")]
        if device.type == "cuda":
            compiled = torch.compile(plain.logits, dynamic=False)
            streamed = StreamedDiscriminator(plain).logits
            for kind, logits in (("torch.compile", compiled), ("torch, four streams", streamed)):
                named.append((kind, partial(_step, logits, maps, list(plain.parameters())), "reference"))
        for implementation in available_implementations(device):
            of_ours = partial(_step, ours.logits, maps, list(ours.parameters()))
            named.append((implementation, of_ours, implementation))
        for kind, one, implementation in named:
            scope = partial(ebgan_kernels.backend, implementation)
            variants[f"{kind}, {layout}"] = Variant(lambda _, one=one: one(), scope)
            if device.type == "cuda":
                with scope():
                    replay = _captured(one)
                variants[f"{kind}, {layout}, CUDA graph"] = Variant(lambda _, replay=replay: replay())
        if heads is None:
            dense = _heads(plain)
            weights = [parameter for head in dense for parameter in head.parameters()]
            only = partial(
                _step,
                lambda features, dense=dense: [head(x) for head, x in zip(dense, features, strict=True)],
                _features(plain, maps),
                weights,
            )
            heads = Variant(lambda _, only=only: only())
    assert heads is not None
    timings = wall_times({**variants, "dense heads": heads}, None, device=device, quick=quick)
    alone = timings.pop("dense heads")
    best = min((f"torch, {layout}" for layout in forms), key=lambda each: timings[each].median_ms)
    system, job = f"{name} discriminator", "forward+backward, float32"
    yield from StepRow.group(system, job, BATCH, {best: timings[best], **timings})
    share = alone.median_ms / timings[best].median_ms
    yield PartRow(system, job, "dense heads", alone.median_ms, alone.iqr_ms, share)
