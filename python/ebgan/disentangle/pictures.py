"""The pictures that show what a trained run has told apart."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from ebgan.disentangle.grids import interpolation_grid, pose_grid, sample_grid, swap_grid
from ebgan.disentangle.poses import MISSING, Poses
from ebgan.disentangle.runs import SHOWN, as_tensor, chosen_images, load_images, shape_of, trained_nets
from ebgan.disentangle.system import SYSTEM
from ebgan.disentangle.triplets import Identities
from ebgan.errors import UserError, at_least
from ebgan.files import StrPath
from ebgan.training.device import as_device

POSED = 3  # identities that are given the poses of another


def transfer(
    path: StrPath,
    *,
    device: torch.device | str = "auto",
    data_root: StrPath | None = None,
    factor: str | None = None,
    seed: int = 0,
    step: int | None = None,
) -> Mapping[str, np.ndarray]:
    """Pictures of test images by the run in the folder `path`: uint8 (height, width, 3), by name.

    "swaps" has the style of each row with the identity of each column, "interpolation" what lies between two
    images, "samples" identities with z drawn from N(0, I). Where the images of one identity differ in known
    factors, "poses" has the images of one identity that differ in `factor` (by default that of most values)
    given to others, above the true images. Images are chosen by `seed`, the checkpoint by `step`.

    Raises:
        UserError: the folder holds no run of disentangling or not that checkpoint whole, the data is not
            there, or `factor` is none of those that differ within an identity.
    """
    at_least("seed", seed, 0)
    run, config = SYSTEM.open_run(path, step=step)
    images = load_images(config, "test", run.data_root(data_root))
    identities = Identities(images, config.factors)
    poses = Poses(images, identities)
    if factor is not None and factor not in poses.factors:
        poses.along(0, factor, SHOWN)  # which says what is allowed
    nets = trained_nets(run, config, shape_of(images), as_device(device))
    rows, columns = chosen_images(identities, seed=seed)
    if len(columns) < 2:
        raise UserError(f"{path}: the test images of {config.data!r} have one identity, a swap needs two")
    styles, givers = as_tensor(images, rows), as_tensor(images, columns)
    found = {
        "swaps": swap_grid(*nets, styles, givers),
        "interpolation": interpolation_grid(*nets, torch.stack([givers[0], givers[-1]])),
        "samples": sample_grid(*nets, givers, rows=SHOWN - 1, seed=seed),
    }
    if poses.factors:
        factor = factor or poses.factors[0]
        along = poses.along(int(columns[0]), factor, SHOWN)
        others = columns[1 : POSED + 1]
        numbers = [poses.true(style=along, identity=np.full_like(along, other)) for other in others]
        true = [[None if each == MISSING else as_tensor(images, each) for each in row] for row in numbers]
        found["poses"] = pose_grid(
            *nets, as_tensor(images, along), as_tensor(images, others), true, named=factor
        )
    return found
