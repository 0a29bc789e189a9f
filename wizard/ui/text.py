"""The one place that turns foreign text (SQL, server messages, names) into something safe to draw. It draws nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size
from textual.content import Content
from textual.markup import escape

from wizard import text as text_rules


def visible(text: str) -> str:
    """`text` with every control and direction character replaced by one that can be seen; line breaks stay."""
    return text_rules.visible(text).expandtabs(4)


def foreign(text: str, style: str = "") -> Content:
    """Text that we did not write, as content: never parsed as markup, and no control character is left in it."""
    return Content.styled(visible(text), style) if style else Content(visible(text))


def as_markup(text: str) -> str:
    """Foreign text for the few places of Textual that insist on markup: it comes out as it was."""
    return escape(one_line(text))


def one_line(text: str) -> str:
    """`text` on one line: every run of white space is one space, everything invisible is made visible."""
    return text_rules.one_line(re.sub(r"\s{2,}", " ", text))


def clip(text: str, width: int) -> str:
    """`text` on one line and at most `width` cells wide, the cut marked."""
    line = one_line(text)
    if cell_len(line) <= width:
        return line
    return set_cell_size(line, max(width - 1, 0)).rstrip() + "…" if width > 0 else ""


def cut(text: str, width: int) -> str:
    """`text` at most `width` cells wide, its spaces kept."""
    line = text_rules.one_line(text)
    if cell_len(line) <= width:
        return line
    return set_cell_size(line, max(width - 1, 0)) + "…" if width > 0 else ""


def pad(text: str, width: int) -> str:
    """`text` on one line and exactly `width` cells wide."""
    return set_cell_size(clip(text, width), width)


def spread(left: Content, right: Content, width: int) -> Content:
    """`left` and `right` at the two ends of a line of `width` cells; what is left is cut first."""
    room = width - right.cell_length - 1
    if left.cell_length > room:
        left = left.truncate(max(room, 0), ellipsis=True)
    return Content.assemble(left, " " * max(width - left.cell_length - right.cell_length, 0), right)


def stacked(lines: Iterable[Content]) -> Content:
    """The lines one below the other."""
    return Content("\n").join(lines)


Field = tuple[str, Content | str]
"""A label and its text."""


def fields(rows: Sequence[Field], width: int, label_width: int) -> list[Content]:
    """Labels on the left, their text wrapped beside them. A label longer than its column is broken at its spaces."""
    lines: list[Content] = []
    for label, value in rows:
        body = foreign(value) if isinstance(value, str) else value
        wrapped = body.wrap(max(width - label_width, 10))
        labels = Content(label).wrap(label_width - 1) if label else []
        for index in range(max(len(wrapped), len(labels))):
            head = labels[index].plain.rstrip() if index < len(labels) else ""
            text = wrapped[index] if index < len(wrapped) else Content("")
            lines.append(Content.assemble((head.ljust(label_width), "$quiet"), text))
    return lines


def paragraph(text: str, width: int, *, indent: str = "", style: str = "") -> list[Content]:
    """Foreign text wrapped to `width`, every line after `indent`."""
    body = foreign(text, style).wrap(max(width - len(indent), 10))
    return [Content.assemble(indent, line) for line in body]


def hanging(text: str, width: int, first: str, *, style: str = "") -> list[Content]:
    """Foreign text wrapped to `width`, after `first` on the first line and below its text on the others."""
    body = foreign(text, style).wrap(max(width - len(first), 10))
    return [Content.assemble(first if at == 0 else " " * len(first), line) for at, line in enumerate(body)]
