"""The Now region: what happens at this moment, or what Enter would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from wizard.engine.state import StepState
from wizard.rollout.kind import StepKind
from wizard.text import clock, plural
from wizard.ui.board import Board
from wizard.ui.pages.blockers import waiting
from wizard.ui.pages.decisions import can_be_changed
from wizard.ui.pages.progress import NARROW, backfill_lines, index_lines
from wizard.ui.text import clip, paragraph
from wizard.ui.trouble import Activity

if TYPE_CHECKING:
    from wizard.engine.events import BackfillProgressed, ConnectionLost
    from wizard.engine.views import StepView

BUSY = {
    Activity.CONNECTING: "Connecting; nothing is changed by looking.",
    Activity.OFFLINE: "Not connected. r tries again, q quits.",
    Activity.READING: "Reading through a read-only session.",
    Activity.CHECKING: "Reading the prerequisites; nothing is changed.",
    Activity.VERIFYING: "Verifying; nothing is changed.",
    Activity.RUNNING: "Opening a session of its own and taking the advisory lock.",
    Activity.ROLLING_BACK: "Opening a session of its own and taking the advisory lock.",
}

ASKS_AGAIN = "Not connected. r asks for the target again, q quits."


def aside(board: Board) -> str:
    """The words at the right end of the border."""
    live = board.live
    if live is None:
        return ""
    taken = clock((board.clock() - (live.part_began or live.began)).total_seconds())
    batch = f"batch {live.backfill.batches:,} · " if live.backfill and live.backfill.batches else ""
    return f"part {live.part} of {live.parts} · {batch}{taken}" if live.part else taken


def now(board: Board, current: str, width: int) -> list[Content]:
    """The lines of the region, the most important first; `current` is the highlighted step."""
    if board.lost is not None:
        return _lost(board, board.lost, width)
    if board.live is not None:
        return _live(board, width)
    if board.activity is not Activity.IDLE:
        asks = board.activity is Activity.OFFLINE and board.target_typed
        return paragraph(ASKS_AGAIN if asks else BUSY[board.activity], width)
    if told := _in_the_way(board, width):
        return told
    if board.failure is not None:
        return _failed(board.failure.step, board.started_with)
    return _idle(board, board.next_step, current, width) if board.survey else []


def _in_the_way(board: Board, width: int) -> list[Content]:
    """What has to be left before anything runs: a dry run, an answer that is missing, the page of a trouble."""
    if board.dry:
        stays = "Started with --dry-run, this screen stays in it: start without it to run anything. d looks again."
        leave = stays if board.launch.dry_run else "d leaves it; nothing can be run before."
        return [
            *paragraph("The dry run looks through a read-only session. Saved progress is untouched.", width),
            *paragraph(leave, width, style="$quiet"),
        ]
    if board.unread:
        return paragraph("What stands in the database is not known before it answers: r asks it again.", width)
    if board.may_close:
        return paragraph("enter closes the page on the stage; nothing runs by it.", width)
    return []


def _lost(board: Board, lost: ConnectionLost, width: int) -> list[Content]:
    """The connection is sought again; nothing is known of what was under way."""
    words = (
        ("the connection is lost; what became of the running part is not known yet", "$warning"),
        (f"connecting again, try {lost.attempt}; after {clock(lost.patience_s)} it gives up and tells you", ""),
        ("what was committed stays; nothing is sent before the database has answered", "$quiet"),
    )
    lines = [Content.styled(clip(text, width), style) for text, style in words]
    sql = board.live.sql if board.live is not None else ""
    return [*lines, *(asked(board) or ([Content.styled(clip(f"sent last: {sql}", width), "$quiet")] if sql else []))]


def _live(board: Board, width: int) -> list[Content]:
    live = board.live
    if live is None:
        return []
    if live.waited_s is not None:
        return [*waiting(board, live, width), *asked(board)]
    lines = [Content.styled(clip(live.part_title or live.title, width), "bold")]
    if live.sql:
        lines.append(Content.styled(clip(live.sql, width), "$quiet"))
    if live.backfill is not None:
        return _backfill(board, live.backfill, lines, width)
    if live.index is not None:
        lines += index_lines(live.index, width)
    return [*lines, *asked(board)]


def _backfill(board: Board, backfill: BackfillProgressed, lines: list[Content], width: int) -> list[Content]:
    """Where there is room for four lines only, the numbers and what was asked for go first."""
    progress = backfill_lines(backfill, width, resting=board.paused)
    if width < NARROW:
        return [*progress[:1], *progress[1:2], *(asked(board) or progress[3:] or lines[:1]), *progress[2:3]]
    return [*lines, *progress, *asked(board)]


def asked(board: Board) -> list[Content]:
    """That it stops, has paused or will pause."""
    if board.stop_asked:
        words = f"stops after this {board.unit}"
    elif board.paused:
        between = "batches" if board.unit == "batch" else "parts"
        words = f"paused between two {between}: no lock is held. space goes on, b rolls back"
    elif board.pause_asked:
        words = f"pauses after this {board.unit}"
    else:
        return []
    return [Content.styled(words, "$warning")]


def _failed(step: str, started_with: str) -> list[Content]:
    if started_with:
        told = f"{step} failed. Nothing may be changed here: start without {started_with} to retry it or roll it back."
        return [Content(told), Content.styled("Looking keys work; 0 shows what happened.", "$quiet")]
    words = (" retries ", step, ", ", " shows the rollback plan, ", " stops; it is shown again on the next start.")
    retry, failed, comma, plan, stop = words
    return [
        Content.assemble(("r", "bold"), retry, failed, comma, ("b", "bold"), plan, ("q", "bold"), stop),
        Content.styled("Nothing runs before you answer. Looking keys work; 0 shows what happened.", "$quiet"),
    ]


def _idle(board: Board, step: StepView | None, current: str, width: int) -> list[Content]:
    if board.takes_types_file(board.step(current)):
        lines = _types_file(board, current, width)
    elif step is None:
        lines = paragraph("Everything is run. b shows the rollback plan, x exports the log, q quits.", width)
    elif board.launch.read_only:
        lines = paragraph("Read-only: every key that looks works, no key writes.", width)
    elif board.conflicts:
        steps = ", ".join(dict.fromkeys(conflict.step for conflict in board.conflicts))
        lines = [
            Content.styled(clip(f"conflict in {steps}: nothing runs before it is settled", width), "$error"),
            Content.assemble(("0", "bold"), "     shows both definitions"),
            Content.assemble(("enter", "bold"), " looks again"),
        ]
    else:
        does = enter_does(step) if step.id == current else f"goes to {step.id} {step.label}, which is next"
        lines = [
            Content.assemble(("enter", "bold"), f" {does}"),
            Content.assemble(("a", "bold"), "     runs everything left, to a decision, a failure or the end"),
            Content.assemble(("d", "bold"), "     shows what would run, through a session that cannot write"),
        ]
    if board.open_decisions:
        names = ", ".join(decision.name for decision in board.open_decisions)
        count = plural(len(board.open_decisions), "decision")
        lines.append(Content.styled(clip(f"{count} still open: {names}", width), "$warning"))
    elif taken := decided(board):
        lines.append(Content.styled(clip(f"decided: {taken}; key 6 of that step changes it", width), "$quiet"))
    return lines


def _types_file(board: Board, current: str, width: int) -> list[Content]:
    """What Enter does with the types step once it is its turn."""
    lines = [Content.assemble(("enter", "bold"), " asks for the types file, shows the difference, writes on your word")]
    step = board.next_step
    if step is not None:
        lines.append(Content.assemble(("a", "bold"), f"     runs everything left, from {step.id} on"))
    known = board.step(current)
    if known is not None and known.types_file:
        lines.append(Content.styled(clip(f"written: {known.types_file}", width), "$quiet"))
    return lines


def decided(board: Board) -> str:
    """What holds for each decision, and in which step, while it can still be changed."""
    if not can_be_changed(board):
        return ""
    each = [f"{one.name}={board.given(one)} in {step.id}" for step in board.steps for one in step.decisions]
    return ", ".join(each)


def enter_does(step: StepView) -> str:
    """What Enter does with a step, as a clause."""
    from wizard.engine.words import is_there

    if step.kind is StepKind.PREREQUISITES:
        return f"checks the prerequisites ({step.id}); reads only"
    if step.kind is StepKind.VERIFICATION:
        return f"verifies ({step.id}); reads only"
    if step.types and step.state is StepState.TODO:
        return f"shows what changes in the types file ({step.id}), and writes it on your word"
    if step.kind is StepKind.MANUAL:
        return f"goes through {step.id} {step.label}; nothing is sent to the database"
    found = sum(one.origin == "adopted" for one in step.objects)
    if is_there(step):
        return f"adopts {step.id} {step.label}: records that its {plural(found, 'object')} {_are(found)} there already"
    left = [part for part in step.parts if not part.state.is_complete]
    count = sum(not statement.ours for part in left for statement in part.statements)
    sends = f"{plural(count, 'statement')} in {plural(len(left), 'transaction')}"
    if any(part.in_batches for part in left):
        sends += " and the batches of a backfill"
    if len(left) < len(step.parts):
        sends += f"; {len(step.parts) - len(left)} of {len(step.parts)} parts are done"
    there = f"; {found} of {plural(len(step.objects), 'object')} {_are(found)} there" if found else ""
    return f"runs {step.id} {step.label}: {sends}{there}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
