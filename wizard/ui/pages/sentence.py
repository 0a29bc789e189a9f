"""The State line: one sentence, what is true now. The engine's own sentences come from the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from wizard.errors import ExitCode
from wizard.text import clock
from wizard.ui.board import Board
from wizard.ui.live import Live
from wizard.ui.page import Page
from wizard.ui.text import one_line
from wizard.ui.trouble import Activity

if TYPE_CHECKING:
    from wizard.engine.events import BackfillProgressed
    from wizard.engine.standing_steps import StandingSteps

_TONES = {
    "$error": {"FAILED", "REFUSED", "STOPPED", "NOT", "ANOTHER", "CONFLICT"},
    "$warning": {"WAITING", "PAUSED", "PAUSING", "STOPPING", "DECIDE", "CONNECTION"},
    "$success": {"FINISHED", "VERIFIED", "DONE"},
}


def sentence(board: Board, width: int = 118) -> str:
    """What is true now, in at most `width` cells where there are shorter words for it."""
    match board.activity:
        case Activity.CONNECTING:
            return f"CONNECTING to {board.name}" if board.name else "CONNECTING"
        case Activity.OFFLINE:
            return _offline(board)
        case Activity.IDLE:
            return _idle(board)
        case _ if board.lost is not None:
            return board.lost.sentence
        case doing:
            return _live(board, board.live, width) if board.live else f"{doing.value.upper()} {board.name}"


def _offline(board: Board) -> str:
    trouble = board.trouble
    if trouble is not None and board.target is not None and trouble.exit_code != ExitCode.CONNECTION:
        return f"STOPPED. {trouble.what}"
    return f"NOT CONNECTED. {trouble.what if trouble else 'Choose a target'}"


def says_dry_run(board: Board) -> bool:
    """The sentence says that a dry run is on, unless what the operator asked for went wrong."""
    return board.dry and board.activity is Activity.IDLE and board.trouble is None


def _idle(board: Board) -> str:
    if says_dry_run(board):
        return "DRY RUN, read-only session: nothing can be changed"
    if board.trouble is not None and (board.page is not Page.CONFLICT or board.failure is not None):
        return f"STOPPED. {board.trouble.what}"
    return board.sentence


def _live(board: Board, live: Live, width: int) -> str:
    """What it does and what is committed, the latter in short where the line is narrow."""
    from wizard.engine.progress import SAFE, backfill_doing

    held = _held(board, live)
    if live.backfill is None:
        standing = _standing(live)
        return _fitting(held or _running(live), standing.words, standing.short_words, width)
    if held:
        return _fitting(held, rows_committed(live.backfill), rows_committed(live.backfill, short=True), width)
    return _fitting(backfill_doing(live.backfill), SAFE, "Safe to stop", width)


def _fitting(doing: str, committed: str, short: str, width: int) -> str:
    whole = f"{doing}. {committed}"
    return whole if len(whole) <= width else f"{doing}. {short}"


def _held(board: Board, live: Live) -> str:
    """What keeps it from going on, now or soon; empty while nothing does."""
    if board.stop_asked:
        return f"STOPPING after this {live.unit} of {live.step}"
    if board.paused:
        return f"PAUSED in {live.step} between two {'batches' if live.backfill else 'parts'}"
    if board.pause_asked:
        return f"PAUSING after this {live.unit} of {live.step}"
    return _waiting(board, live) if live.waited_s is not None else ""


def _running(live: Live) -> str:
    """With the part that it has come to."""
    return f"{live.doing} part {live.part or live.first} of {live.parts}" if live.first else live.doing


def _standing(live: Live) -> StandingSteps:
    """What is committed, the step's own parts included."""
    done = live.part if live.committed else live.part - 1
    if live.parts > 1 and done > 0 and live.direction == "deploy":
        return live.committed_before.with_parts(live.step, done, live.parts)
    return live.committed_before


def rows_committed(backfill: BackfillProgressed, *, short: bool = False) -> str:
    """`412,000 of ~1,000,000 rows are committed`."""
    from wizard.engine.progress import rows_words

    return f"{rows_words(backfill)} {'done' if short else 'are committed'}"


def _waiting(board: Board, live: Live) -> str:
    """`WAITING for a lock on clones, 0:14 of 2:00 (try 4)`."""
    bound = f" of {clock(live.patience_s)} (try {live.attempt})" if live.patience_s else ""
    return f"WAITING for {live.waits_for or 'a lock'}, {clock(live.waited(board.clock()))}{bound}"


def styled(text: str) -> Content:
    """A State line with its leading capitals bold, in the colour of what they say."""
    words = text.split(" ")
    capitals = next((index for index, word in enumerate(words) if not _shouts(word)), len(words))
    tone = next((tone for tone, of in _TONES.items() if words[0].strip(".,:;") in of), "$primary")
    head, rest = " ".join(words[:capitals]), " ".join(words[capitals:])
    return Content.assemble((one_line(head), f"bold {tone}"), f" {one_line(rest)}" if rest else "")


def _shouts(word: str) -> bool:
    bare = word.strip(".,:;")
    return bare.isalpha() and bare.isupper()
