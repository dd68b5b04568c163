"""Clips made on the spot, in place of a data set of videos."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d


class MovingSquares:
    """Clips of one bright square on noise, at constant speed: the interface of `ebgan.data.ClipBatches`."""

    def __init__(
        self,
        clips: object,
        batch_size: int,
        *,
        frames: int,
        size: int = 32,
        scales: int = 4,
        seed: int = 0,
        **options: object,
    ) -> None:
        self.shape = (batch_size, frames, 3, size, size)
        self.scales, self.seed = scales, seed
        self.asked: list[int] = []

    def at(self, step: int) -> tuple[Tensor, ...]:
        self.asked.append(step)
        random = np.random.default_rng((self.seed, step))
        clips = torch.from_numpy(random.uniform(-1, 0, self.shape)).float()
        size = self.shape[-1]
        for clip in clips:
            top, left, down, right = random.integers((0, 0, -2, -2), (size, size, 3, 3))
            for time, frame in enumerate(clip):
                rows = (top + time * down + np.arange(size // 4)) % size
                columns = (left + time * right + np.arange(size // 4)) % size
                frame[:, rows[:, None], columns] = 1.0
        pyramid = [clips]
        for _ in range(self.scales - 1):
            pooled = avg_pool2d(pyramid[0].flatten(0, 1), 2)
            pyramid.insert(0, pooled.unflatten(0, clips.shape[:2]))
        return tuple(pyramid)
