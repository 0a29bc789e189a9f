"""The log: the last lines, or all of them at full height. A window on what the database keeps."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from wizard.ui.log import LogLine
from wizard.ui.text import clip, pad, visible
from wizard.ui.widgets.textpane import TextPane

EMPTY = "nothing executed"


def line_of(line: LogLine, width: int, *, narrow: bool) -> Content:
    """One line: time, place, outcome, text, and its note at the right."""
    at = f"{line.at:%H:%M:%S}" if line.at else " " * 8
    place, outcome = (6, 11) if narrow else (7, 12)
    head = f"{at}  {pad(line.place, place)} "
    gap = "  " if line.note else ""
    room = max(width - len(head) - outcome - 1 - len(line.note) - len(gap), 8)
    return Content.assemble(
        (head, "$quiet"),
        (pad(line.outcome, outcome), line.style),
        " ",
        pad(line.text, room) if line.note else clip(line.text, room),
        (gap + visible(line.note), "$quiet"),
    )


class LogPane(TextPane):
    """The lines of the log."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 Textual's own name
        super().__init__(id=id)
        self._drawn: tuple[bool, int, LogLine | None] = (False, 0, None)
        """What was shown last: whether at full height, how many lines, the newest."""

    def show_lines(self, lines: Sequence[LogLine], *, narrow: bool, full: bool = False, empty: str = EMPTY) -> None:
        """Draw `lines`, the newest last; `empty` stands there when there is none.

        At full height the newest are in sight, unless somebody has gone up to read, or to a match.
        """
        drawn = (full, len(lines), lines[-1] if lines else None)
        to_end = full and drawn != self._drawn and (self.is_vertical_scroll_end or not self._drawn[0])
        self._drawn = drawn
        width = max(self.scrollable_content_region.width, 20)
        texts = [line_of(line, width, narrow=narrow) for line in lines]
        self.show(Content("\n").join(texts) if texts else Content.styled(empty, "$quiet"))
        if to_end:
            self.scroll_end(animate=False)
