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

    def show_lines(self, lines: Sequence[LogLine], *, narrow: bool, empty: str = EMPTY) -> None:
        """Draw `lines`, the newest last; `empty` stands there when there is none."""
        width = max(self.scrollable_content_region.width, 20)
        drawn = [line_of(line, width, narrow=narrow) for line in lines]
        self.show(Content("\n").join(drawn) if drawn else Content.styled(empty, "$quiet"))
