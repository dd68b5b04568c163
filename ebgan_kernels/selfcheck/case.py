"""One check of one operator: its options, and how its tensors are drawn and laid out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

import ebgan_kernels

Layout = Literal["contiguous", "channels-last", "misaligned"]
# Draws the tensors in float64 on the CPU.
Draw = Callable[[torch.Generator], Sequence[Tensor]]
SINGLE = torch.float32


@dataclass(frozen=True)
class Case:
    """An operator of the public interface on inputs of one kind. A case can be pickled for another process.

    ``names`` are the arguments that are tensors; "inputs[0]" is the first tensor of the list ``inputs``.
    ``dtypes`` belong to the tensors in turn, and begin again where there are more tensors. Tensors in
    ``constants`` get no gradient. ``cancelling`` and ``allowed`` are arguments of the accuracy rule.
    """

    operator: str
    shape: str
    names: tuple[str, ...]
    draw: Draw
    options: Mapping[str, object] = field(default_factory=dict)
    dtypes: tuple[torch.dtype, ...] = (SINGLE,)
    layout: Layout = "contiguous"
    constants: tuple[str, ...] = ()
    cancelling: float = 0.1
    allowed: float = 1.0

    @property
    def inputs_in_words(self) -> str:
        """Options, shape and layout: "l2, square, 4x3x5x7, channels-last"."""
        options = [
            value if isinstance(value, str) and value != "none" else f"{name} {value}"
            for name, value in self.options.items()
            if isinstance(value, (str, int, float)) and name != "margin"
        ]
        layout = [self.layout] if self.layout != "contiguous" else []
        return ", ".join([*options, self.shape, *layout])

    @property
    def dtypes_in_words(self) -> str:
        return ", ".join(str(dtype).removeprefix("torch.") for dtype in dict.fromkeys(self.dtypes))

    def tensors(self, seed: int, device: torch.device) -> list[Tensor]:
        """The tensors as leaves on the device, in their dtypes and layout."""
        drawn = self.draw(torch.Generator().manual_seed(seed))
        dtypes = (self.dtypes * len(drawn))[: len(drawn)]
        return [
            _laid_out(tensor.to(device, dtype), self.layout).requires_grad_(name not in self.constants)
            for name, tensor, dtype in zip(self.names, drawn, dtypes, strict=True)
        ]

    def results(self, tensors: Sequence[Tensor]) -> dict[str, Tensor]:
        """The operator's results for the tensors, by name."""
        return self._results(tensors, self.options)

    def before_activation(self, tensors: Sequence[Tensor]) -> dict[str, Tensor]:
        """The results without their activation, whose derivative may jump at 0."""
        options = {**self.options, "activation": "none"} if "activation" in self.options else self.options
        return self._results(tensors, options)

    def _results(self, tensors: Sequence[Tensor], options: Mapping[str, object]) -> dict[str, Tensor]:
        arguments: dict[str, Tensor | list[Tensor]] = {}
        for name, tensor in zip(self.names, tensors, strict=True):
            argument, is_listed, _ = name.partition("[")
            if is_listed:
                of_list = arguments.setdefault(argument, [])
                assert isinstance(of_list, list)
                of_list.append(tensor)
            else:
                arguments[argument] = tensor
        returned = getattr(ebgan_kernels, self.operator)(**arguments, **options)
        if isinstance(returned, Tensor):
            return {"result": returned}
        names = getattr(returned, "_fields", None) or [f"result {index}" for index in range(len(returned))]
        return dict(zip(names, returned, strict=True))


def _laid_out(tensor: Tensor, layout: Layout) -> Tensor:
    """A leaf that is one block of memory, but begins one element into its storage where it is misaligned."""
    if layout == "channels-last" and tensor.dim() == 4:
        return tensor.contiguous(memory_format=torch.channels_last)
    if layout == "misaligned":
        return torch.cat([tensor.new_zeros(1), tensor.flatten()])[1:].view(tensor.shape).detach()
    return tensor
