"""The question before leaving while something runs. What was committed stays, whatever is answered."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from wizard.ui.board import Board
from wizard.ui.pages.sentence import rows_committed
from wizard.ui.screens.card import Card
from wizard.ui.text import paragraph, stacked

STOP, CANCEL, STAY = "stop", "cancel", "stay"


class Quit(Card[str]):
    """Stop after this part or batch, cancel now, or stay (the default)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "answer('stop')", "Stop after this part", show=False),
        Binding("c", "answer('cancel')", "Cancel now", show=False),
        Binding("enter,n", "answer('stay')", "Stay", show=False),
    ]

    def __init__(self, board: Board) -> None:
        live = board.live
        what = f"{live.step} {live.title} is under way." if live else "The wizard is at work."
        lines = [
            *paragraph(what, 76),
            *([Content(rows_committed(live.backfill) + ".")] if live and live.backfill else []),
            *paragraph(
                "What is committed stays. Started again, here or on another machine, the wizard goes on from there.", 76
            ),
        ]
        super().__init__(
            "Quit",
            stacked(lines),
            f"s  stop after this {board.unit}, then quit\nc  cancel the statement now, then quit\nenter, esc  stay",
        )

    def action_answer(self, answer: str) -> None:
        """Give the answer."""
        self.dismiss(answer)
