"""The benchmark of valid convolutions and the generator of the table of engines, without timing anything."""

from __future__ import annotations

import pytest
import torch

from benchmarks import bench_valid_conv, valid_conv_discriminator, valid_conv_engines
from benchmarks.bench_valid_conv import JOBS, LAYERS, Case, ConvolutionLayer, draw, layer_rows, variants_of
from benchmarks.rows import PartRow, StepRow
from benchmarks.timing import Timing
from ebgan_kernels import engines
from ebgan_kernels.reference import valid_conv as reference

CPU = torch.device("cpu")
SMALL = Case(ConvolutionLayer("here", 3, 5, 4, 3), 2)


def once(variants: object, _inputs: object, **_: object) -> dict[str, Timing]:
    return {name: Timing(1.0 + i, 0.1, 9) for i, name in enumerate(variants)}  # type: ignore[arg-type, var-annotated]


def test_the_layers_are_those_of_both_tables() -> None:
    assert len(LAYERS) == 22
    assert [(x.channels, x.maps, x.kernel, x.side) for x in LAYERS if x.place.startswith("4to1 D4")] == [
        (15, 128, 7, 32),
        (128, 256, 7, 26),
        (256, 512, 5, 20),
        (512, 128, 5, 16),
    ]


@pytest.mark.parametrize("job", JOBS)
def test_every_variant_computes_the_same(job: str) -> None:
    inputs = draw(SMALL, CPU)
    *layer, gradient = (x.detach().double().requires_grad_() for x in inputs["contiguous"])
    expected = reference.valid_conv2d(*layer, "relu")
    gradients = torch.autograd.grad(expected, layer, gradient)
    for name, variant in variants_of(CPU, job, compiled=False).items():
        with variant.scope():
            output = variant.run(inputs)
        torch.testing.assert_close(output.double(), expected, rtol=1e-5, atol=1e-5)
        if job == "forward+backward":
            found = [leaf.grad.double() for leaf in inputs[name.rpartition(", ")[2]][:3]]
            torch.testing.assert_close(found, list(gradients), rtol=1e-5, atol=1e-5)


def test_a_layers_lines_are_compared_with_the_faster_of_torchs_layouts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def last_is_faster(variants: object, _inputs: object, **_: object) -> dict[str, Timing]:
        return {name: Timing(1.0 if "last" in name else 2.0, 0.1, 9) for name in variants}  # type: ignore[attr-defined]

    monkeypatch.setattr(bench_valid_conv, "wall_times", last_is_faster)
    rows = [row for row in layer_rows(SMALL, CPU, quick=True) if isinstance(row, StepRow)]
    assert {row.job for row in rows} == {f"{job}, float32" for job in JOBS}
    assert rows[0].implementation == "torch, channels_last"
    assert {row.implementation: row.speedup for row in rows}["cpu, contiguous"] == 0.5


def test_a_discriminators_lines_name_the_share_of_dense_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []

    def run_all(variants: object, inputs: object, **_: object) -> dict[str, Timing]:
        for name, variant in variants.items():  # type: ignore[attr-defined]
            with variant.scope():
                ran.append((name, variant.run(inputs)))
        return once(variants, inputs)

    monkeypatch.setattr(valid_conv_discriminator, "wall_times", run_all)
    *steps, part = valid_conv_discriminator.discriminator_rows("8to8", CPU, quick=True)
    assert isinstance(part, PartRow) and part.part == "dense heads"
    names = {row.implementation for row in steps if isinstance(row, StepRow)}
    assert names == {f"{kind}, {layout}" for kind in ("torch", "cpu") for layout in bench_valid_conv.LAYOUTS}
    assert all(loss.isfinite() for _, loss in ran)


@pytest.mark.parametrize(
    ("cudnn", "cuda", "triton", "engine"),
    [(1.0, 0.5, 0.6, "cuda"), (1.0, 0.6, 0.5, "triton"), (1.0, 0.99, 2.0, "cudnn"), (0.4, 0.5, 0.6, "cudnn")],
)
def test_an_engine_of_ours_must_win_by_more_than_noise(
    cudnn: float, cuda: float, triton: float, engine: str
) -> None:
    milliseconds = {"torch": cudnn, "cuda": cuda, "triton": triton}
    timings = {f"{name}, contiguous": Timing(ms, 0.0, 9) for name, ms in milliseconds.items()}
    assert valid_conv_engines.fastest(timings, "contiguous") == engine


def test_where_only_cudnn_runs_it_is_the_engine() -> None:
    assert valid_conv_engines.fastest({"torch, contiguous": Timing(1.0, 0.0, 9)}, "contiguous") == "cudnn"


def test_the_table_has_each_layer_by_dtype_layout_and_batch() -> None:
    timings = {
        f"{name}, {layout}": Timing(ms, 0.0, 9)
        for name, ms in (("torch", 2.0), ("cuda", 1.0))
        for layout in bench_valid_conv.LAYOUTS
    }
    table = valid_conv_engines.table_of(torch.device("cuda"), "abc", lambda case: timings)
    input, weight = torch.empty(8, 15, 4, 4), torch.empty(64, 15, 3, 3)
    for x in (input, input.bfloat16(), input.contiguous(memory_format=torch.channels_last)):
        assert table["layers"][engines.layer_key(x, weight, x.dtype)] == {"8": "cuda", "64": "cuda"}
    assert len(table["layers"]) == 4 * len(LAYERS)
    assert table["commit"] == "abc" and table["date"]
