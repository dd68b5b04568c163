"""Which engine convolves a layer: oneDNN or a product of rows on a CPU, what was measured on CUDA."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator

import pytest
import torch

import ebgan_kernels as ek
from ebgan_kernels import engines
from support.implementations import OperatorLog
from support.valid_conv import Layer, tensors_of

COARSEST, WIDE = Layer((8, 15, 4, 4), 64, (3, 3)), Layer((8, 16, 16, 16), 8, (3, 3))


def operators_of(layer: Layer, *, channels_last: bool, dtype: torch.dtype = torch.float32) -> set[str]:
    inputs, weights, biases = tensors_of([layer], channels_last=channels_last, dtype=dtype)
    with ek.backend("cpu"), torch.no_grad(), OperatorLog() as log:
        ek.valid_conv2d(inputs[0], weights[0], biases[0])
    return set(log.names)


def test_few_channels_last_windows_are_one_product_on_a_cpu() -> None:
    assert "aten.addmm" in operators_of(COARSEST, channels_last=True)


@pytest.mark.parametrize(
    ("layer", "options"),
    [
        (COARSEST, {"channels_last": False}),  # keeps the bits of torch's convolution
        (COARSEST, {"channels_last": True, "dtype": torch.bfloat16}),
        (WIDE, {"channels_last": True}),
    ],
)
def test_what_else_there_is_is_torchs_convolution(layer: Layer, options: dict[str, object]) -> None:
    assert operators_of(layer, **options) == {"aten.convolution"}  # type: ignore[arg-type]


def test_contiguous_layers_keep_the_bits_of_torchs_convolution() -> None:
    for layer in (COARSEST, WIDE):
        inputs, weights, biases = tensors_of([layer])
        expected = torch.nn.functional.conv2d(inputs[0], weights[0], biases[0]).relu()
        assert torch.equal(ek.valid_conv2d(inputs[0], weights[0], biases[0], activation="relu"), expected)


@pytest.fixture
def measured_device(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    path = tmp_path / "engines.json"
    layers = {"float32 contiguous 15x4x4 64x3x3": {"8": "triton", "64": "cudnn"}}
    table = {"date": "2026-11-25", "torch": "2.13.0", "commit": "abc", "layers": layers}
    path.write_text(json.dumps({"Some GPU": table}))
    monkeypatch.setattr(engines, "TABLE", path)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Some GPU")
    engines.measured.cache_clear()
    yield
    engines.measured.cache_clear()


@pytest.mark.usefixtures("measured_device")
@pytest.mark.parametrize(
    ("batch", "maps", "engine"),
    [
        (8, 64, "triton"),
        (1, 64, "triton"),
        (30, 64, "triton"),
        (60, 64, "cudnn"),
        (256, 64, "cudnn"),
        (8, 32, "cudnn"),
    ],
)
def test_a_measured_layer_takes_its_fastest_engine_at_the_nearest_batch(
    batch: int, maps: int, engine: str
) -> None:
    assert (
        engines.cuda_engine(torch.empty(batch, 15, 4, 4), torch.empty(maps, 15, 3, 3), torch.float32)
        == engine
    )


@pytest.mark.usefixtures("measured_device")
def test_a_device_that_was_not_measured_takes_cudnn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Another GPU")
    assert engines.cuda_engine(torch.empty(8, 15, 4, 4), torch.empty(64, 15, 3, 3), torch.float32) == "cudnn"


@pytest.mark.usefixtures("measured_device")
def test_the_report_names_the_measured_devices() -> None:
    assert "Some GPU (2026-11-25)" in ek.backend_report()


def test_the_report_says_where_nothing_was_measured(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "TABLE", tmp_path / "none.json")
    engines.measured.cache_clear()
    (line,) = [line for line in ek.backend_report().splitlines() if line.startswith("valid_conv")]
    assert "no CUDA device has been measured" in line and "cuDNN" in line and "valid_conv_engines" in line
    engines.measured.cache_clear()


def test_scales_of_different_engines_come_back_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    from ebgan_kernels.ops import valid_conv

    layers = (COARSEST, WIDE, Layer((8, 3, 4, 4), 5, (2, 2)))
    tensors = tensors_of(layers)
    expected = ek.multiscale_valid_conv2d(*tensors)
    monkeypatch.setattr(
        valid_conv, "_engine", lambda x, weight: "cpu" if weight.shape[0] == 8 else "reference"
    )
    torch.testing.assert_close(ek.multiscale_valid_conv2d(*tensors), expected)
