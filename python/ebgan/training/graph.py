"""A training step as one CUDA graph: all its kernels cost the host one launch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from ebgan.errors import UserError

EAGER_CALLS = 3  # let libraries and optimisers allocate what a capture may not

Results = dict[str, Tensor]


class GraphedStep:
    """`step(*batch)`, on a CUDA device from the fourth call on as a replay of one CUDA graph.

    The first three calls run `step` as it is; the fourth captures it. From then on a call copies the batch to
    where the graph reads it and replays, so `step` may use nothing that changes between calls but tensors
    that are overwritten in place. The results are overwritten by the next call. On a CPU every call is
    `step`.

    Args:
        step: a function of tensors, of the same shapes every time, that does not wait for the device.
        device: where it computes.

    Example:
        >>> total = torch.zeros(())
        >>> step = GraphedStep(lambda x: {"total": total.add_(x.sum())}, torch.device("cpu"))
        >>> [step(torch.ones(3))["total"].item() for _ in range(2)]
        [3.0, 6.0]
    """

    def __init__(self, step: Callable[..., Results], device: torch.device) -> None:
        self.step = step
        self._stream: Any = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._calls = 0
        self._graph: Any = None
        self._inputs: list[Tensor] = []
        self._results: Results = {}

    def __call__(self, *batch: Tensor) -> Results:
        if self._stream is None:
            return self.step(*batch)
        self._calls += 1
        # One stream for the eager calls and the capture: autograd runs a backward pass on its forward's.
        self._stream.wait_stream(torch.cuda.current_stream(self._stream.device))
        with torch.cuda.stream(self._stream):
            results = self.step(*batch) if self._calls <= EAGER_CALLS else self._replay(batch)
        torch.cuda.current_stream(self._stream.device).wait_stream(self._stream)
        return results

    def _replay(self, batch: tuple[Tensor, ...]) -> Results:
        if self._graph is None:
            self._inputs = [tensor.clone() for tensor in batch]
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, stream=self._stream):
                self._results = self.step(*self._inputs)
        for static, given in zip(self._inputs, batch, strict=True):
            static.copy_(given)
        self._graph.replay()
        return self._results


def require_capturable(argument: str, optimizer: Optimizer) -> None:
    """Raise `UserError` unless a CUDA graph can capture a step of `optimizer` whose rate is on a schedule."""
    for group in optimizer.param_groups:
        if not (group.get("capturable") and isinstance(group["lr"], Tensor)):
            raise UserError(
                f"{argument}: on a GPU a step is one CUDA graph, which needs capturable=True and lr as a "
                "tensor on the device, as ebgan.training.adam(net, lr) makes it"
            )
