"""What y copies: the SQL of the step, the failure as a block of text, or the command to type."""

from __future__ import annotations

from wizard.ui.board import Board
from wizard.ui.page import Page
from wizard.ui.pages import stage, states
from wizard.ui.pages.sql import sql_text


def to_copy(board: Board, step_id: str, tab: str) -> tuple[str, str]:
    """What it is, and the text: as it is in the database, not as it is drawn."""
    step = board.step(step_id)
    if tab == "0" and board.page is Page.ROLLED_BACK:
        return "the command", states.forget_command(board)
    if tab == "0" and board.page is not Page.NONE:
        return "this page", stage.text(board, step, tab, 100, unfolded=False).plain
    if step is not None and tab == "2":
        return f"the SQL of {step.id}", sql_text(step)
    return "this page", stage.text(board, step, tab, 100, unfolded=True).plain
