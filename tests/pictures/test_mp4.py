from __future__ import annotations

from fractions import Fraction

import av
import numpy as np

from ebgan.pictures import write_mp4


def test_pictures_of_odd_size_are_repeated_at_their_edge_and_keep_their_order_and_rate(tmp_path):
    pictures = [np.full((33, 47, 3), level, np.uint8) for level in (20, 120, 220)]
    write_mp4(iter(pictures), tmp_path / "film.mp4", rate=Fraction(30000, 1001))
    with av.open(str(tmp_path / "film.mp4")) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        assert film.streams.video[0].average_rate == Fraction(30000, 1001)
    assert [frame.shape for frame in frames] == [(34, 48, 3)] * 3
    for frame, level in zip(frames, (20, 120, 220), strict=True):
        assert np.abs(frame.astype(int) - level).max() <= 4
