"""Pages of help, in the width of the terminal."""

from __future__ import annotations

import re
import shutil
import textwrap
from typing import Any, TextIO

WIDTH = 100  # columns that a line of text takes at most


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
