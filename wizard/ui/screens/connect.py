"""Asks for a target where none was given: a URL, a service of libpq, or the demo. It connects to nothing itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from wizard.ui.screens.card import Card
from wizard.ui.screens.confirm import Problem

if TYPE_CHECKING:
    from wizard.launch import Launch

WAYS = {
    "url": ("A URL or conninfo string", "postgresql://USER@HOST:5432/DATABASE"),
    "service": ("A service of pg_service.conf", "the service's name"),
    "demo": ("The demo: a database of its own on this machine", "nothing to type: press Enter"),
}


class Connect(Card["Launch"]):
    """Returns the launch with a target in it."""

    PALETTE: ClassVar[bool] = False

    def __init__(self, launch: Launch) -> None:
        super().__init__(
            "Choose a target",
            Content("No database was named, and none is guessed. What is typed here stays in this program."),
            "up down  choose    enter  go on    esc  close    ctrl+q  quit",
        )
        self._launch = launch

    def widgets(self) -> list[Widget]:
        """The ways, and the line to type in; what is typed may hold a password, so it is not shown."""
        options = [Option(Content(words), id=way) for way, (words, _) in WAYS.items()]
        return [OptionList(*options, id="ways"), Input(id="target-input", password=True), Problem(id="problem")]

    @property
    def way(self) -> str:
        """The highlighted way."""
        return list(WAYS)[self.query_one(OptionList).highlighted or 0]

    @on(OptionList.OptionHighlighted)
    def _explain(self) -> None:
        field = self.query_one(Input)
        field.placeholder = WAYS[self.way][1]
        field.password = self.way == "url"
        field.disabled = self.way == "demo"

    @on(OptionList.OptionSelected)
    def _chosen(self) -> None:
        if self.way == "demo":
            self.dismiss(replace(self._launch, demo=True, dsn=None))
        else:
            self.query_one(Input).focus()

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        if not text:
            self.query_one(Problem).say("Nothing was typed.")
        elif self.way == "service":
            self.dismiss(replace(self._launch, dsn=f"service={text}", demo=False))
        else:
            self.dismiss(replace(self._launch, dsn=text, demo=False))
