"""The state pages of the stage, and which of them apply to a board. Their text is in pages/."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from wizard.ui.trouble import Activity

if TYPE_CHECKING:
    from wizard.ui.board import Board


class Page(Enum):
    """A state of the stage that is shown before the six tabs; the value is the word on its tab."""

    NONE = ""
    CONNECTING = "Connecting"
    TROUBLE = "Stopped"
    FAILED = "Failed"
    CONFLICT = "Conflict"
    CHECKS_FAILED = "Not verified"
    FINISHED = "Finished"
    ROLLED_BACK = "Rolled back"
    DRY_RUN = "Dry run"
    DECISION = "Decide"
    RESUME = "Resume"


def pages_of(board: Board) -> tuple[tuple[Page, bool], ...]:
    """Each page and whether it applies now, the most urgent first."""
    survey, idle = None if board.unread else board.survey, not board.busy
    refused = board.trouble is not None and board.trouble.refused and board.trouble.during is Activity.RUNNING
    return (
        (Page.CONNECTING, board.activity is Activity.CONNECTING),
        (Page.DECISION, idle and board.asking and bool(board.open_decisions)),
        (Page.CONFLICT, idle and refused and bool(board.conflicts)),
        (Page.TROUBLE, board.trouble is not None and not board.busy),
        (Page.DRY_RUN, board.dry_run is not None),
        (Page.FAILED, idle and board.failure is not None),
        (Page.CONFLICT, idle and bool(board.conflicts)),
        (Page.CHECKS_FAILED, idle and board.unverified),
        (Page.FINISHED, idle and survey is not None and survey.finished),
        (Page.ROLLED_BACK, idle and survey is not None and survey.rolled_back),
        (Page.DECISION, idle and bool(board.open_decisions)),
        (Page.RESUME, idle and board.first_survey and survey is not None and survey.begun),
    )
