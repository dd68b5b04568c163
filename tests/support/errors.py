"""What every message about a wrong argument must be: one line that holds what came and what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest


def assert_refused(call: Callable[[], object], error: type[Exception], fragments: Sequence[str]) -> None:
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    assert [fragment for fragment in fragments if fragment not in message] == [], message
