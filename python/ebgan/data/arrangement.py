"""The class and the split of each file, told by the folders that it lies in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from ebgan.data.errors import DataError
from ebgan.data.registry import Split
from ebgan.data.tar_members import SUFFIX

_SPLITS = ({"train", "test"}, {"train", "val"}, {"train", "val", "test"})


def arranged(
    root: Path, files: Sequence[str], split: Split, what: str
) -> tuple[list[str], NDArray[np.int64], tuple[str, ...]]:
    """The ``files`` of ``split`` (paths below ``root``), their labels, and the classes of all splits.

    - A single folder that wraps everything is looked past, and so is a tar that files lie in.
    - First-level folders are the classes, sorted by name; a file further down belongs to the first-level
      folder above it. Files that lie loose are of a class named after the folder or zip they lie in.
    - Where the first level is exactly the folders ``train`` and ``test`` or ``val``, these are the splits,
      each with its class folders; one numbering of the classes serves all. ``val`` is the test split where
      there is no ``test``, and left out otherwise. In any other layout every file is of the train split.

    Raises:
        DataError: the split is not there; ``what`` the files hold is for the remedy.
    """
    paths = {
        file: tuple(part for part in PurePosixPath(file).parts if not part.lower().endswith(SUFFIX))
        for file in files
    }
    around = root.resolve().name if root.is_dir() else root.stem
    while all(len(path) > 1 and path[0] == paths[files[0]][0] for path in paths.values()):
        around = paths[files[0]][0]
        paths = {file: path[1:] for file, path in paths.items()}

    first_level = {path[0] for path in paths.values()}
    split_of = dict.fromkeys(files, "train")
    if first_level in _SPLITS:
        split_of = {file: path[0] for file, path in paths.items()}
        paths = {file: path[1:] for file, path in paths.items()}
    test = "test" if "test" in first_level else "val"
    chosen = [file for file in files if split_of[file] == ("train" if split == "train" else test)]
    if not chosen:
        raise DataError(
            f"{root} has no test split: load 'train', or sort the {what} into folders 'train' and 'test'"
        )

    class_of = {file: path[0] if len(path) > 1 else around for file, path in paths.items()}
    classes = tuple(sorted(set(class_of.values())))
    number = {name: index for index, name in enumerate(classes)}
    return chosen, np.array([number[class_of[file]] for file in chosen], np.int64), classes
