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
from wizard.ui.target_text import SERVICE, has_secret, holds_secret, may_hold_secret, typed_before
from wizard.ui.text import foreign

if TYPE_CHECKING:
    from wizard.launch import Launch

WAYS = {
    "url": ("A URL or conninfo string", "postgresql://USER@HOST:5432/DATABASE"),
    "service": ("A service of pg_service.conf", "the service's name"),
    "demo": ("The demo: a database of its own on this machine", "nothing to type: press Enter"),
}


class TargetInput(Input):
    """One line for a target, hidden from the sign on behind which a password may come."""

    shown = ""
    """What was typed before, without its password: it stays in sight while it is corrected."""

    def watch_value(self, value: str) -> None:
        """Before anything of it is drawn."""
        self.password = may_hold_secret(value, self.shown)


class Connect(Card["Launch"]):
    """Returns the launch with a target in it. What was typed before stands there again, without its password."""

    PALETTE: ClassVar[bool] = False

    def __init__(self, launch: Launch, failed: str = "") -> None:
        first = "No database was named, and none is guessed. What is typed here stays in this program."
        again = f"{failed}. Correct the target, or press enter to try the same one again."
        super().__init__(
            "Choose a target",
            foreign(again if failed else first),
            "up down  choose    enter  go on    tab  next line    esc  close    ctrl+q  quit",
        )
        self._launch = launch
        self._way, self._before = typed_before(launch)

    def widgets(self) -> list[Widget]:
        """The ways, the line to type in, and one for a password, which is never shown."""
        options = [Option(Content(words), id=way) for way, (words, _) in WAYS.items()]
        password = Input(id="target-password", password=True, placeholder="password, if it stands nowhere else")
        return [OptionList(*options, id="ways"), TargetInput(id="target-input"), password, Problem(id="problem")]

    def on_mount(self) -> None:
        """Where something was typed before, it can be corrected at once."""
        self.query_one(OptionList).highlighted = list(WAYS).index(self._way)
        field = self.query_one(TargetInput)
        field.shown = field.value = self._before
        if self._before:
            field.focus()

    @property
    def way(self) -> str:
        """The highlighted way."""
        return list(WAYS)[self.query_one(OptionList).highlighted or 0]

    @on(OptionList.OptionHighlighted)
    def _explain(self) -> None:
        self.query_one(TargetInput).placeholder = WAYS[self.way][1]
        for field in self.query(Input):
            field.disabled = self.way == "demo"

    @on(OptionList.OptionSelected)
    def _chosen(self) -> None:
        if self.way == "demo":
            self.dismiss(replace(self._launch, demo=True, dsn=None, password=None))
        else:
            self.query_one(TargetInput).focus()

    @on(Input.Submitted, "#target-input")
    def _typed(self, event: Input.Submitted) -> None:
        text, password = event.value.strip(), self.query_one("#target-password", Input)
        known = holds_secret(text) or (text == self._before and has_secret(self._launch))
        if not text:
            self.query_one(Problem).say("Nothing was typed.")
        elif self.way == "service" or known or password.value:
            self._go(text, password.value)
        else:
            password.focus()

    @on(Input.Submitted, "#target-password")
    def _with_password(self, event: Input.Submitted) -> None:
        text = self.query_one(TargetInput).value.strip()
        if text:
            self._go(text, event.value)
        else:
            self.query_one(TargetInput).focus()

    def _go(self, text: str, password: str) -> None:
        if (self.way, text, password) == (self._way, self._before, ""):
            self.dismiss(self._launch)
            return
        from pydantic import SecretStr

        dsn = f"{SERVICE}{text}" if self.way == "service" else text
        secret = SecretStr(password) if password else None
        self.dismiss(replace(self._launch, dsn=dsn, demo=False, password=secret))
