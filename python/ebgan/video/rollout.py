"""Roll-outs: prediction of any number of frames, each from frames that were predicted before."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from ebgan.errors import UserError, at_least


class Predictor(Protocol):
    """`predict` takes (B, input_frames, 3, H, W) in [-1, 1] to the frames that follow, one or more."""

    input_frames: int

    def predict(self, frames: Tensor) -> Tensor: ...


@torch.no_grad()
def roll_out(generator: Predictor, frames: Tensor, count: int) -> Tensor:
    """The `count` frames that follow `frames` (B, T, 3, H, W) in [-1, 1]: (B, count, 3, H, W) in [-1, 1].

    Each time, the generator sees the last `generator.input_frames` of the film so far, given or predicted. A
    prediction outside [-1, 1], which only a generator with tanh="before" makes, is clamped.

    Raises:
        UserError: `count` below 1, or fewer frames than the generator needs.

    Example:
        >>> from ebgan.video import generator
        >>> film = torch.zeros(1, 4, 3, 24, 32)
        >>> roll_out(generator("4to1", width=0.1), film, 3).shape
        torch.Size([1, 3, 3, 24, 32])
    """
    at_least("count", count, 1)
    given, needed = frames.shape[1], generator.input_frames
    if given < needed:
        raise UserError(f"frames: got {given}, this generator needs at least {needed}")
    film = frames
    while film.shape[1] < given + count:
        film = torch.cat((film, generator.predict(film[:, -needed:]).clamp(-1, 1)), 1)
    return film[:, given : given + count]
