"""Asks what to export and where to; writing the file is the app's work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from wizard.errors import UsageError
from wizard.paths import is_taken, typed_path
from wizard.text import file_name
from wizard.ui.screens.card import Card
from wizard.ui.screens.confirm import Problem

KINDS = {
    "sql": ("Log as SQL that psql replays", "log.sql"),
    "md": ("Log as a report to read (Markdown)", "report.md"),
    "jsonl": ("Log as JSON lines", "log.jsonl"),
    "plan": ("What is left to run, as a psql script", "plan.sql"),
}


@dataclass(frozen=True)
class ExportChoice:
    """What to write where. An existing file is refused."""

    kind: str
    path: Path


class Export(Card[ExportChoice]):
    """First what, then where."""

    PALETTE: ClassVar[bool] = False

    def __init__(self, folder: Path, name: str, *, has_log: bool) -> None:
        super().__init__(
            "Export",
            Content("The file is new and only you can read it (0600); an existing one is refused."),
            "up down  choose    enter  write    tab  to the path and back    esc  close",
        )
        self._folder = folder
        self._stem = file_name(name)
        self._kinds = [kind for kind in KINDS if has_log or kind == "plan"]

    def widgets(self) -> list[Widget]:
        """The kinds and the path."""
        options = [Option(Content(KINDS[kind][0]), id=kind) for kind in self._kinds]
        return [OptionList(*options, id="kinds"), Input(self._path(self._kinds[0]), id="path"), Problem(id="problem")]

    def _path(self, kind: str) -> str:
        """A name that is free: `acme-log.sql`, then `acme-log-2.sql`."""
        first = path = self._folder / f"{self._stem}-{KINDS[kind][1]}"
        number = 1
        while is_taken(path):
            number += 1
            path = first.with_stem(f"{first.stem}-{number}")
        return str(path)

    @property
    def kind(self) -> str:
        """The highlighted kind."""
        return self._kinds[self.query_one(OptionList).highlighted or 0]

    @on(OptionList.OptionHighlighted)
    def _propose(self) -> None:
        self.query_one("#path", Input).value = self._path(self.kind)

    @on(OptionList.OptionSelected)
    @on(Input.Submitted)
    def _write(self) -> None:
        text = self.query_one("#path", Input).value.strip()
        try:
            path = typed_path(text)
        except UsageError as error:
            self.query_one(Problem).say(f"{error.what} {error.fix}")
        else:
            if text:
                self.dismiss(ExportChoice(self.kind, path))
