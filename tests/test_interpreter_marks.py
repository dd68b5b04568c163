"""What the marker `few_in_interpreter` leaves out, and where."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from support.implementations import left_out_in_interpreter

FEW = pytest.mark.few_in_interpreter(size=[(2, 2), (1500, 2)]).mark


def a_test(*, mark: pytest.Mark | None = FEW, **parameters: object) -> Any:
    sizes = pytest.mark.parametrize(
        ("leading", "size"), [((), (2, 2)), ((), (1500, 2)), ((3,), (260, 130))]
    ).mark
    return SimpleNamespace(
        nodeid="a_test",
        callspec=SimpleNamespace(params=parameters),
        get_closest_marker=lambda _name: mark,
        iter_markers=lambda _name: [sizes],
    )


@pytest.mark.parametrize(
    ("test", "left_out"),
    [
        (a_test(kernels="triton", size=(2, 2)), False),
        (a_test(kernels="triton", size=(260, 130)), True),
        (a_test(implementation="triton", size=(260, 130)), True),
        (a_test(kernels="cpu", size=(260, 130)), False),
        (a_test(kernels="triton", size=(260, 130), mark=None), False),
    ],
)
def test_only_what_is_interpreted_and_not_named_is_left_out(
    test: Any, left_out: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    assert left_out_in_interpreter(test) == left_out
    monkeypatch.delenv("TRITON_INTERPRET")
    assert not left_out_in_interpreter(test)


@pytest.mark.parametrize("named", [{"size": [(2, 2), (2, 3)]}, {"rows": [2]}], ids=str)
def test_values_that_the_test_does_not_have_are_refused(
    named: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    mark = pytest.mark.few_in_interpreter(**named).mark
    with pytest.raises(ValueError, match=r"of a_test: (size|rows) is not parametrized with each of"):
        left_out_in_interpreter(a_test(kernels="triton", size=(2, 2), mark=mark))
