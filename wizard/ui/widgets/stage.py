"""The stage: its tabs, its scrolling text, and the answers to a decision. What the text says is made in pages/."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from wizard.ui.messages import StageScrolled, TabChosen
from wizard.ui.widgets.textpane import TextPane


class Tabs(Widget):
    """The line of tabs; the chosen one stands in brackets."""

    ALLOW_SELECT = False
    tabs: reactive[tuple[tuple[str, str], ...]] = reactive(())
    """(key, words) of each tab."""
    active: reactive[str] = reactive("1")

    def render(self) -> Content:
        """The tabs, as many cells apart as fit."""
        gap = 2 if self._length(2) <= self.content_size.width else 1
        cells = [self._cell(key, words) for key, words in self.tabs]
        return Content(" " * gap).join(cells)

    def _length(self, gap: int) -> int:
        return sum(len(key) + 1 + len(words) + gap for key, words in self.tabs) + 2 - gap

    def _cell(self, key: str, words: str) -> Content:
        if key == self.active:
            return Content.styled(f"[{key} {words}]", "bold $primary")
        return Content.assemble((key, "$foreground"), f" {words}").stylize_before("$quiet")

    def on_click(self, event: events.Click) -> None:
        """A click chooses the tab under the pointer."""
        x = event.get_content_offset_capture(self).x
        gap = 2 if self._length(2) <= self.content_size.width else 1
        end = 0
        for key, words in self.tabs:
            end += len(key) + 1 + len(words) + (2 if key == self.active else 0)
            if x < end:
                self.post_message(TabChosen(key))
                return
            end += gap


class StageBody(TextPane):
    """The scrolling text of the stage."""

    def watch_virtual_size(self) -> None:
        """The text became longer or shorter."""
        self.post_message(StageScrolled())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Tell the screen, which draws the page number."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(StageScrolled())
