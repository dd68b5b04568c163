"""``ucf101``: clips of 101 human actions, 320x240, as the published archive or any part of it.

Source: K. Soomro, A. R. Zamir, M. Shah, UCF101, arXiv:1212.0402; for research, no open licence.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import numpy as np

from ebgan.data.clip_registry import ClipOptions, ClipSource
from ebgan.data.clip_set import ClipSet
from ebgan.data.errors import DataError
from ebgan.data.registry import Root, Split, data_root
from ebgan.data.videos import read_clips, video_files

_NAME = re.compile(r"v_(?P<action>\w+)_(?P<group>g\d+)_c\d+")
_TEST_FOLDERS = ("test", "val")


def load_ucf101(split: Split, root: Root, options: ClipOptions) -> ClipSet:
    """Look through one split of ``root/ucf101``; the name ``v_ACTION_gNN_cMM`` tells class and group.

    The splits are the folders ``train`` and ``test`` (or ``val``) in it; or, with ``fold`` 1, 2 or 3, those
    of the official lists ``trainlist0N.txt`` and ``testlist0N.txt``, which may lie anywhere in it, as may the
    videos. Clips of one group come from one video: :meth:`ebgan.data.ClipSet.hold_out` keeps them together,
    as the official lists do. :func:`ebgan.data.videos.read_clips` says what becomes of the files.

    Raises:
        DataError: no root, no such folder or list, a video of the list that is not there, one whose name is
            of another form, or no usable video.
    """
    folder = data_root("ucf101", root) / "ucf101"
    if not folder.is_dir():
        raise DataError(f"data set 'ucf101': {folder} is not a folder; put the videos there")
    videos, _ = video_files(folder)  # the official lists are among the other files
    every = {file: _NAME.fullmatch(PurePosixPath(file).stem) for file in videos}
    strange = [file for file, match in every.items() if match is None]
    if strange:
        raise DataError(
            f"{folder / strange[0]}: the name is not of the form v_ACTION_gNN_cMM; take the file away, "
            f"or load the folder as 'videos'"
        )
    files = _files_of(folder, list(every), split, options.fold)
    action = {file: match["action"] for file, match in every.items() if match}
    group = {file: f"{action[file]}_{match['group']}" for file, match in every.items() if match}
    classes = tuple(sorted(set(action.values())))
    labels = np.array([classes.index(action[file]) for file in files], np.int64)
    groups = [group[file] for file in files]
    return read_clips("ucf101", split, folder, files, labels, classes, groups, options.memory)


def _has_test(root: Root, options: ClipOptions) -> bool:
    folder = data_root("ucf101", root) / "ucf101"
    try:
        _files_of(folder, video_files(folder)[0], "test", options.fold)
    except DataError:
        return False
    return True


def _files_of(folder: Path, files: list[str], split: Split, fold: int | None) -> list[str]:
    return _of_folders(folder, files, split) if fold is None else _of_list(folder, files, split, fold)


def _of_folders(folder: Path, files: list[str], split: Split) -> list[str]:
    present = {PurePosixPath(file).parts[0] for file in files}
    wanted = ["train"] if split == "train" else [name for name in _TEST_FOLDERS if name in present][:1]
    chosen = [file for file in files if PurePosixPath(file).parts[0] in wanted]
    if not chosen:
        names = "'train'" if split == "train" else "'test' or 'val'"
        raise DataError(
            f"{folder} holds no videos in a folder {names}; make it, or give fold 1, 2 or 3 for the official "
            "lists"
        )
    return chosen


def _of_list(folder: Path, files: list[str], split: Split, fold: int) -> list[str]:
    name = f"{split}list{fold:02d}.txt"
    found = sorted(folder.rglob(name))
    if not found:
        raise DataError(
            f"there is no {name} in {folder}; unpack UCF101TrainTestSplits-RecognitionTask.zip there"
        )
    there = {PurePosixPath(file).name: file for file in files}
    listed = [
        PurePosixPath(line.split()[0]).name for line in found[0].read_text().splitlines() if line.strip()
    ]
    missing = [video for video in listed if video not in there]
    if missing:
        raise DataError(
            f"{found[0]} lists {len(missing)} of {len(listed)} videos that are not in {folder}, "
            f"the first {missing[0]}; unpack UCF101.rar there"
        )
    return [there[video] for video in listed]


SOURCE = ClipSource(
    "ucf101",
    load_ucf101,
    "clips of 101 human actions, 320x240 pixels, or a part of them",
    "root",
    options=frozenset({"fold"}),
    has_test=_has_test,
)
