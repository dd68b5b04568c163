"""Pages of help in the width of the terminal, and tables of two columns."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Mapping
from typing import Any, TextIO

WIDTH = 100  # columns that a line of help takes at most
COLUMNS = 80  # and a line of a table


class Page:
    """A text stream that breaks long lines which begin with a letter, and has no two blank lines in a row.

    Lines that begin with anything else, such as examples and boxes, stay as they are.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._width = min(shutil.get_terminal_size().columns, WIDTH)

    def write(self, text: str) -> int:
        lines = []
        for line in text.split("\n"):
            is_text = len(line) > self._width and line[0].isalpha()
            lines += textwrap.wrap(line, self._width, break_on_hyphens=False) if is_text else [line]
        return self._stream.write(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def rows(texts: Mapping[str, str], *, indent: int = 0) -> str:
    """A paragraph for each text, with its name in front."""
    column = indent + max(map(len, texts)) + 2
    return "\n".join(
        textwrap.fill(
            text,
            COLUMNS,
            initial_indent=f"{'':{indent}}{name:<{column - indent}}",
            subsequent_indent=" " * column,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for name, text in texts.items()
    )
