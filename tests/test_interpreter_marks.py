"""What the marker `few_in_interpreter` leaves out, and where."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from support.implementations import left_out_in_interpreter

FEW = pytest.mark.few_in_interpreter(size=[(2, 2), (1500, 2)]).mark


def a_test(*, mark: pytest.Mark | None = FEW, **parameters: object) -> Any:
    return SimpleNamespace(callspec=SimpleNamespace(params=parameters), get_closest_marker=lambda _name: mark)


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


def test_a_parameter_that_the_test_does_not_have_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    with pytest.raises(KeyError, match="size"):
        left_out_in_interpreter(a_test(kernels="triton", rows=3))
