"""The horizontal lines of the frames, with title and count. The vertical ones are CSS borders."""

from __future__ import annotations

from typing import Literal

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from wizard.ui.text import cut

_LINES = {
    "top": ("┌─┐", "╔═╗"),
    "middle": ("├─┤", "╠═╣"),
    "bottom": ("└─┘", "╚═╝"),
}
"""Single and double, as the CSS borders `solid` and `double` beside them."""


class Edge(Widget):
    """One line of a frame. Title and count are foreign text: drawn as they are."""

    ALLOW_SELECT = False

    heading: reactive[str] = reactive("")
    """Left, after one dash."""
    count: reactive[str] = reactive("")
    """Right, before one dash."""

    double: reactive[bool] = reactive(False)
    """Drawn with a double line."""

    def __init__(self, kind: Literal["top", "middle", "bottom"], heading: str = "", *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes="edge")
        self._kind = kind
        self.set_reactive(Edge.heading, heading)

    def render(self) -> Content:
        """The line at the present width; the title is cut before the count."""
        width = self.size.width
        left, dash, right = tuple(_LINES[self._kind][self.double])
        count = cut(self.count, max(width - 6, 0))
        tail = f" {count} " if count else ""
        room = max(width - cell_len(tail) - 5, 0)
        heading = cut(self.heading, room)
        head = f" {heading} " if heading else ""
        dashes = max(width - 2 - cell_len(head) - cell_len(tail), 0)
        return Content.assemble(left, (head, "bold $foreground"), dash * dashes, (tail, "$quiet"), right)
