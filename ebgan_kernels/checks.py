"""What every operator asks of its arguments.

A message names the argument, what came, what is allowed, and the remedy.

The checks pass in one expression and look for the words only when it is false: they run on every call.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from ebgan_kernels.native.library import accumulation_dtype

_MIXING = frozenset({torch.float16, torch.bfloat16, torch.float32})
FLOATING = _MIXING | {torch.float64}


def check_option(name: str, value: str, allowed: Collection[str]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(map(repr, allowed))}")


def check_floating(name: str, tensor: Tensor) -> None:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name} is {type(tensor).__name__}; it must be a torch.Tensor")
    if tensor.dtype not in FLOATING:
        raise TypeError(
            f"{name} is {tensor.dtype}; it must be float16, bfloat16, float32 or float64:"
            f" convert it with {name}.float()"
        )


def check_together(first_name: str, first: Tensor, second_name: str, second: Tensor) -> None:
    """One device, and float64 only with float64."""
    if first.device != second.device:
        raise ValueError(
            f"{second_name} is on {second.device} and {first_name} on {first.device};"
            f" move one with {second_name}.to({first_name}.device)"
        )
    if (first.dtype == torch.float64) != (second.dtype == torch.float64):
        raise TypeError(
            f"{first_name} is {first.dtype} and {second_name} {second.dtype}; float64 goes only with float64"
            " (float16, bfloat16 and float32 mix freely): convert one of them"
        )


def check_pair(first_name: str, first: Tensor, second_name: str, second: Tensor) -> None:
    """Two batches of samples, (N, ...), of one shape and device, floating."""
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        a, b = first.dtype, second.dtype
        if (
            ((a is b and a in FLOATING) or (a in _MIXING and b in _MIXING))
            and first.shape == second.shape
            and first.device == second.device
            and first.dim() > 0
        ):
            return
    check_floating(first_name, first)
    check_floating(second_name, second)
    if first.dim() == 0 or second.dim() == 0:
        name = first_name if first.dim() == 0 else second_name
        raise ValueError(f"{name} has no dimension; it must be a batch of samples (N, ...): use {name}[None]")
    if first.shape != second.shape:
        raise ValueError(
            f"{first_name} has shape {tuple(first.shape)} and {second_name} {tuple(second.shape)};"
            " they must be equal (nothing is broadcast): expand or reshape one of them"
        )
    check_together(first_name, first, second_name, second)


def check_energies(first_name: str, first: Tensor, second_name: str, second: Tensor) -> None:
    """Two vectors of per-sample energies, floating, on one device; their lengths may differ."""
    for name, energy in ((first_name, first), (second_name, second)):
        check_floating(name, energy)
        if energy.dim() != 1:
            raise ValueError(
                f"{name} has shape {tuple(energy.shape)}; it must be (N,), one energy a sample:"
                " a hinge of a batch mean is a different loss"
            )
    check_together(first_name, first, second_name, second)


def check_codes(codes: Tensor, processes: int = 1) -> None:
    """Codes (N, ...), floating, of at least two samples in the batch that so many processes share."""
    check_floating("codes", codes)
    if codes.dim() == 0:
        raise ValueError("codes has no dimension; it must be a batch of codes (N, ...): use codes[None]")
    if codes.shape[0] * processes < 2:
        raise ValueError(
            f"codes has shape {tuple(codes.shape)}; pulling away takes the codes of at least 2 samples"
            " (there is no pair in fewer): use a larger batch, or leave the term out"
        )


def check_spatial_dims(spatial_dims: int) -> None:
    if spatial_dims not in (2, 3):
        raise ValueError(f"spatial_dims is {spatial_dims!r}; it must be 2, for (H, W), or 3, for (D, H, W)")


def check_images(
    first_name: str,
    first: Tensor,
    second_name: str,
    second: Tensor,
    spatial_dims: int,
    reduction: str = "mean",
) -> None:
    """A pair (..., H, W) or (..., D, H, W), with samples before that where each has a result of its own."""
    check_pair(first_name, first, second_name, second)
    shape, leading = first.shape, int(reduction == "none")
    axes = "(D, H, W)" if spatial_dims == 3 else "(H, W)"
    if len(shape) < leading + spatial_dims:
        needs = f"samples (N, ...) before {axes} for reduction 'none'" if leading else f"at least {axes}"
        raise ValueError(
            f"{first_name} has shape {tuple(shape)}; with spatial_dims={spatial_dims} it must have {needs}:"
            f" use {first_name}[None]"
        )
    if min(shape[-spatial_dims:]) < 2:
        raise ValueError(
            f"{first_name} has shape {tuple(shape)}; its last axes {axes} must be at least 2 long each"
            " (there is no pair of neighbours in fewer): use larger images, or another spatial_dims"
        )


def check_exponents(p: int, alpha: float) -> None:
    if p not in (1, 2):
        raise ValueError(f"p is {p!r}; it must be 1 or 2")
    if not isinstance(alpha, (int, float)):
        raise TypeError(f"alpha is {type(alpha).__name__}; it must be a float")
    if not 1 <= alpha < math.inf:
        raise ValueError(f"alpha is {alpha}; it must be 1 or more, and finite")


def check_loss_weights(lp_weight: float, gdl_weight: float) -> None:
    check_weight("lp_weight", lp_weight)
    check_weight("gdl_weight", gdl_weight)
    if lp_weight == 0 and gdl_weight == 0:
        raise ValueError("lp_weight and gdl_weight are both 0; one must be positive, or nothing is left")


def check_levels(x: Tensor, levels: int) -> None:
    """(..., H, W) that can be halved levels - 1 times."""
    check_floating("x", x)
    if not isinstance(levels, int) or levels < 1:
        raise ValueError(f"levels is {levels!r}; it must be an integer of at least 1, with x itself")
    if x.dim() < 2:
        raise ValueError(f"x has shape {tuple(x.shape)}; it must have at least (H, W)")
    divisor = 2 ** (levels - 1)
    if any(size % divisor or size == 0 for size in x.shape[-2:]):
        raise ValueError(
            f"x has shape {tuple(x.shape)}; for {levels} levels height and width must be multiples of"
            f" {divisor}: crop or pad it, or take fewer levels"
        )


def check_scales(
    predictions: Sequence[Tensor], target: Tensor, scale_weights: Sequence[float] | None
) -> None:
    """Predictions coarse to fine, each half the next one's size, the last of the target's shape."""
    if isinstance(predictions, Tensor) or len(predictions) == 0:
        came = "a tensor" if isinstance(predictions, Tensor) else "empty"
        raise ValueError(f"predictions is {came}; it must be a list of one tensor a scale, coarsest first")
    if scale_weights is not None:
        if len(scale_weights) != len(predictions):
            raise ValueError(
                f"scale_weights has {len(scale_weights)} values and predictions {len(predictions)}; pass one"
                " weight a scale, coarsest first"
            )
        for k, weight in enumerate(scale_weights):
            check_weight(f"scale_weights[{k}]", weight)
    finest = len(predictions) - 1
    check_images(f"predictions[{finest}]", predictions[finest], "target", target, 2)
    for k, prediction in enumerate(predictions[:-1]):
        name, factor = f"predictions[{k}]", 2 ** (finest - k)
        check_floating(name, prediction)
        *leading, height, width = prediction.shape if prediction.dim() > 1 else (0, 0)
        if (*leading, height * factor, width * factor) != target.shape or min(height, width) < 2:
            raise ValueError(
                f"{name} has shape {tuple(prediction.shape)} and target {tuple(target.shape)}; it must"
                f" have the target's shape with height and width divided by {factor}, each at least 2:"
                " resize it, or order predictions coarse to fine"
            )
        check_together("target", target, name, prediction)


def check_layers(
    inputs: Sequence[Tensor], weights: Sequence[Tensor], biases: Sequence[Tensor | None], *, lists: bool
) -> None:
    """Convolutions without padding, one a scale, of one dtype and device; under autocast dtypes mix."""
    if not lists or (not isinstance(inputs, Tensor) and 0 < len(inputs) == len(weights) == len(biases)):
        first = inputs[0]
        for layer in zip(inputs, weights, biases, strict=True):
            if not _is_layer(*layer, first):
                break
        else:
            return
    elif isinstance(inputs, Tensor) or len(inputs) == 0:
        came = "a tensor" if isinstance(inputs, Tensor) else "empty"
        raise ValueError(f"inputs is {came}; it must be a list of one tensor a scale")
    else:
        raise ValueError(
            f"inputs has {len(inputs)} tensors, weights {len(weights)} and biases {len(biases)}; pass as many"
            " of each, a bias that is absent as None"
        )
    names = ("inputs[{}]", "weights[{}]", "biases[{}]") if lists else ("input", "weight", "bias")
    for scale, layer in enumerate(zip(inputs, weights, biases, strict=True)):
        _check_layer(layer, [name.format(scale) for name in names], first, names[0].format(0))


def _is_layer(input: Tensor, weight: Tensor, bias: Tensor | None, first: Tensor) -> bool:
    """Whether all is well, so that no words are needed."""
    tensors = (input, weight) if bias is None else (input, weight, bias)
    for tensor in tensors:
        if not isinstance(tensor, Tensor) or tensor.device != first.device:
            return False
        if tensor.dtype is not first.dtype or tensor.dtype not in FLOATING:
            return False
    if input.dim() != 4 or weight.dim() != 4:
        return False
    (_, channels, height, width), (maps, of_weight, rows, columns) = input.shape, weight.shape
    return (
        channels == of_weight > 0
        and maps > 0
        and height >= rows > 0
        and width >= columns > 0
        and (bias is None or bias.shape == (maps,))
    )


def _check_layer(
    layer: tuple[Tensor, Tensor, Tensor | None], names: Sequence[str], first: Tensor, first_name: str
) -> None:
    input, weight, bias = layer
    input_name, weight_name, bias_name = names
    for name, tensor in zip(names, layer, strict=True):
        if tensor is not None:
            check_floating(name, tensor)
    for name, tensor, axes in ((input_name, input, "(N, C, H, W)"), (weight_name, weight, "(O, C, KH, KW)")):
        if tensor.dim() != 4:
            remedy = f": use {name}[None]" if tensor.dim() == 3 else ""
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}; it must be {axes}{remedy}")
    shapes = f"{input_name} has shape {tuple(input.shape)} and {weight_name} {tuple(weight.shape)}"
    if input.shape[1] != weight.shape[1]:
        raise ValueError(f"{shapes}; the second axes, channels, must be equal (there are no groups)")
    if any(size < kernel for size, kernel in zip(input.shape[2:], weight.shape[2:], strict=True)):
        raise ValueError(
            f"{shapes}; without padding the image must be at least as large as the kernel: pad it with"
            " torch.nn.functional.pad, or use larger images"
        )
    if 0 in (*input.shape[1:], *weight.shape):
        raise ValueError(f"{shapes}; no axis but the first of {input_name} may be empty")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(
            f"{bias_name} has shape {tuple(bias.shape)}; it must be ({weight.shape[0]},), one value for each"
            f" map of {weight_name}, or None"
        )
    for name, tensor in zip(names, layer, strict=True):
        if tensor is not None:
            _check_beside(first_name, first, name, tensor)


def _check_beside(first_name: str, first: Tensor, name: str, tensor: Tensor) -> None:
    """One device and, where autocast does not convert, one dtype."""
    if tensor.device != first.device:
        check_together(first_name, first, name, tensor)
    device = first.device.type
    converts = torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)
    if converts and torch.float64 not in (tensor.dtype, first.dtype):
        return
    if tensor.dtype != first.dtype:
        raise TypeError(
            f"{first_name} is {first.dtype} and {name} {tensor.dtype}; a convolution takes one dtype: convert"
            f" one with {name}.to({first_name}.dtype), or use torch.autocast"
        )


def check_weight(name: str, weight: float) -> None:
    if not isinstance(weight, (int, float)):
        raise TypeError(f"{name} is {type(weight).__name__}; it must be a float")
    if not weight >= 0:
        raise ValueError(f"{name} is {weight}; it must be 0 or more")


def margin_tensor(margin: float | Tensor, beside: Tensor) -> Tensor:
    """The margin as a 0-d tensor on the device of ``beside``, without a host synchronisation."""
    if isinstance(margin, Tensor):
        if margin.dim() != 0 or margin.dtype not in FLOATING:
            raise ValueError(
                f"margin is a tensor of shape {tuple(margin.shape)} and {margin.dtype}; it must be a float"
                " or a 0-d floating tensor: use margin.float().reshape(())"
            )
        if margin.device != beside.device:
            raise ValueError(
                f"margin is on {margin.device} and the energies on {beside.device}; move it once, with"
                f" margin.to({str(beside.device)!r}): copying it at every call would wait for the device"
            )
        if margin.requires_grad:
            raise ValueError("margin requires a gradient and gets none; pass margin.detach()")
        return margin if margin.dtype in (torch.float32, torch.float64) else margin.float()
    if not isinstance(margin, (int, float)):
        raise TypeError(f"margin is {type(margin).__name__}; it must be a float or a 0-d tensor")
    if not margin >= 0:
        raise ValueError(f"margin is {margin}; it must be 0 or more")
    return torch.full((), margin, dtype=accumulation_dtype(beside), device=beside.device)


def _dense_inside(tensor: Tensor) -> bool:
    """Whether each sample is one block of memory, in any order of its dimensions."""
    expected = 1
    for stride, size in sorted(zip(tensor.stride()[1:], tensor.shape[1:], strict=True)):
        if size == 1:
            continue
        if stride != expected:
            return False
        expected *= size
    return True


def _same_strides_inside(first: Tensor, second: Tensor) -> bool:
    return all(
        size == 1 or a == b
        for size, a, b in zip(first.shape[1:], first.stride()[1:], second.stride()[1:], strict=True)
    )


def same_layout(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """The pair with dense samples of one and the same layout, for operators whose arithmetic needs no order.

    Contiguous, channels-last and batch-sliced pairs pass as they are; else the tensor that stands out is
    copied: the second into the first one's layout, or both where the first one's samples have holes (a
    spatial slice).
    """
    if first.is_contiguous() and second.is_contiguous():
        return first, second
    if not _dense_inside(first):
        return first.contiguous(), second.contiguous()
    if _same_strides_inside(first, second):
        return first, second
    strides = (first[:1].numel(), *first.stride()[1:])
    copy = torch.empty_strided(second.shape, strides, dtype=second.dtype, device=second.device)
    return first, copy.copy_(second)
