"""Convolutions without padding, with their activation, at one scale or at several.

Mathieu, Couprie, LeCun, "Deep multi-scale video prediction beyond mean square error", arXiv:1511.05440: its
discriminators are stacks of such convolutions at four scales. The coarse ones are so small that launches cost
more than arithmetic.

On a CPU torch's own convolution runs, which is oneDNN's, with the activation in place on its result: an
``autograd.Function`` around it would cost small layers a fifth. Small channels-last layers are gathered into
one matrix product (``ebgan_kernels.engines``). On CUDA one launch of a kernel computes all scales with bias
and activation, for layers where that was measured faster than cuDNN. Double backward and ``torch.func``
transforms run the reference. Programs of ``torch.export`` are forward only: they do not train.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from ebgan_kernels import engines
from ebgan_kernels.backends import Backend, can_run, insisted, select
from ebgan_kernels.checks import FLOATING, check_option, is_dense
from ebgan_kernels.checks.valid_conv import check_layers, check_sizes
from ebgan_kernels.native.valid_conv import ACTIVATIONS
from ebgan_kernels.ops.gradients import needed_gradients
from ebgan_kernels.ops.module import Module
from ebgan_kernels.ops.valid_conv_autograd import MultiscaleValidConv2dFunction, Options
from ebgan_kernels.reference import valid_conv as reference
from ebgan_kernels.reference.dtypes import autocast_dtype
from ebgan_kernels.reference.valid_conv import Activation

_TORCHS = (None, "cpu", "reference")


def valid_conv2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, *, activation: Activation = "none"
) -> Tensor:
    """A convolution without padding, with bias and activation.

    With f the activation (torch's convolution does not flip the kernel, nor does this one)::

        output[n, o, i, j] = f( bias[o] + sum over c, k, l of  weight[o, c, k, l] input[n, c, i + k, j + l] )

    Args:
        input: (N, C, H, W), N may be 0. float16, bfloat16, float32 or float64. Contiguous and channels-last
            inputs are read as they are, others are copied.
        weight: (O, C, KH, KW), KH at most H and KW at most W; the input's dtype and device.
        bias: (O,), or None.
        activation: "none", "relu", "leaky_relu" (slope 0.2 below 0) or "tanh".

    Returns:
        (N, O, H - KH + 1, W - KW + 1), in the input's dtype. Channels-last for a channels-last input.

    Gradients: to input, weight and bias, of every order; relu'(0) = 0, and leaky_relu'(0) = 0.2.
    Errors: ValueError for shapes, devices and options, TypeError for dtypes.
    Memory: the output. The arguments and the output are kept from forward to backward, and nothing from
    before the activation. Kernels sum weight gradients in parts, in a float32 buffer of a few times the
    weights that lives as long as the backward pass.
    Precision: float32 on CUDA follows ``torch.backends.cudnn.conv.fp32_precision``, which torch sets to TF32;
    half types are summed in float32. Under autocast the convolution runs in the autocast type.
    Source: arXiv:1511.05440, section 2, the discriminators.

    Example:
        >>> import torch, ebgan_kernels
        >>> image = torch.arange(9.0).reshape(1, 1, 3, 3)
        >>> ebgan_kernels.valid_conv2d(image, torch.ones(1, 1, 2, 2), torch.tensor([-9.0]), activation="relu")
        tensor([[[[ 0.,  3.],
                  [11., 15.]]]])
    """
    check_option("activation", activation, ACTIVATIONS)
    if _torch_checks(input, weight, bias):
        # torch's convolution checks these arguments itself, so they are checked here only once it has failed,
        # to raise an error in this library's words. Checking before every call took 9 of the 330 us of a
        # small layer's step, and all of this function's own work 20 us (Xeon, torch 2.13, 2026-11-25).
        try:
            return reference.valid_conv2d(input, weight, bias, activation)
        except (RuntimeError, TypeError):
            check_layers((input,), (weight,), (bias,), lists=False)
            raise
    check_layers((input,), (weight,), (bias,), lists=False)
    backend = _engine(input, weight)
    if backend in ("cpu", "reference"):
        return _plain(input, weight, bias, activation, backend)
    return _by_kernels([(input, weight, bias)], activation, backend)[0]


def _torch_checks(input: Tensor, weight: Tensor, bias: Tensor | None) -> bool:
    """Whether torch's convolution runs on a CPU and itself refuses all wrong arguments not tested here.

    That convolution is both "cpu" and "reference", and is what ``torch.func`` transforms take.
    """
    return (
        insisted() in _TORCHS
        and isinstance(input, Tensor)
        and isinstance(weight, Tensor)
        and is_dense(input)
        and is_dense(weight)
        and input.is_cpu
        and weight.is_cpu
        and (bias is None or (isinstance(bias, Tensor) and is_dense(bias) and bias.is_cpu))
        and input.dtype in FLOATING
        and input.dim() == weight.dim() == 4
        and input.shape[1] > 0
        and (input.is_contiguous() or not engines.rows_win(input, weight))
        and not torch.compiler.is_compiling()
    )


def multiscale_valid_conv2d(
    inputs: Sequence[Tensor],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor | None],
    *,
    activation: Activation = "none",
) -> list[Tensor]:
    """One layer of a network at every scale: :func:`valid_conv2d` for each, with kernels in one launch.

    Args:
        inputs: a tensor (N, C, H, W) for each scale, all of one dtype and device. N, C, O and kernel may
            differ from scale to scale.
        weights: a tensor (O, C, KH, KW) for each scale.
        biases: a tensor (O,) or None for each scale.
        activation: as in :func:`valid_conv2d`, for all scales.

    Returns:
        The outputs, in the order of the scales.

    Gradients: as in :func:`valid_conv2d`, to every tensor of every scale.
    Errors: ValueError for lists of different lengths, or empty; else as in :func:`valid_conv2d`.
    Memory: as in :func:`valid_conv2d`.
    Source: arXiv:1511.05440, section 2: four scales.

    Example:
        >>> import torch, ebgan_kernels
        >>> images = [torch.ones(1, 1, size, size) for size in (2, 4)]
        >>> kernels = [torch.ones(1, 1, size, size) for size in (2, 3)]
        >>> [x.flatten().tolist() for x in ebgan_kernels.multiscale_valid_conv2d(images, kernels, [None] * 2)]
        [[4.0], [9.0, 9.0, 9.0, 9.0]]
    """
    check_option("activation", activation, ACTIVATIONS)
    check_layers(inputs, weights, biases, lists=True)
    return _multiscale(inputs, weights, biases, activation)


def _multiscale(
    inputs: Sequence[Tensor],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor | None],
    activation: Activation,
) -> list[Tensor]:
    """Convolves every scale with its engine; scales of one engine share a launch."""
    layers = list(zip(inputs, weights, biases, strict=True))
    chosen = [_engine(input, weight) for input, weight, _ in layers]
    outputs: dict[int, Tensor] = {}
    for backend in dict.fromkeys(chosen):
        scales = [scale for scale, engine in enumerate(chosen) if engine == backend]
        of_engine = [layers[scale] for scale in scales]
        if backend in ("cpu", "reference"):
            found: Sequence[Tensor] = [_plain(*layer, activation, backend) for layer in of_engine]
        else:
            found = _by_kernels(of_engine, activation, backend)
        outputs.update(zip(scales, found, strict=True))
    return [outputs[scale] for scale in range(len(layers))]


def _engine(input: Tensor, weight: Tensor) -> Backend:
    backend = select(input)
    if backend not in ("cuda", "triton") or insisted() is not None:
        return backend
    engine = engines.cuda_engine(input, weight, _autocast_dtype(input) or input.dtype)
    if engine == "cudnn":
        return "reference"
    return engine if can_run(engine, input) else backend


def _plain(
    input: Tensor, weight: Tensor, bias: Tensor | None, activation: Activation, backend: Backend
) -> Tensor:
    """Convolves one scale in torch's own operations, with torch's own autograd."""
    if backend == "cpu" and engines.rows_win(input, weight) and _autocast_dtype(input) is None:
        return _by_rows(input, weight, bias, activation)
    return reference.valid_conv2d(input, weight, bias, activation)


def _by_rows(input: Tensor, weight: Tensor, bias: Tensor | None, activation: Activation) -> Tensor:
    """Convolves a channels-last image as one product of its windows, as rows in memory order, and weights."""
    samples, channels, height, width = input.shape
    maps, _, rows, columns = weight.shape
    windows = input.unfold(2, rows, 1).unfold(3, columns, 1).permute(0, 2, 3, 4, 5, 1)
    gathered = windows.reshape(-1, rows * columns * channels)
    matrix = weight.permute(0, 2, 3, 1).reshape(maps, -1).t()
    product = torch.mm(gathered, matrix) if bias is None else torch.addmm(bias, gathered, matrix)
    output = reference.IN_PLACE[activation](product)
    return output.view(samples, height - rows + 1, width - columns + 1, maps).permute(0, 3, 1, 2)


def _by_kernels(
    layers: Sequence[tuple[Tensor, Tensor, Tensor | None]], activation: Activation, backend: Backend
) -> tuple[Tensor, ...]:
    tensors = [tensor for kind in zip(*layers, strict=True) for tensor in kind]
    first = layers[0][0]
    dtype = _autocast_dtype(first)
    if dtype is not None:
        tensors = [tensor if tensor is None else tensor.to(dtype) for tensor in tensors]
    tf32 = first.is_cuda and _allows_tf32()
    options = Options(len(layers), activation, tf32, backend, needed_gradients(*tensors))
    return MultiscaleValidConv2dFunction.apply(options, *tensors)


def _allows_tf32() -> bool:
    precision: str = torch.backends.cudnn.conv.fp32_precision  # type: ignore[attr-defined]
    return precision == "tf32"


# Dynamo cannot trace the getter, so a compiled function keeps the setting under which it was compiled.
_allows_tf32._dynamo_marked_constant = True  # type: ignore[attr-defined]


def _autocast_dtype(tensor: Tensor) -> torch.dtype | None:
    """The dtype that autocast requires; None where it is off, and for float64, which it leaves alone."""
    return None if tensor.dtype == torch.float64 else autocast_dtype(tensor.device.type)


class ValidConv2d(Module, nn.Conv2d):
    """:func:`valid_conv2d` as a module, with parameters, initialisation and state dict of ``nn.Conv2d``.

    Args:
        in_channels: C, the channels of the input.
        out_channels: O, the channels of the output.
        kernel_size: the height and width of the kernel, or one number for both.
        bias: whether the layer has a bias.
        activation: "none", "relu", "leaky_relu" or "tanh".
        device: the device of the parameters.
        dtype: the dtype of the parameters.

    Example:
        >>> import torch, ebgan_kernels
        >>> ebgan_kernels.ValidConv2d(3, 8, 5, activation="relu")(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 8, 28, 28])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        bias: bool = True,
        *,
        activation: Activation = "none",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, bias=bias, device=device, dtype=dtype)
        check_option("activation", activation, ACTIVATIONS)
        self.activation: Activation = activation

    def forward(self, input: Tensor) -> Tensor:
        """The output (N, O, H - KH + 1, W - KW + 1).

        Args:
            input: (N, C, H, W).
        """
        return valid_conv2d(input, self.weight, self.bias, activation=self.activation)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, activation={self.activation!r}"


class MultiscaleValidConv2d(Module):
    """:func:`multiscale_valid_conv2d` as a module; ``scales`` holds a :class:`ValidConv2d` for each scale.

    Args:
        in_channels: C of each scale.
        out_channels: O of each scale.
        kernel_sizes: the kernel of each scale: height and width, or one number for both.
        bias: whether the layers have biases.
        activation: "none", "relu", "leaky_relu" or "tanh", for all scales.
        device: the device of the parameters.
        dtype: the dtype of the parameters.

    Example:
        >>> import torch, ebgan_kernels
        >>> layer = ebgan_kernels.MultiscaleValidConv2d([3, 3], [8, 16], [3, 5])
        >>> [tuple(x.shape) for x in layer([torch.zeros(2, 3, 16, 16), torch.zeros(2, 3, 32, 32)])]
        [(2, 8, 14, 14), (2, 16, 28, 28)]
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: Sequence[int],
        kernel_sizes: Sequence[int | tuple[int, int]],
        bias: bool = True,
        *,
        activation: Activation = "none",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_option("activation", activation, ACTIVATIONS)
        check_sizes(in_channels, out_channels, kernel_sizes)
        self.activation: Activation = activation
        self.scales = nn.ModuleList(
            ValidConv2d(*sizes, bias, activation=activation, device=device, dtype=dtype)
            for sizes in zip(in_channels, out_channels, kernel_sizes, strict=True)
        )

    def forward(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """The outputs (N, O, H - KH + 1, W - KW + 1), one a scale.

        Args:
            inputs: (N, C, H, W), one a scale.
        """
        scales = cast("list[ValidConv2d]", list(self.scales))
        return multiscale_valid_conv2d(
            inputs,
            [scale.weight for scale in scales],
            [scale.bias for scale in scales],
            activation=self.activation,
        )
