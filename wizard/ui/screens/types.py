"""The types file: which one, and what would be changed in it. Reading and writing it is the engine's work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from wizard.errors import UsageError
from wizard.paths import typed_path, why_no_file
from wizard.ui.pages.types import difference, summary
from wizard.ui.screens.card import Card
from wizard.ui.screens.confirm import Problem
from wizard.ui.text import one_line, stacked

if TYPE_CHECKING:
    from wizard.engine.views_types import TypesPlan


class ChooseTypesFile(Card[Path]):
    """One line to type a path in."""

    PALETTE: ClassVar[bool] = False

    def __init__(self, path: Path) -> None:
        super().__init__(
            "Types file",
            Content(
                "The file that Supabase's generator wrote for the application, types/database.ts. Looking "
                "changes nothing: what would change in it is shown first."
            ),
            "enter  show what would change    esc  leave it as it is",
        )
        self._path = path

    def widgets(self) -> list[Widget]:
        """The path."""
        return [Input(str(self._path), id="path"), Problem(id="problem")]

    def on_mount(self) -> None:
        """Typing can begin at once."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _chosen(self, event: Input.Submitted) -> None:
        text, problem = event.value.strip(), self.query_one(Problem)
        try:
            path = typed_path(text)
        except UsageError as error:
            problem.say(f"{error.what} {error.fix}")
            return
        if not text:
            problem.say("Nothing was typed.")
        elif why := why_no_file(path):
            problem.say(one_line(f"{text} {why}. Name a file."))
        else:
            self.dismiss(path)


class Difference(Card[bool]):
    """What would be changed; Enter writes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "answer", "Write", show=False)]

    def __init__(self, plan: TypesPlan, width: int) -> None:
        text = stacked([*summary(plan, width), Content(""), *difference(plan)])
        keys = "record it as done" if plan.up_to_date else "write the file"
        keys = f"enter  {keys}    up down  scroll    esc  leave it as it is"
        super().__init__("Types file: what changes", text, keys, wide=True)

    def action_answer(self) -> None:
        """Enter."""
        self.dismiss(True)
