"""The steps: the list of the wide screen, the strip of the narrow one, the parts below. They run nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from wizard.engine.state import StepState
from wizard.ui.messages import StepChosen, StepHighlighted
from wizard.ui.pages.words import state_style
from wizard.ui.text import clip, pad


@dataclass(frozen=True)
class Row:
    """One step as listed."""

    id: str
    label: str
    state: StepState
    word: str = ""
    """Beside the glyph, where it is another than the state's own."""


class StepKeys(Widget, can_focus=True):
    """Highlighting a step with keys or mouse. Base of list and strip."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("home", "jump(0)", "First", show=False),
        Binding("end", "jump(-1)", "Last", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]

    rows: reactive[tuple[Row, ...]] = reactive(())
    current: reactive[str] = reactive("")
    """Id of the highlighted step."""

    @property
    def index(self) -> int:
        """Place of the highlighted step, 0 when there is none."""
        return next((index for index, row in enumerate(self.rows) if row.id == self.current), 0)

    def action_move(self, by: int) -> None:
        """Highlight the step `by` places further."""
        self._highlight(min(max(self.index + by, 0), len(self.rows) - 1))

    def action_jump(self, index: int) -> None:
        """Highlight the first (0) or the last (-1) step."""
        self._highlight(index)

    def action_choose(self) -> None:
        """Enter on the highlighted step."""
        if self.rows:
            self.post_message(StepChosen(self.rows[self.index].id))

    def _highlight(self, index: int) -> None:
        if self.rows and self.rows[index].id != self.current:
            self.post_message(StepHighlighted(self.rows[index].id))


class StepList(StepKeys):
    """One line a step: marker, glyph, id, label, word."""

    @property
    def first(self) -> int:
        """The first row in view: the highlighted one stays visible."""
        height = max(self.size.height, 1)
        return min(max(self.index - height + 1, self.index - height // 2, 0), max(len(self.rows) - height, 0))

    def render(self) -> Content:
        """The rows in view."""
        shown = self.rows[self.first : self.first + max(self.size.height, 1)]
        return Content("\n").join(self._line(row) for row in shown)

    def _line(self, row: Row) -> Content:
        width = self.content_size.width
        word = row.word or row.state.word
        ids = min(max(cell_len(other.id) for other in self.rows), 9) + 1
        label = pad(row.label, max(width - 5 - ids - cell_len(word), 0))
        style = state_style(row.state)
        quiet = "$quiet" if row.state is StepState.TODO else style
        line = Content.assemble(
            (f"{row.state.glyph} ", f"bold {style}"), pad(row.id, ids), label, " ", (word, quiet), " "
        )
        if row.id != self.current:
            return Content.assemble(" ", line)
        line = Content.assemble(("▌", "bold $primary"), line)
        return line.stylize(f"bold on {'$cursor' if self.has_focus else '$cursor-blurred'}")

    def on_click(self, event: events.Click) -> None:
        """A click highlights and runs nothing."""
        index = self.first + event.get_content_offset_capture(self).y
        if 0 <= index < len(self.rows):
            self._highlight(index)

    def on_mouse_scroll_down(self) -> None:
        """The wheel highlights the next step."""
        self.action_move(1)

    def on_mouse_scroll_up(self) -> None:
        """The wheel highlights the step before."""
        self.action_move(-1)


class Strip(StepKeys):
    """All steps on one line; where they do not fit, the highlighted one and two neighbours each side."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "Left", show=False),
        Binding("right", "move(1)", "Right", show=False),
    ]

    count: reactive[str] = reactive("")
    """Right of the steps: "7 of 15"."""

    def render(self) -> Content:
        """The line."""
        width = self.content_size.width
        room = width - len(self.count) - 2
        cells = [self._cell(row) for row in self.rows]
        line = Content(" ").join(cells)
        if line.cell_length > room:
            line = self._around(cells)
        return Content.assemble(line, " " * max(width - line.cell_length - len(self.count), 1), (self.count, "$quiet"))

    def _around(self, cells: list[Content]) -> Content:
        first, last = max(self.index - 2, 0), min(self.index + 3, len(cells))
        return Content.assemble(
            "… " if first else "", Content(" ").join(cells[first:last]), " …" if last < len(cells) else ""
        )

    def _cell(self, row: Row) -> Content:
        cell = Content.assemble((row.state.glyph, state_style(row.state)), clip(row.id, 9))
        if row.id == self.current:
            return cell.stylize(f"bold underline on {'$cursor' if self.has_focus else '$cursor-blurred'}")
        return cell


ROOMY = 5
"""From so many lines on, one at each end tells how many are not in view."""


class Parts(Widget):
    """The parts of the highlighted step and the sizes of its tables; the part under way stays in view."""

    ALLOW_SELECT = False
    lines: reactive[tuple[Content, ...]] = reactive(())
    focus_line: reactive[int] = reactive(0)

    def render(self) -> Content:
        """The lines in view."""
        height = max(self.size.height, 1)
        first = min(max(self.focus_line - height + 2, 0), max(len(self.lines) - height, 0))
        shown = list(self.lines[first : first + height])
        roomy = height >= ROOMY
        if first and roomy:
            shown[0] = Content.styled(f"   {first + 1} above", "$quiet")
        hidden = len(self.lines) - first - len(shown)
        if hidden > 0 and roomy:
            shown[-1] = Content.styled(f"   {hidden + 1} more", "$quiet")
        return Content("\n").join(shown)
