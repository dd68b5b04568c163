"""UCF101: its names and official lists, the cuts in it, and its films read from any frame."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_videos import MOVING, folder, names, raises

from ebgan.data import ClipSet, load_clips, read_video

real_data = pytest.mark.skipif("EBGAN_DATA" not in os.environ, reason="EBGAN_DATA names no real data")
UCF = {
    "train/v_YoYo_g02_c01.mkv": MOVING,
    "train/v_YoYo_g02_c02.mkv": MOVING,
    "train/v_YoYo_g03_c01.mkv": MOVING,
    "val/v_Punch_g01_c01.mkv": MOVING,
}


def test_names_of_ucf101_tell_class_and_group_and_its_folders_the_split(tmp_path: Path) -> None:
    folder(tmp_path / "ucf101", UCF)
    train, test = (load_clips("ucf101", split, tmp_path) for split in ("train", "test"))
    assert train.classes == test.classes == ("Punch", "YoYo") and train.name == "ucf101"
    assert [clip.label for clip in train.clips] == [1, 1, 1] and names(test) == ["val/v_Punch_g01_c01.mkv"]
    assert [clip.group for clip in train.clips] == ["YoYo_g02", "YoYo_g02", "YoYo_g03"]


def test_the_official_lists_choose_the_clips_of_a_fold(tmp_path: Path) -> None:
    root = tmp_path / "ucf101"
    files: dict[str, Any] = {f"UCF-101/{name.split('_')[1]}/{Path(name).name}": MOVING for name in UCF}
    files["ucfTrainTestlist/trainlist02.txt"] = (
        b"YoYo/v_YoYo_g03_c01.mkv 2\r\nPunch/v_Punch_g01_c01.mkv 1\r\n"
    )
    files["ucfTrainTestlist/testlist02.txt"] = b"YoYo/v_YoYo_g02_c01.mkv\n"
    folder(root, files)
    train, test = (load_clips("ucf101", split, tmp_path, fold=2) for split in ("train", "test"))
    assert names(train) == ["UCF-101/YoYo/v_YoYo_g03_c01.mkv", "UCF-101/Punch/v_Punch_g01_c01.mkv"]
    assert names(test) == ["UCF-101/YoYo/v_YoYo_g02_c01.mkv"] and [c.label for c in train.clips] == [1, 0]
    with raises(f"there is no trainlist03.txt in {root}; unpack UCF101TrainTestSplits"):
        load_clips("ucf101", root=tmp_path, fold=3)
    with raises(f"{root} holds no videos in a folder 'train'; make it, or give fold 1, 2 or 3"):
        load_clips("ucf101", root=tmp_path)
    (root / "ucfTrainTestlist/testlist02.txt").write_text(
        "YoYo/v_YoYo_g09_c01.avi\nYoYo/v_YoYo_g02_c01.mkv\n"
    )
    with raises("lists 1 of 2 videos that are not in") as caught:
        load_clips("ucf101", "test", tmp_path, fold=2)
    assert "the first v_YoYo_g09_c01.avi" in str(caught.value)


def test_ucf101_says_what_it_misses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EBGAN_DATA", raising=False)
    with raises("data set 'ucf101' needs a data root: give --data-root (root=) or set EBGAN_DATA") as caught:
        load_clips("ucf101")
    assert "download" not in str(caught.value)
    with raises(f"data set 'ucf101': {tmp_path / 'ucf101'} is not a folder; put the videos there"):
        load_clips("ucf101", root=tmp_path)
    folder(tmp_path / "ucf101", {"train/holiday.mkv": MOVING})
    with raises("train/holiday.mkv: the name is not of the form v_ACTION_gNN_cMM"):
        load_clips("ucf101", root=tmp_path)


@pytest.fixture(scope="module")
def ucf101() -> tuple[ClipSet, ClipSet]:
    return load_clips("ucf101", "train", memory=0), load_clips("ucf101", "test", memory=0)


# Of Punch, as the data folder describes them; three more of train have a flash or a swing of the camera.
CUTS = {"g01_c05", "g02_c02", "g02_c03", "g02_c04", "g04_c01", "g04_c02", "g05_c02"}


@real_data
@pytest.mark.slow
def test_the_known_cuts_of_ucf101_are_found(ucf101: tuple[ClipSet, ClipSet]) -> None:
    train, test = ucf101
    assert len(train) == 64 and len(test) == 8 and sum(clip.length for clip in train.clips) == 11_742
    broken = {Path(clip.name).stem for clip in train.clips if clip.breaks}
    assert {f"v_Punch_{clip}" for clip in CUTS} == {name for name in broken if "Punch" in name}
    assert {Path(clip.name).stem: clip.breaks for clip in test.clips if clip.breaks} == {
        "v_Biking_g05_c02": (132,)
    }


@real_data
@pytest.mark.slow
def test_ucf101_decodes_any_run_of_frames_as_the_whole_clip_does(ucf101: tuple[ClipSet, ClipSet]) -> None:
    random = np.random.default_rng(0)
    root = Path(os.environ["EBGAN_DATA"], "ucf101")
    for clip in (*ucf101[0].clips[:6], *ucf101[1].clips):
        whole = read_video(root / clip.name)
        for start in random.integers(0, clip.length - 5, 3):
            np.testing.assert_array_equal(clip.frames(int(start), 5), whole[start : start + 5])
