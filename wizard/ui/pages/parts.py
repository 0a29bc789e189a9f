"""The parts of a step as listed below the steps, with the sizes of its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from wizard.engine.state import StepState
from wizard.rollout.kind import StepKind
from wizard.ui.board import Board
from wizard.ui.pages.words import rows_of, state_style, took
from wizard.ui.text import clip, foreign, one_line, spread

if TYPE_CHECKING:
    from wizard.engine.views import PartView, StepView


ADOPTED = "adopted: everything was there already"


def part_state(board: Board, step: StepView, index: int, part: PartView) -> StepState:
    """State of the part of this place, from 1: as reported since the survey, else as surveyed."""
    live = board.live
    if live is None or live.step != step.id or live.direction == "revert":
        return part.state
    if index < live.part or (index == live.part and live.committed):
        return StepState.DONE
    if index == live.part and board.lost is not None:
        return StepState.UNKNOWN
    if index == live.part:
        if live.waited_s is not None:
            return StepState.WAITING
        return StepState.PAUSED if board.paused else StepState.RUNNING
    return StepState.TODO


def parts_done(board: Board, step: StepView) -> str:
    """ "1 of 5"."""
    states = [part_state(board, step, index, part) for index, part in enumerate(step.parts, start=1)]
    return f"{sum(state.is_complete for state in states)} of {len(states)}" if states else ""


def part_lines(board: Board, step: StepView, width: int) -> tuple[Content, ...]:
    """One line a part, then one a table."""
    lines: list[Content] = []
    for index, part in enumerate(step.parts, start=1):
        state = part_state(board, step, index, part)
        note = _note(board, step, index, part)
        room = max(width - len(note) - 3, 4)
        title = ADOPTED if step.state is StepState.ADOPTED else part.title
        # One part has room for all of its title; of several each has one line.
        first, *more = (
            foreign(one_line(part.title)).wrap(room) if len(step.parts) == 1 else [Content(clip(title, room))]
        )
        head = Content.assemble((f"{state.glyph} ", state_style(state)), first.rstrip())
        lines.append(spread(head, Content.styled(note, "$quiet"), width))
        lines += [Content.assemble("  ", line) for line in more]
    if not step.parts:
        lines.append(Content.styled(_without_parts(step), "$quiet"))
    for size in step.sizes:
        lines.append(
            spread(Content.styled(one_line(size.table), "$quiet"), Content.styled(rows_of(size), "$quiet"), width)
        )
    return tuple(lines)


def _note(board: Board, step: StepView, index: int, part: PartView) -> str:
    """Right of a part: its time, the batch it has come to, or its state."""
    live, state = board.live, part_state(board, step, index, part)
    here = live is not None and (live.step, live.part) == (step.id, index) and live.waited_s is None
    if here and live is not None and live.backfill is not None and live.backfill.batches and board.lost is None:
        return f"{'paused, ' if board.paused else ''}batch {live.backfill.batches:,}"
    if part.seconds is not None:
        return took(part.seconds)
    return "" if state is StepState.TODO else state.word


def _without_parts(step: StepView) -> str:
    if step.types and step.state in {StepState.DONE, StepState.TODO}:
        return "a file, no transaction"
    return {StepKind.MANUAL: "yours to do", StepKind.SQL: "nothing to send"}.get(step.kind, "reads only")
