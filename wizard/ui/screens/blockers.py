"""Who blocks: the sessions in the way, kept up to date, and c and t for the highlighted one, each after a question."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from wizard.ui.board import Board
from wizard.ui.commands import to_cancel_blocker, to_end_blocker
from wizard.ui.pages.blockers import details, held, named, short
from wizard.ui.screens.card import Card
from wizard.ui.screens.confirm import YesNo
from wizard.ui.text import clip, paragraph, stacked

if TYPE_CHECKING:
    from wizard.engine.views import Blocker

Signal = Callable[["Blocker", bool], object]
"""Called with a blocker and whether its connection is to be ended, after the operator said yes."""

CLOSE = "esc  close"
KEYS = f"c  cancel its statement    t  end its connection    {CLOSE}"

CONSEQUENCE = "Its transaction is rolled back by the server; what that means for the application, only its owner knows."


class WhoBlocks(Card[None]):
    """The list of blockers. Nothing is signalled before its question was answered with y."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "choose(1)", "Down", show=False),
        Binding("up,k", "choose(-1)", "Up", show=False),
        Binding("c", "signal(False)", "Cancel its statement", show=False),
        Binding("t", "signal(True)", "End its connection", show=False),
        Binding("w", "close", "Close", show=False),
    ]

    def __init__(self, board: Board, width: int, signal: Signal) -> None:
        super().__init__("Who blocks", Content(""), KEYS)
        self._board = board
        self._width = width
        self._signal = signal
        self._chosen: tuple[int, str, object] | None = None
        """Who is highlighted, whatever place it has in the list now."""
        self._drawn: tuple[str, ...] = ()
        self._said = ""

    def widgets(self) -> list[Widget]:
        """The list."""
        listed = OptionList(id="blockers", markup=False)
        listed.can_focus = False
        return [listed]

    def on_mount(self) -> None:
        """Draw what is known now."""
        self.draw()

    @property
    def blockers(self) -> tuple[Blocker, ...]:
        """Who is in the way now."""
        return self._board.live.blockers if self._board.live else ()

    @property
    def chosen(self) -> Blocker | None:
        """The highlighted one; the first if that one is gone."""
        found = next((one for one in self.blockers if _key(one) == self._chosen), None)
        return found or next(iter(self.blockers), None)

    def draw(self) -> None:
        """Draw the board's blockers anew; the highlight stays on whom it was."""
        if len(self.query("#card-text, #blockers")) < 2:
            return  # not there yet, or not any more: events come at any time
        one = self.chosen
        self._chosen = _key(one) if one else None
        live = self._board.live
        head = paragraph(f"{live.step} waits for {live.waits_for or 'a lock'}." if live else "", self._width)
        lines = [*head, Content(""), *details(one, self._width)] if one else [Content("Nobody is in the way any more.")]
        if self._said:
            lines += [Content(""), *paragraph(self._said, self._width, style="$warning")]
        self.show(stacked(lines), KEYS if one else CLOSE)
        listed = self.query_one("#blockers", OptionList)
        rows = tuple(clip("; ".join(filter(None, (short(other), held(other)))), self._width) for other in self.blockers)
        if rows != self._drawn:
            self._drawn = rows
            listed.clear_options()
            listed.add_options([Option(Content(row)) for row in rows])
        listed.highlighted = self.blockers.index(one) if one else None

    def say(self, text: str) -> None:
        """What came of the last key, until the next one."""
        self._said = text
        self.draw()

    def action_choose(self, by: int) -> None:
        """Highlight the next one, or the one before."""
        one = self.chosen
        if one is not None:
            at = min(max(self.blockers.index(one) + by, 0), len(self.blockers) - 1)
            self._chosen = _key(self.blockers[at])
        self.say("")

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_index < len(self.blockers):
            self._chosen = _key(self.blockers[event.option_index])
        self.say("")

    def action_signal(self, end: bool) -> None:
        """Ask; with y, do it. Or say why not."""
        one = self.chosen
        reason = (to_end_blocker if end else to_cancel_blocker)(one)
        if reason or one is None:
            self.say(f"{'t' if end else 'c'} does nothing now: {reason}")
            return
        self.say("")
        what = "End the connection of" if end else "Cancel the statement of"
        lines = paragraph(f"{what} {named(one)}?", self._width)
        lines += [Content(""), *paragraph(CONSEQUENCE, self._width, style="$quiet")]
        text = stacked(lines)
        self.app.push_screen(YesNo("End a session" if end else "Cancel a statement", text), self._asked(one, end))

    def _asked(self, one: Blocker, end: bool) -> Callable[[bool | None], None]:
        def answered(yes: bool | None) -> None:
            if yes:
                self.say(f"{'ending' if end else 'cancelling'} pid {one.pid} ...")
                self._signal(one, end)

        return answered


def _key(one: Blocker) -> tuple[int, str, object]:
    return one.pid, one.gid, one.backend_start
