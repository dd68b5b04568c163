"""Files that are whole or as they were, and the words for those that cannot be written."""

from __future__ import annotations

import pytest

from ebgan import UserError
from ebgan.files import AppendedFile, UnwritableError, replaced, require_writable, writing
from support.full_disk import full, largest_file


def test_a_file_takes_the_place_of_an_earlier_one_whole(tmp_path):
    path = tmp_path / "new" / "notes.txt"
    for text in ("first", "second"):
        with replaced(path) as new:
            new.write_text(text)
            assert not path.exists() or path.read_text() == "first"
        assert path.read_text() == text
    assert [each.name for each in path.parent.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_after_an_error_the_earlier_file_is_there_and_nothing_else(tmp_path, error):
    path = tmp_path / "notes.txt"
    path.write_text("first")
    with pytest.raises(error), replaced(path) as new:
        new.write_text("half of the sec")
        raise error
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("notes.txt", "first")]


def test_a_full_disk_costs_neither_the_earlier_file_nor_the_words(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("first")
    with largest_file(100), pytest.raises(UnwritableError) as error, replaced(path) as new:
        new.write_bytes(bytes(1000))
    assert str(error.value) == (
        f"{path}: cannot be written (File too large); make room there, or choose another folder"
    )
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("notes.txt", "first")]


@pytest.mark.parametrize("way", [replaced, AppendedFile, require_writable])
def test_a_folder_that_cannot_be_is_named(tmp_path, way):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "notes.txt"
    with pytest.raises(
        UnwritableError,
        match=r"notes\.txt: cannot be written \((Not a directory|a file is where its folder should be)\)",
    ):
        with_it = way(path)
        with_it.__enter__()


def test_only_errors_of_writing_are_put_into_words(tmp_path):
    for error in (ValueError("a bug"), UserError("a word to the user")):
        with pytest.raises(type(error)) as raised, writing(tmp_path):
            raise error
        assert raised.value is error


def test_a_piece_that_does_not_fit_is_taken_back_and_later_ones_follow(tmp_path):
    file = AppendedFile(tmp_path / "log")
    file.append(b"one\n")
    with largest_file(10), pytest.raises(OSError):
        file.append(b"a long line\n")
    assert file.path.read_bytes() == b"one\n"
    file.append(b"two\n")
    file.close()
    AppendedFile(file.path).append(b"three\n")
    assert file.path.read_bytes() == b"one\ntwo\nthree\n"


def test_whether_a_place_takes_a_file_is_known_beforehand(tmp_path):
    require_writable(tmp_path / "scores.json")
    with largest_file(10), pytest.raises(UnwritableError, match=r"scores\.json"):
        require_writable(tmp_path / "scores.json")
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_ffmpeg_is_one_of_writing(tmp_path):
    import av

    with pytest.raises(UnwritableError, match="No space left on device"), writing(tmp_path / "film.mp4"):
        try:
            full()
        except OSError as error:
            raise av.error.FFmpegError(error.errno, error.strerror) from None
