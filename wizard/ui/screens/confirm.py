"""Questions: yes or no with No as the default, and typing the target name where it matters."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from wizard.ui.screens.card import Card
from wizard.ui.text import foreign


class YesNo(Card[bool]):
    """A question. Only y says yes; Enter, n and Esc say no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", show=False),
        Binding("n,enter", "answer(False)", "No", show=False),
    ]

    def __init__(self, title: str, text: Content) -> None:
        super().__init__(title, text, "y  yes    n, enter, esc  no")

    def action_answer(self, yes: bool) -> None:
        """Give the answer."""
        self.dismiss(yes)


class TypeName(Card[bool]):
    """The target name has to be typed before what `text` says is done."""

    PALETTE = False

    def __init__(self, title: str, text: Content, name: str) -> None:
        super().__init__(
            title, text, "enter  goes on when the name is right    esc  leave everything as it is", danger=True
        )
        self._name_wanted = name

    def widgets(self) -> list[Widget]:
        """One line to type in."""
        return [Input(id="name"), Problem(id="problem")]

    def on_mount(self) -> None:
        """Typing can begin at once."""
        self.query_one("#name", Input).focus()

    @on(Input.Submitted)
    def _judge(self, event: Input.Submitted) -> None:
        if event.value.strip() == self._name_wanted:
            self.dismiss(True)
        else:
            self.query_one(Problem).say(f"That is not the target name. It is: {self._name_wanted}")


class Problem(Widget):
    """One line that says what is wrong with what was typed."""

    DEFAULT_CLASSES = "problem"
    _text: str = ""

    def say(self, text: str) -> None:
        """Show `text`."""
        self._text = text
        self.refresh(layout=True)

    def render(self) -> Content:
        """The line."""
        return foreign(self._text)
