"""Optical flow between frames: which pixels move, and where they would be next."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ebgan.errors import positive, require
from ebgan.video.metrics import luma

DARK = 0.2  # level of a channel of the flow picture


def optical_flow(before: Tensor, after: Tensor) -> Tensor:
    """The way, (2, H, W) in x and y, that each pixel of `before` (3, H, W) has gone in `after`.

    Frames are in [-1, 1], ways in pixels. OpenCV's dense inverse search (Kroeger et al., arXiv:1603.03590)
    finds them on the luma, at its medium preset; H and W are at least 12.
    """
    cv2 = require("cv2")
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = search.calc(_grey(before), _grey(after), None)
    return torch.from_numpy(flow).permute(2, 0, 1).contiguous()


def moving(flow: Tensor, *, full_speed: float = 1.0) -> Tensor:
    """The mask, bool (H, W), of the pixels of a `flow` (2, H, W) that move, by the authors' program's rule.

    The rule: some channel of the flow's picture is below 0.2. The picture has the colours of Baker et al.,
    "A Database and Evaluation Methodology for Optical Flow" (2011): white at rest; at `full_speed` pixels a
    frame and beyond, the full colour of the direction, one channel of which is always 0. So the darkest
    channel is 1 - speed / full_speed, and what moves is faster than 0.8 full_speed.

    At which speed the authors' pictures have their full colours is nowhere said. If it were the greatest of
    each picture, 1.1 % of the pixels would move; at 1 pixel a frame 38 % do (in the ninth frames of 56
    windows of 8 UCF101 clips; CPU, 2026-11-22). So the default is 1.
    """
    positive("full_speed", full_speed)
    return 1 - flow.square().sum(0).sqrt() / full_speed < DARK


def forward_warp(frame: Tensor, flow: Tensor) -> Tensor:
    """`frame` (C, H, W) with each pixel moved on by `flow` (2, H, W).

    A pixel falls between four others and gives each a share by how near it is. Where several fall they are
    averaged; where less than a whole one falls, `frame` itself fills up.
    """
    channels, height, width = frame.shape
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    x, y = columns + flow[0].double(), rows + flow[1].double()
    left, top = x.floor(), y.floor()
    values = torch.cat((frame.double(), torch.ones(1, height, width, dtype=torch.float64))).flatten(1)
    sums = torch.zeros(height * width, channels + 1, dtype=torch.float64)
    for column, share_x in ((left, left + 1 - x), (left + 1, x - left)):
        for row, share_y in ((top, top + 1 - y), (top + 1, y - top)):
            inside = ((column >= 0) & (column < width) & (row >= 0) & (row < height)).flatten()
            places = (row * width + column).flatten()[inside].long()
            sums.index_add_(0, places, (values * (share_x * share_y).flatten()).T[inside])
    warped, weight = sums.T.unflatten(1, (height, width)).split((channels, 1))
    covered = weight.clamp_max(1)
    return (warped / weight.clamp_min(1e-9) * covered + frame * (1 - covered)).to(frame)


def _grey(frame: Tensor) -> NDArray[np.uint8]:
    levels = (127.5 * (luma(frame.detach().float().cpu().clamp(-1, 1)) + 1)).round()
    pixels: NDArray[np.uint8] = levels.byte().numpy()
    return np.ascontiguousarray(pixels)
