"""The State line: one sentence, what is true now. The engine's own sentences come from the engine."""

from __future__ import annotations

from textual.content import Content

from wizard.ui.board import Activity, Board, Page
from wizard.ui.live import Live
from wizard.ui.pages.words import elapsed
from wizard.ui.text import one_line

_TONES = {
    "$error": {"FAILED", "REFUSED", "STOPPED", "NOT", "ANOTHER", "CONFLICT"},
    "$warning": {"WAITING", "PAUSED", "PAUSING", "STOPPING", "DECIDE"},
    "$success": {"FINISHED", "VERIFIED", "DONE"},
}


def sentence(board: Board) -> str:
    """What is true now."""
    match board.activity:
        case Activity.CONNECTING:
            return f"CONNECTING to {board.name}" if board.name else "CONNECTING"
        case Activity.OFFLINE:
            return f"NOT CONNECTED. {board.trouble.what if board.trouble else 'Choose a target'}"
        case Activity.IDLE:
            return _idle(board)
        case doing:
            return _live(board, board.live) if board.live else f"{doing.value.upper()} {board.name}"


def _idle(board: Board) -> str:
    if board.dry_run is not None:
        return "DRY RUN, read-only session: nothing can be changed"
    if board.trouble is not None and (board.page is not Page.CONFLICT or board.failure is not None):
        return f"STOPPED. {board.trouble.what}"
    return board.sentence


def _live(board: Board, live: Live) -> str:
    committed = live.sentence.split(". ", 1)[1] if ". " in live.sentence else ""
    begin = live.sentence
    if board.stop_asked:
        begin = f"STOPPING after this part of {live.step}"
    elif board.paused:
        begin = f"PAUSED in {live.step} between two parts"
    elif board.pause_asked:
        begin = f"PAUSING after this part of {live.step}"
    elif live.waited_s is not None:
        begin = _waiting(board, live)
    return begin if begin is live.sentence else f"{begin}. {committed}"


def _waiting(board: Board, live: Live) -> str:
    """`WAITING for a lock on clones, 0:14 of 2:00 (try 4)`."""
    bound = f" of {elapsed(live.patience_s)} (try {live.attempt})" if live.patience_s else ""
    return f"WAITING for {live.waits_for or 'a lock'}, {elapsed(live.waited(board.clock()))}{bound}"


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
