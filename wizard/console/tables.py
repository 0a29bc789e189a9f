"""Plain aligned columns for stdout. Colour, progress and words of the reports are elsewhere."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import TextIO

from wizard.text import one_line


def speaks_unicode(stream: TextIO | None = None) -> bool:
    """True if glyphs beyond ASCII can be written to `stream` (stdout)."""
    encoding = (stream or sys.stdout).encoding or "ascii"
    return encoding.lower().replace("-", "").startswith("utf")


def width_of(text: str) -> int:
    """Terminal cells that `text` takes: wide East Asian characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def columns(rows: Iterable[Sequence[str]], *, indent: int = 0, gap: int = 2) -> list[str]:
    """Lines with every column as wide as its widest cell; the last column is not padded and wraps on a terminal."""
    table = [[one_line(cell) for cell in row] for row in rows]
    if not table:
        return []
    last = max(len(row) for row in table) - 1
    widths = [max((width_of(row[i]) for row in table if len(row) > i), default=0) for i in range(last)]
    start = indent + sum(widths) + gap * last
    lines: list[str] = []
    for row in table:
        head = " " * indent
        for index, cell in enumerate(row[:last]):
            head += cell + " " * (widths[index] - width_of(cell) + gap)
        wrapped = _wrapped(row[last] if len(row) > last else "", start)
        lines.append((head + wrapped[0]).rstrip())
        lines += [" " * start + more for more in wrapped[1:]]
    return lines


def _wrapped(text: str, start: int) -> list[str]:
    """The last cell in lines that fit the terminal; a pipe or file gets it whole, since scripts read lines."""
    if not sys.stdout.isatty():
        return [text]
    room = shutil.get_terminal_size().columns - start
    return wrap(text, max(room, 24), break_long_words=False, break_on_hyphens=False) or [""]
