"""The modules: equal to the functions, with the parameters and state dict of torch's own."""

from __future__ import annotations

import pytest
import torch

import ebgan_kernels as ek
from support.implementations import device_of
from support.valid_conv import ACTIVATIONS


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("bias", [True, False])
def test_a_module_equals_the_function(activation: str, bias: bool, implementation: ek.Backend) -> None:
    device = device_of(implementation)
    module = ek.ValidConv2d(3, 4, (3, 2), bias, activation=activation, device=device)  # type: ignore[arg-type]
    x = torch.randn(2, 3, 6, 5, device=device)
    expected = ek.valid_conv2d(x, module.weight, module.bias, activation=activation)  # type: ignore[arg-type]
    assert torch.equal(module(x), expected)
    assert (module.bias is not None) == bias


def test_weights_start_as_those_of_torchs_convolution_and_go_into_one() -> None:
    torch.manual_seed(1)
    ours = ek.ValidConv2d(3, 4, 3, activation="relu")
    torch.manual_seed(1)
    torchs = torch.nn.Conv2d(3, 4, 3)
    for name, tensor in torchs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], tensor)
    torchs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 3, 6, 6)
    assert torch.equal(ours(x), torchs(x).relu())


def test_spectral_norm_takes_the_module(implementation: ek.Backend) -> None:
    device = device_of(implementation)
    module = torch.nn.utils.parametrizations.spectral_norm(ek.ValidConv2d(3, 4, 3)).to(device)
    module(torch.randn(2, 3, 6, 6, device=device)).sum().backward()
    assert module.parametrizations.weight.original.grad.any()


def test_a_module_of_scales_equals_its_layers(implementation: ek.Backend) -> None:
    device = device_of(implementation)
    module = ek.MultiscaleValidConv2d([3, 2], [4, 5], [3, (1, 2)], activation="tanh", device=device)
    inputs = [torch.randn(2, 3, 4, 4, device=device), torch.randn(1, 2, 8, 8, device=device)]
    for output, layer, x in zip(module(inputs), module.scales, inputs, strict=True):
        torch.testing.assert_close(output, layer(x))
    assert set(module.state_dict()) == {f"scales.{k}.{name}" for k in (0, 1) for name in ("weight", "bias")}


def test_representations_show_the_options() -> None:
    assert (
        repr(ek.ValidConv2d(3, 4, 5, activation="relu"))
        == "ValidConv2d(3, 4, kernel_size=(5, 5), stride=(1, 1), activation='relu')"
    )
