"""The line to type a search in, above the footer."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from wizard.ui.screens.card import Modal


class Search(Modal[str]):
    """Returns what to look for; None when it was closed."""

    CSS_PATH = Path(__file__).parents[1] / "search.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Close", show=False)]

    def __init__(self, where: str, last: str) -> None:
        super().__init__()
        self._where = where
        self._last = last

    def compose(self) -> ComposeResult:
        """One line at the bottom."""
        yield Input(self._last, placeholder=f"search in the {self._where}", id="search", compact=True)

    def action_close(self) -> None:
        """Search for nothing."""
        self.dismiss(None)

    @on(Input.Submitted)
    def _found(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)
