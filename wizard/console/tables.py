"""Plain aligned columns for stdout. Colour, progress and words of the reports are elsewhere."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import TextIO

from wizard.text import one_line

_GAP = 2
_LEAST_ROOM = 40
_BELOW = 8
"""Indent of a last cell that stands below its row."""


def speaks_unicode(stream: TextIO | None = None) -> bool:
    """True if glyphs beyond ASCII can be written to `stream` (stdout)."""
    encoding = (stream or sys.stdout).encoding or "ascii"
    return encoding.lower().replace("-", "").startswith("utf")


def width_of(text: str) -> int:
    """Terminal cells that `text` takes: wide East Asian characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def columns(rows: Iterable[Sequence[str]], *, indent: int = 0, wrapped: bool = True) -> list[str]:
    """Lines with every column as wide as its widest cell, two spaces apart; the last column is not padded.

    On a terminal the last column is `wrapped`, below the others where there is little room beside them. A pipe or file
    gets one line a row, since scripts read lines.
    """
    table = [[one_line(cell) for cell in row] for row in rows]
    if not table:
        return []
    last = max(len(row) for row in table) - 1
    widths = [max((width_of(row[i]) for row in table if len(row) > i), default=0) for i in range(last)]
    start = indent + sum(widths) + _GAP * last
    room = shutil.get_terminal_size().columns - start if wrapped and sys.stdout.isatty() else None
    lines: list[str] = []
    for row in table:
        head = " " * indent + "".join(
            cell + " " * (widths[index] - width_of(cell) + _GAP) for index, cell in enumerate(row[:last])
        )
        lines += _row(head, start, row[last] if len(row) > last else "", room)
    return lines


def _row(head: str, start: int, text: str, room: int | None) -> list[str]:
    """One row's lines; `room` is what the terminal has left for its last cell, None without one."""
    if room is None or width_of(text) <= room:
        return [(head + text).rstrip()]
    if room < _LEAST_ROOM:
        return [head.rstrip(), *folded(text, " " * _BELOW)]
    first, *more = wrap(text, room, break_long_words=False, break_on_hyphens=False)
    return [head + first, *(" " * start + line for line in more)]


def folded(text: str, indent: str = "") -> list[str]:
    """`text` in lines that fit the terminal, broken between words, each after `indent`."""
    width = max(shutil.get_terminal_size().columns - 1, _LEAST_ROOM)
    return wrap(
        text, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ) or [""]
