"""The base of everything that lies on the main screen: a frame with text and keys. Esc closes it without an answer."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

Answer = TypeVar("Answer")


class Modal(ModalScreen[Answer]):
    """Lies on the main screen until it is answered, once."""

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        """Give the answer. A second one, by a key that came before this screen was gone, is none."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


class Card(Modal[Answer]):
    """A modal with a title, a scrolling text, widgets of its own, and its keys in words."""

    CSS_PATH = Path(__file__).parents[1] / "screens.tcss"
    PALETTE: ClassVar[bool] = True
    """False where something has to be typed: no palette opens over it."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", show=False),
        Binding("down,j", "scroll(1)", "Down", show=False),
        Binding("up,k", "scroll(-1)", "Up", show=False),
        Binding("pagedown", "scroll(10)", "Page down", show=False),
        Binding("pageup", "scroll(-10)", "Page up", show=False),
    ]

    def __init__(self, title: str, text: Content, keys: str, *, danger: bool = False, wide: bool = False) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._keys = keys
        self.set_class(danger, "-danger")
        self.set_class(wide, "-wide")

    def compose(self) -> ComposeResult:
        """Text, widgets, keys."""
        with Vertical(id="card") as card:
            card.border_title = self._title
            with VerticalScroll(id="card-body", can_focus=False):
                yield Static(self._text, id="card-text")
            yield from self.widgets()
            yield Static(Content(self._keys), id="card-keys")

    def widgets(self) -> list[Widget]:
        """What stands between text and keys."""
        return []

    def show(self, text: Content, keys: str | None = None) -> None:
        """Replace text and keys."""
        self.query_one("#card-text", Static).update(text)
        if keys is not None:
            self.query_one("#card-keys", Static).update(Content(keys))

    def action_scroll(self, lines: int) -> None:
        """Scroll the text."""
        self.query_one("#card-body", VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_close(self) -> None:
        """Close without an answer."""
        self.dismiss(None)
