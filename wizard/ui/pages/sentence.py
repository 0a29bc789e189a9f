"""The State line: one sentence, what is true now. The engine's own sentences come from the engine."""

from __future__ import annotations

import re
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

_PART = re.compile(r"part \d+ of \d+")
_HAS_PARTS = re.compile(r"; (\S+) has (\d+ of \d+) parts")
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
    from wizard.engine.progress import backfill_sentence

    begin, committed = _running(live)
    if board.stop_asked:
        begin = f"STOPPING after this {live.unit} of {live.step}"
    elif board.paused:
        begin = f"PAUSED in {live.step} between two {'batches' if live.backfill else 'parts'}"
    elif board.pause_asked:
        begin = f"PAUSING after this {live.unit} of {live.step}"
    elif live.waited_s is not None:
        begin = _waiting(board, live)
    elif live.backfill is not None:
        begin, _, committed = backfill_sentence(live.backfill).partition(". ")
    if not committed:
        return begin
    whole = f"{begin}. {committed}"
    return whole if len(whole) <= width else f"{begin}. {_short(committed)}"


def _running(live: Live) -> tuple[str, str]:
    """What runs, with the part that it has come to; and what is committed."""
    begin, _, committed = live.sentence.partition(". ")
    if live.part:
        begin = _PART.sub(f"part {live.part} of {live.parts}", begin)
    done = live.part if live.committed else live.part - 1
    if live.backfill is not None:
        return begin, rows_committed(live.backfill)
    if live.parts > 1 and done > 0 and committed and live.direction == "deploy":
        # As many as had been committed when the step began may stand there already.
        committed = re.sub(rf"; {re.escape(live.step)} has \d+ of \d+ parts", "", committed)
        committed = f"{committed}; {live.step} has {done} of {live.parts} parts"
    return begin, committed


def rows_committed(backfill: BackfillProgressed) -> str:
    """`412,000 of ~1,000,000 rows are committed`."""
    from wizard.engine.progress import rows_words

    return f"{rows_words(backfill)} are committed"


def _short(committed: str) -> str:
    """The same for 80 columns: `0 to 1.6 done, 2.1: 1 of 5`."""
    words = committed.replace("Steps ", "").replace("Step ", "").replace(" are committed", " done")
    words = words.replace(" is committed", " done").replace(" at any time", "")
    return _HAS_PARTS.sub(r", \1: \2", words)


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
