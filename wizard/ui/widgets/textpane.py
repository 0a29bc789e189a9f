"""A scrolling block of text that can be searched. Stage and log are made of it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static


class TextPane(VerticalScroll, can_focus=True):
    """One block of text, one row a line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", "Down", show=False),
        Binding("k", "scroll_up", "Up", show=False),
    ]

    def __init__(self, *, id: str) -> None:  # noqa: A002 Textual's own name
        super().__init__(id=id)
        self._text = Content("")
        self._sought = ""
        self._at = 0

    def compose(self) -> ComposeResult:
        """The text; selectable with the mouse."""
        yield Static(classes="pane-text")

    def show(self, text: Content) -> None:
        """Replace the text. Its lines must fit the width; the place stays where it is."""
        self._text = text
        self.query_one(".pane-text", Static).update(self._marked())

    @property
    def matches(self) -> list[tuple[int, int]]:
        """Start and end of everything that is sought, in characters of the text."""
        if not self._sought:
            return []
        plain, sought = self._text.plain.lower(), self._sought.lower()
        starts: list[int] = []
        at = plain.find(sought)
        while at >= 0:
            starts.append(at)
            at = plain.find(sought, at + len(sought))
        return [(start, start + len(sought)) for start in starts]

    def _marked(self) -> Content:
        text = self._text
        for index, (start, end) in enumerate(self.matches):
            text = text.stylize("reverse bold" if index == self._at else "underline $warning", start, end)
        return text

    def find(self, sought: str) -> str:
        """Look for `sought`, upper and lower case alike; returns a sentence for the State line."""
        self._sought, self._at = sought, 0
        return self.step(0)

    def step(self, by: int) -> str:
        """Go `by` matches further; returns a sentence for the State line."""
        if not self._sought:
            self.show(self._text)
            return "nothing is sought; / asks what to look for"
        found = self.matches
        if not found:
            self.show(self._text)
            return f'no match for "{self._sought}"'
        self._at = (self._at + by) % len(found)
        self.show(self._text)
        line = self._text.plain.count("\n", 0, found[self._at][0])
        self.scroll_to(y=max(line - self.size.height // 2, 0), animate=False)
        return f'match {self._at + 1} of {len(found)} for "{self._sought}"; n next, N before'

    @property
    def pages(self) -> str:
        """ "1 of 2 pages" when the text is longer than the pane, else empty."""
        height, page = self.virtual_size.height, self.size.height
        if page <= 0 or height <= page:
            return ""
        count = -(-height // page)
        at = count if self.scroll_offset.y >= self.max_scroll_y else self.scroll_offset.y // page + 1
        return f"{at} of {count} pages"
