"""The objects of a step as its pages show them: what it makes, what it finds and leaves, what it replaces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.content import Content

from wizard.engine.state import StepState
from wizard.text import plural
from wizard.ui.pages.words import heading, where
from wizard.ui.text import Field, one_line, paragraph

if TYPE_CHECKING:
    from wizard.engine.views import ObjectView, StepView
    from wizard.ui.board import Board

FEW = 3
"""Up to so many objects are named where there is only a line for them."""
_PLURALS = {"index": "indexes", "policy": "policies", "row level security": "tables with row level security"}


def standing(board: Board, step: StepView) -> tuple[StepState, str]:
    """The state by which a step is listed, and its word: before it runs also what a run would do with it."""
    from wizard.engine.words import is_there

    state = board.state(step)
    if state is StepState.WOULD_RUN:
        if step.conflicts:
            return StepState.CONFLICT, "would stop"
        return (StepState.ADOPTED, "would adopt") if is_there(step) else (state, state.word)
    return (state, "to adopt") if state is StepState.TODO and is_there(step) else (state, state.word)


FILE_WRITTEN = "nothing but the record; the types file fits it, and how the file was before is kept in the record"


def in_the_database(board: Board, step: StepView) -> str:
    """What is recorded of a step, or found before it runs."""
    from wizard.engine.words import is_there, objects_words

    state, found = board.state(step), objects_words(step)
    if told := _under_way(board, step) or _stopped(board, step, state):
        return told
    if is_there(step) and not state.is_complete:
        return f"{found}, exactly as the step makes them: running it records that and sends nothing of its own"
    if state is StepState.ADOPTED or not found:
        return FILE_WRITTEN if step.types and state is StepState.DONE else where(state)
    if state.is_complete:
        return f"{where(state)}; {found}"
    return f"{found}; only what is missing is sent" if _found(step) else f"{where(state)}; {found}"


def _stopped(board: Board, step: StepView, state: StepState) -> str:
    """Of a step that failed, would meet a conflict, or about which the database has to be asked; empty else."""
    failure = board.failure
    if state is StepState.UNKNOWN:
        return where(state)
    if state is StepState.FAILED and failure is not None and failure.step == step.id and failure.state_now:
        return f"its failure is recorded. {failure.state_now}"
    if not step.conflicts:
        return ""
    differs = ", ".join(one_line(conflict.words) for conflict in step.conflicts)
    return f"{differs}: there already, and not what the step would make (key 0 shows both definitions)"


def _under_way(board: Board, step: StepView) -> str:
    """Of a step whose parts or batches commit one by one: what of it is there already; empty for any other."""
    from wizard.engine.progress import rows_words

    live = board.live
    if live is None or live.step != step.id or board.lost is not None:
        return ""
    if live.backfill is not None:
        return f"{rows_words(live.backfill)} are committed; each batch is visible as soon as it commits"
    done = live.part if live.committed else live.part - 1
    if live.parts > 1 and done > 0 and live.direction == "deploy":
        return f"{done} of {live.parts} parts are committed and visible, the next one is being made"
    return ""


def _found(step: StepView) -> bool:
    return any(one.origin == "adopted" for one in step.objects)


def rows(step: StepView, *, narrow: bool) -> list[Field]:
    """For the page About: how many of what it makes, finds and replaces."""
    made, found, replaced = (of(step, origin) for origin in ("made", "adopted", "replaced"))
    fields: list[Field] = []
    if made and not step.conflicts:
        fields.append(("Makes", summary(made)))
    if found:
        fields.append(("Finds", f"{summary(found)}; the owner's, rolling back leaves them as they are"))
    if replaced:
        fields.append(
            ("Swaps" if narrow else "Replaces", f"{summary(replaced)}; saved first, rolling back puts it back")
        )
    return fields


def rolled_back(step: StepView) -> str:
    """What rolling the step back does: as the rollout says, unless part of it is not this rollout's to take away."""
    found, made = of(step, "adopted"), of(step, "made")
    if not found:
        return step.rollback
    if not made and all(statement.ours for statement in step.revert):
        return "nothing: all of it was there before and stays as it is"
    return f"takes away only what this rollout makes ({summary(made) or 'no object'}); what was there before stays"


def of(step: StepView, origin: str) -> tuple[ObjectView, ...]:
    """The objects of one origin."""
    return tuple(one for one in step.objects if one.origin == origin)


def summary(objects: Iterable[ObjectView]) -> str:
    """`table domains, trigger keep_time on domains` where they are few, else `1 table, 5 columns, 8 rows`."""
    listed = tuple(objects)
    if len(listed) <= FEW:
        return ", ".join(one_line(one.words) for one in listed)
    counts = Counter(_kind(one.words) for one in listed)
    return ", ".join(_many(count, kind) for kind, count in counts.items())


def _kind(words: str) -> str:
    from wizard.rollout.shape import ItemKind

    kinds = sorted((kind.value for kind in ItemKind), key=len, reverse=True)
    return next((kind for kind in kinds if words.startswith(f"{kind} ")), "object")


def _many(count: int, kind: str) -> str:
    if kind == "row level security" and count == 1:
        return kind
    return f"{count} {_PLURALS[kind]}" if count > 1 and kind in _PLURALS else plural(count, kind)


def listed(step: StepView, width: int) -> tuple[list[Content], list[Content]]:
    """For the page Rollback, each by name: what stays and what is put back; and what it makes and takes away again."""
    found, replaced, made = of(step, "adopted"), of(step, "replaced"), of(step, "made")
    done = step.state.is_complete
    there = "was there before" if done else "is there already"
    before = _block(f"Stays: it {there} and belongs to the database's owner", found, width)
    before += _block("Put back: saved before it is replaced", replaced, width)
    taken = "Taken away: made by this rollout" if done else "Taken away: what it would make"
    return before, _block(taken, made, width) if found or replaced else []


def _block(title: str, objects: tuple[ObjectView, ...], width: int) -> list[Content]:
    if not objects:
        return []
    names = [line for one in objects for line in paragraph(one_line(one.words), width, indent="  ")]
    return [heading(title), *names, Content("")]
