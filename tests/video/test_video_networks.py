"""The networks of both tables, exactly, and what they do with frames and scales."""

from __future__ import annotations

import logging

import pytest
import torch
from torch import Tensor, nn

import ebgan_kernels as ek
from ebgan import UserError
from ebgan.video import NETS, discriminator, generator
from ebgan.video.discriminator import MultiscaleDiscriminator, PlainMultiscaleDiscriminator

CPU_WIDTH = 0.05


def parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def clip(frames: int, height: int = 32, width: int = 32, *, scales: int = 4) -> list[Tensor]:
    return ek.average_pyramid(torch.rand(2, frames, 3, height, width) * 2 - 1, scales)


@pytest.mark.parametrize(
    ("name", "by_scale", "total"),
    [
        ("4to1", [607_619, 647_939, 3_008_003, 8_306_179], 12_569_740),
        ("8to8", [40_456, 56_200, 371_448, 818_040], 1_286_144),
    ],
)
def test_a_generator_has_the_parameters_of_its_table(name, by_scale, total):
    with torch.device("meta"):
        net = generator(name)
    assert [parameters(scale) for scale in net.scales] == by_scale
    assert parameters(net) == total


@pytest.mark.parametrize(
    ("name", "by_scale", "total"),
    [
        ("4to1", [271_873, 1_280_769, 7_226_881, 11_860_865], 20_640_388),
        ("8to8", [23_569, 86_865, 487_585, 2_003_297], 2_601_316),
    ],
)
def test_a_discriminator_has_the_parameters_of_its_table(name, by_scale, total):
    with torch.device("meta"):
        net = discriminator(name)
    assert [parameters(scale) for scale in net.scales] == by_scale
    assert parameters(net) == total


@pytest.mark.parametrize("network", [MultiscaleDiscriminator, PlainMultiscaleDiscriminator])
def test_a_discriminator_may_see_one_frame_and_one_that_follows(network):
    net = network(NETS["4to1"].discriminator, input_frames=1, target_frames=1, width=CPU_WIDTH)
    assert net(clip(1), clip(1)).shape == (2, 4)


@pytest.mark.parametrize(
    ("name", "flat"), [("4to1", [256, 512, 4096, 4608]), ("8to8", [64, 128, 1024, 4608])]
)
def test_a_discriminators_maps_shrink_as_its_table_says(name, flat):
    net = discriminator(name)
    frames = clip(NETS[name].clip_frames)
    sides = []
    for layers, scale in zip(net.scales, frames, strict=True):
        maps = scale.flatten(1, 2)
        sides.append([maps.shape[-1]])
        for layer in layers:
            if isinstance(layer, nn.Flatten):
                break
            maps = layer(maps)
            sides[-1].append(maps.shape[-1])
    assert sides == [[4, 2], [8, 6, 4, 2], [16, 12, 8, 4], [32, 26, 20, 16, 12, 6]]
    assert [_first_dense(layers).in_features for layers in net.scales] == flat


def _first_dense(layers: nn.Sequential) -> nn.Linear:
    return next(layer for layer in layers if isinstance(layer, nn.Linear))


@pytest.mark.parametrize("name", ["4to1", "8to8"])
def test_predictions_and_logits_come_at_every_scale(name):
    nets = NETS[name]
    frames = clip(nets.clip_frames)
    given = [scale[:, : nets.input_frames] for scale in frames]
    predictions = generator(name, width=CPU_WIDTH)(given)
    expected = [(2, nets.target_frames, 3, side, side) for side in (4, 8, 16, 32)]
    assert [tuple(prediction.shape) for prediction in predictions] == expected
    assert discriminator(name, width=CPU_WIDTH)(given, predictions).shape == (2, 4)


def zeroed(name: str, coarsest: Tensor, **options: str) -> nn.Module:
    """A generator of zero convolutions, but that the coarsest ones return `coarsest`."""
    net = generator(name, width=CPU_WIDTH, **options)
    for parameter in net.parameters():
        nn.init.zeros_(parameter)
    net.scales[0].register_forward_hook(lambda *_: coarsest)
    return net


def upscaled(frames: Tensor) -> Tensor:
    return frames.repeat_interleave(2, -1).repeat_interleave(2, -2)


def test_zero_convolutions_give_the_tanh_of_the_guess_scale_by_scale():
    coarsest = torch.randn(2, 24, 4, 4)
    prediction, *finer = zeroed("8to8", coarsest)(clip(8))
    torch.testing.assert_close(prediction.flatten(1, 2), coarsest.tanh())
    for following in finer:
        torch.testing.assert_close(following, upscaled(prediction).tanh())
        prediction = following


def test_the_tanh_before_the_sum_leaves_the_guess_as_it_is():
    prediction, *finer = zeroed("8to8", torch.randn(2, 24, 4, 4), tanh="before")(clip(8))
    for following in finer:
        torch.testing.assert_close(following, upscaled(prediction))
        prediction = following


def test_each_finer_scale_sees_the_guess_behind_its_frames():
    net = generator("4to1", width=CPU_WIDTH)
    inputs = []
    for layers in net.scales:
        layers.register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
    frames = clip(4)
    predictions = net(frames)
    torch.testing.assert_close(inputs[0], frames[0].flatten(1, 2), rtol=0, atol=0)
    for given, scale, coarser in zip(inputs[1:], frames[1:], predictions, strict=False):
        expected = torch.cat((scale.flatten(1, 2), upscaled(coarser[:, 0])), 1)
        torch.testing.assert_close(given, expected, rtol=0, atol=0)


def test_a_generator_trained_on_patches_predicts_whole_frames():
    net = generator("4to1", width=CPU_WIDTH)
    frames = torch.rand(1, 4, 3, 240, 320) * 2 - 1
    with torch.no_grad():
        prediction = net.predict(frames)
        assert prediction.shape == (1, 1, 3, 240, 320)
        assert prediction.abs().max() <= 1
        shifted = net.predict(frames.roll((16, -24), (-2, -1)))
    inside = slice(80, 160)  # the roll's seam and the frame's border are farther than the nets see
    torch.testing.assert_close(
        shifted[..., inside, inside], prediction.roll((16, -24), (-2, -1))[..., inside, inside]
    )


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize("colour", range(3))
def test_frames_enter_as_channels_in_the_order_of_time(position, colour):
    net = generator("4to1", width=CPU_WIDTH)
    for parameter in net.parameters():
        nn.init.zeros_(parameter)
    maps = net.scales[0]
    with torch.no_grad():  # a path that copies one channel to the output's red, through centres of kernels
        maps[0].weight[0, 3 * position + colour, 1, 1] = 1
        maps[0].bias[0] = 1  # into the range where ReLU does nothing
        for layer in maps[1:]:
            layer.weight[0, 0, 1, 1] = 1
    frames = clip(4)
    coarsest = net(frames)[0]
    torch.testing.assert_close(coarsest[:, 0, 0], (frames[0][:, position, colour] + 1).tanh())
    assert not coarsest[:, 0, 1:].any()


def test_a_discriminator_judges_targets_by_the_frames_before_them():
    net = discriminator("4to1", width=CPU_WIDTH)
    frames, others, targets = clip(4), clip(4), clip(1)
    logits = net(frames, targets)
    assert not torch.allclose(net(others, targets), logits)
    assert not torch.allclose(net(frames, clip(1)), logits)


@pytest.mark.parametrize("name", ["4to1", "8to8"])
def test_a_plain_discriminator_has_the_same_weights_logits_and_gradients(name):
    net = discriminator(name, width=CPU_WIDTH)
    plain = discriminator(name, width=CPU_WIDTH, plain=True)
    plain.load_state_dict(net.state_dict())
    assert list(plain.state_dict()) == list(net.state_dict())
    frames, targets = clip(NETS[name].input_frames), clip(NETS[name].target_frames)
    results = []
    for each in (net, plain):
        inputs = [scale.clone().requires_grad_() for scale in targets]
        logits = each(frames, inputs)
        logits.square().sum().backward()
        results.append([logits.detach(), *(p.grad for p in each.parameters()), *(x.grad for x in inputs)])
    # On a CPU to the last bit: runs that were trained scale by scale go on as they were.
    assert all(map(torch.equal, *results))


def test_the_convolutions_of_one_depth_are_one_operation_of_all_scales(monkeypatch):
    depths = []

    def record(inputs, weights, biases, *, activation):
        depths.append((len(inputs), activation))
        return [
            torch.nn.functional.conv2d(*layer).relu() for layer in zip(inputs, weights, biases, strict=True)
        ]

    monkeypatch.setattr(ek, "multiscale_valid_conv2d", record)
    discriminator("4to1", width=CPU_WIDTH)(clip(4), clip(1))
    assert depths == [(4, "relu"), (3, "relu"), (3, "relu"), (1, "relu")]


def test_width_is_a_factor_on_maps_and_units():
    net = discriminator("8to8", width=0.5)
    assert [layer.out_channels for layer in net.scales[3] if isinstance(layer, nn.Conv2d)] == [16, 32, 64, 64]
    assert [layer.out_features for layer in net.scales[3] if isinstance(layer, nn.Linear)] == [128, 64, 1]
    assert [layer.out_channels for layer in generator("8to8", width=0.001).scales[0]] == [1, 1, 1, 24]


def test_the_state_dict_numbers_layers_whatever_computes_them():
    names = generator("4to1", width=CPU_WIDTH).state_dict().keys()
    assert {name for name in names if name.startswith("scales.0")} == {
        f"scales.0.{layer}.{part}" for layer in range(4) for part in ("weight", "bias")
    }


def test_larger_patches_need_larger_dense_layers():
    with torch.device("meta"):
        net = discriminator("4to1", patch=64)
    assert [_first_dense(layers).in_features for layers in net.scales] == [2304, 12_800, 102_400, 61_952]


def test_the_size_of_large_dense_layers_is_told_before_they_are_allocated(monkeypatch, caplog):
    def refuse(*sizes: int) -> None:
        raise MemoryError

    monkeypatch.setattr(nn, "Linear", refuse)
    with caplog.at_level(logging.WARNING), pytest.raises(MemoryError):
        discriminator("4to1", patch=64)
    (record,) = caplog.records
    message = record.getMessage()
    assert "61,952x1,024" in message and "182,583,296 weights in all, 0.73 GB" in message
    assert "\n" not in message


def test_patches_of_the_papers_size_need_no_word(caplog):
    with caplog.at_level(logging.WARNING), torch.device("meta"):
        discriminator("4to1")
    assert not caplog.records


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: generator("5to5"), "net: got '5to5', allowed are 4to1, 8to8"),
        (lambda: generator("4to1", tanh="never"), "tanh: got 'never', allowed are after, before"),
        (lambda: generator("4to1", width=0.0), "width: got 0.0"),
        (lambda: discriminator("4to1", patch=24), "patch: got 24, allowed are multiples of 8"),
        (lambda: discriminator("4to1", patch=36), "patch: got 36, allowed are multiples of 8"),
        (
            lambda: generator("4to1", width=CPU_WIDTH)(clip(8)),
            r"frames: got the shape \(2, 8, 3, 4, 4\), allowed is \(B, 4, 3, H, W\)",
        ),
        (
            lambda: generator("4to1", width=CPU_WIDTH)(clip(4, scales=3)),
            "frames: got 8x8, 16x16, 32x32, allowed are 4 scales from coarse to fine",
        ),
        (
            lambda: generator("4to1", width=CPU_WIDTH)(clip(4)[::-1]),
            "frames: got 32x32, 16x16, 8x8, 4x4, allowed are 4 scales from coarse to fine",
        ),
        (lambda: generator("4to1", width=CPU_WIDTH)([]), "frames: got none"),
        (
            lambda: discriminator("4to1", width=CPU_WIDTH)(clip(4, 64, 64), clip(1, 64, 64)),
            "frames: got 64x64 pixels, this discriminator's patch is 32x32",
        ),
        (
            lambda: discriminator("4to1", width=CPU_WIDTH)(clip(4), clip(2)),
            r"targets: got the shape \(2, 2, 3, 4, 4\), allowed is \(B, 1, 3, H, W\)",
        ),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(UserError, match=message):
        call()
