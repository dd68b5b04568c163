"""Curves of a run that has logged one step."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from ebgan.pictures import Curve, Plot, draw


@pytest.mark.parametrize(("count", "marker"), [(1, "o"), (2, ""), (500, "")])
def test_a_single_point_is_marked_since_a_line_through_it_cannot_be_seen(
    tmp_path, monkeypatch, count, marker
):
    drawn = []
    save = Figure.savefig

    def keep(figure: Figure, *arguments: object, **options: object) -> None:
        drawn.append(figure)
        save(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", keep)
    plot = Plot("loss", "Loss", "squared", (Curve("loss", "the loss"),))
    draw(plot, [{"step": 20 * (row + 1), "loss": 1.5} for row in range(count)], str(tmp_path / "loss.png"))
    assert [line.get_marker() for line in drawn[0].axes[0].lines] == [marker]
    assert (tmp_path / "loss.png").stat().st_size > 1000
