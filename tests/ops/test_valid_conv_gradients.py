"""First and second derivatives, and torch.func: right although kernels have no derivative of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from ebgan_kernels.reference.valid_conv import Activation
from support.implementations import OperatorLog, device_of, interpreted
from support.valid_conv import ACTIVATIONS, SMALL, Layer, incoming, leaves_of, tensors_of

DOUBLE = torch.float64
TWO = (Layer((1, 2, 3, 3), 2, (2, 2)), Layer((2, 1, 2, 3), 1, (2, 3)))


@pytest.mark.parametrize("check", [torch.autograd.gradcheck, torch.autograd.gradgradcheck])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_derivatives_equal_finite_differences(
    activation: Activation, bias: bool, check: Callable[..., bool], implementation: ek.Backend
) -> None:
    tensors = tensors_of(TWO, dtype=DOUBLE, device=device_of(implementation), bias=bias)

    def function(*leaves: Tensor) -> tuple[Tensor, ...]:
        biases = leaves[4:] or (None, None)
        return tuple(ek.multiscale_valid_conv2d(leaves[:2], leaves[2:4], biases, activation=activation))

    assert check(function, leaves_of(tensors), fast_mode=interpreted(implementation))


@pytest.mark.parametrize("channels_last", [False, True])
def test_derivatives_of_windows_gathered_to_rows(channels_last: bool, implementation: ek.Backend) -> None:
    layer = Layer((2, 3, 4, 4), 5, (3, 3))
    inputs, weights, biases = tensors_of(
        [layer], device=device_of(implementation), channels_last=channels_last
    )
    leaves = (inputs[0], weights[0], biases[0])
    (upstream,) = incoming((inputs, weights, biases))
    found = torch.autograd.grad(ek.valid_conv2d(*leaves, activation="tanh"), leaves, upstream)
    with ek.backend("reference"):
        expected = torch.autograd.grad(ek.valid_conv2d(*leaves, activation="tanh"), leaves, upstream)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_gradient_is_the_same_whichever_others_are_asked_for(
    activation: Activation, implementation: ek.Backend
) -> None:
    tensors = tensors_of([SMALL, TWO[0]], device=device_of(implementation))
    gradients = incoming(tensors)
    of_all = torch.autograd.grad(
        ek.multiscale_valid_conv2d(*tensors, activation=activation), leaves_of(tensors), gradients
    )
    for needed in range(len(of_all)):
        flat = [
            x.detach().requires_grad_(i == needed) for i, x in enumerate(x for kind in tensors for x in kind)
        ]
        alone = flat[:2], flat[2:4], flat[4:]
        outputs = ek.multiscale_valid_conv2d(*alone, activation=activation)
        wanted = needed % 2
        assert outputs[1 - wanted].requires_grad in (False, True)
        outputs[wanted].backward(gradients[wanted])
        torch.testing.assert_close(flat[needed].grad, of_all[needed])
        assert [x.grad is not None for x in flat] == [i == needed for i in range(len(flat))]


def test_outputs_of_constants_need_no_backward(implementation: ek.Backend) -> None:
    inputs, weights, biases = tensors_of([SMALL], device=device_of(implementation))
    with torch.no_grad():
        assert not ek.valid_conv2d(inputs[0], weights[0], biases[0]).requires_grad


def test_backward_twice_through_one_graph_accumulates(implementation: ek.Backend) -> None:
    tensors = tensors_of([SMALL], device=device_of(implementation))
    (output,) = ek.multiscale_valid_conv2d(*tensors, activation="relu")
    (3 * output.sum()).backward(retain_graph=True)
    once = [x.grad.clone() for x in leaves_of(tensors)]
    (5 * output.sum()).backward()
    torch.testing.assert_close([x.grad for x in leaves_of(tensors)], [8 / 3 * gradient for gradient in once])


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_gradient_penalty_equals_the_references(activation: Activation, kernels: ek.Backend) -> None:
    def penalty_gradients() -> list[Tensor]:
        tensors = tensors_of(TWO, dtype=DOUBLE, device=device_of(kernels))
        outputs = ek.multiscale_valid_conv2d(*tensors, activation=activation)
        total = sum(output.square().sum() for output in outputs)
        gradients = torch.autograd.grad(total, tensors[0], create_graph=True)
        penalty = sum(gradient.square().sum() for gradient in gradients)
        return list(torch.autograd.grad(penalty, leaves_of(tensors)))

    ours = penalty_gradients()
    with ek.backend("reference"):
        torch.testing.assert_close(ours, penalty_gradients())


def test_torch_func_grad_and_vmap(implementation: ek.Backend) -> None:
    inputs, weights, biases = tensors_of([SMALL], dtype=DOUBLE, device=device_of(implementation))
    leaves = (inputs[0], weights[0], biases[0])

    def loss(*layer: Tensor) -> Tensor:
        return ek.valid_conv2d(*layer, activation="leaky_relu").square().sum()

    constants = [x.detach() for x in leaves]
    functional = torch.func.grad(loss, argnums=(0, 1, 2))(*constants)
    torch.testing.assert_close(functional, torch.autograd.grad(loss(*leaves), leaves))
    several = torch.stack([constants[1], 2 * constants[1]])
    mapped = torch.func.vmap(lambda w: loss(constants[0], w, constants[2]))(several)
    torch.testing.assert_close(mapped, torch.stack([loss(constants[0], w, constants[2]) for w in several]))


def test_with_an_activation_only_arguments_and_output_are_kept(kernels: ek.Backend) -> None:
    inputs, weights, biases = tensors_of([SMALL], device=device_of(kernels))
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x.data_ptr()) or x, lambda x: x):
        output = ek.valid_conv2d(inputs[0], weights[0], biases[0], activation="relu")
    allowed = {x.data_ptr() for x in (inputs[0], weights[0], biases[0], output)}
    assert set(kept) <= allowed


def test_a_plain_convolution_runs_on_the_cpu_as_pytorch_has_it() -> None:
    inputs, weights, biases = tensors_of([SMALL])
    with OperatorLog() as log, torch.no_grad():
        ek.valid_conv2d(inputs[0], weights[0], biases[0], activation="relu")
    assert log.names == ["aten.convolution", "aten.relu_"]
