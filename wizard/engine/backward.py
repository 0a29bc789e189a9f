"""Rolls back from the registry, newest part first: what was recorded when a part ran, not what its files say today."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from psycopg import errors

from wizard.db.connect import Connection
from wizard.db.queries import query
from wizard.db.reading import read_rows
from wizard.engine import words
from wizard.engine.commit import commit_part, outcome_now
from wizard.engine.events import StepFinished, StepStarted
from wizard.engine.guard import Guard, counting
from wizard.engine.message import PartSource
from wizard.engine.record import PartRecord, RolloutRecord
from wizard.engine.registry import end_rollout, load_reverts
from wizard.engine.sitting import Sitting
from wizard.engine.situation import Situation
from wizard.engine.state import StepState
from wizard.engine.views import Loss, Outcome, RollbackPlan, RollbackStep, StatementView
from wizard.errors import RefusedError, UsageError
from wizard.rollout.render import Group


@dataclass(frozen=True)
class Undo:
    """One recorded part and what rolling it back sends."""

    record: PartRecord
    groups: tuple[Group, ...]
    guards: tuple[Guard, ...]


def rollback_plan(connection: Connection, situation: Situation, to: str | None) -> RollbackPlan:
    """What would go, newest first, and the rows that would be lost with it. Reads only."""
    undos = tuple(_undos(connection, situation, to))
    steps = tuple(
        RollbackStep(id=step, title=_title(situation, step), statements=tuple(_views(parts)))
        for step, parts in _by_step(undos)
    )
    losses = []
    for undo in undos:
        for guard in undo.guards:
            count = _count(connection, guard)
            if count:
                losses.append(Loss(step=undo.record.step, what=guard.what, rows=count))
    return RollbackPlan(to=to, steps=steps, losses=tuple(losses))


def _count(connection: Connection, guard: Guard) -> int:
    """Rows that would be lost; what somebody dropped by hand holds none."""
    try:
        rows = read_rows(connection, counting(guard))
    except (errors.UndefinedTable, errors.UndefinedColumn):
        return 0
    return int(rows[0]["number"])


def run_backward(here: Sitting, to: str | None, *, discard_data: bool) -> Outcome:
    """Undoes everything, or everything after step `to`.

    Raises RefusedError if rows would be lost and `discard_data` is False; nothing was changed then.
    """
    if here.situation.active is None:
        return outcome_now(here, "done", changed=False, sentence="Nothing is rolled out; nothing was changed")
    plan = rollback_plan(here.connection, here.situation, to)
    if plan.losses and not discard_data:
        raise RefusedError(
            f"rolling back would destroy {plan.would_lose} rows",
            why="\n".join(f"{loss.rows} {loss.what} (step {loss.step})" for loss in plan.losses)
            + f"\nNothing was changed. {words.committed(here.situation)}.",
            fix="Save those rows first, or discard them: --discard-data --confirm TARGET",
        )
    here.begin()
    undos = tuple(_undos(here.connection, here.situation, to))
    for step, parts in _by_step(undos):
        outcome = _undo_step(here, step, parts, discard_data=discard_data)
        if outcome is not None:
            return outcome
    if to is None:
        assert here.situation.active is not None
        end_rollout(here.connection, here.situation.active.rollout_id)
        here.composer.rollout_ended()
        here.look_again()
        return outcome_now(here, "done")
    sentence = f"ROLLED BACK to {to}. {words.committed(here.situation)}"
    return outcome_now(here, "done", changed=bool(undos), sentence=sentence)


def _undo_step(here: Sitting, step: str, parts: tuple[Undo, ...], *, discard_data: bool) -> Outcome | None:
    title = _title(here.situation, step)
    here.emit(
        StepStarted(
            step=step, title=title, parts=len(parts), direction="revert",
            sentence=words.running_sentence(here.situation, step, 1, len(parts), "revert"),
        )
    )  # fmt: skip
    for undo in parts:
        if here.steering.wait_if_paused():
            return outcome_now(here, "stopped")
        source = PartSource(
            step, undo.record.part, "revert", f"undo: {undo.record.title}", undo.record.digest, undo.groups,
            guards=undo.guards, guard_now=not discard_data,
        )  # fmt: skip
        outcome = commit_part(here, here.composer.revert(here.situation, source), parts=len(parts))
        if outcome is not None:
            return outcome
    here.emit(
        StepFinished(
            step=step, title=title, direction="revert", state=StepState.ROLLED_BACK,
            sentence=words.survey_sentence(here.situation),
        )
    )  # fmt: skip
    return None


def _undos(connection: Connection, situation: Situation, to: str | None) -> Iterator[Undo]:
    """Standing parts after step `to`, newest first, by the order in which they were committed."""
    record = situation.active
    if record is None:
        return
    ids = _ids_to_undo(situation, record, to)
    records = [part for step in ids for part in record.standing(step)]
    reverts = load_reverts(connection, [part.part_id for part in records])
    for part in sorted(records, key=lambda part: part.number, reverse=True):
        key = {"part_id": part.part_id}
        groups = tuple(group for group in reverts.get(part.part_id, ()) if group.subsumed_by not in ids)
        guards = tuple(
            Guard(row["what"], row["table_name"], tuple(row["key"]), tuple(row["columns"]), row["sql"])
            for row in connection.execute(query("guards"), key)
        )
        yield Undo(part, groups, guards)


def _ids_to_undo(situation: Situation, record: RolloutRecord, to: str | None) -> tuple[str, ...]:
    """Steps with standing parts, those of another version's rollout included."""
    order = list(situation.rollout.order)
    standing = tuple(dict.fromkeys(part.step for part in record.parts if record.standing(part.step)))
    if to is None:
        return standing
    if to not in order:
        raise UsageError(f'there is no step "{to}"', fix=f"Steps: {', '.join(order)}.")
    if to not in standing and situation.state(situation.renderer.step(to)) is StepState.TODO:
        raise UsageError(f"step {to} is not done, so nothing can be rolled back to it", fix="See: rag-wizard status")
    kept = order[: order.index(to) + 1]
    return tuple(step for step in standing if step not in kept)


def _by_step(undos: Iterable[Undo]) -> Iterator[tuple[str, tuple[Undo, ...]]]:
    for step, parts in groupby(undos, key=lambda undo: undo.record.step):
        yield step, tuple(parts)


def _title(situation: Situation, step: str) -> str:
    try:
        return situation.rollout.step(step).title
    except KeyError:
        return "a step of another version"


def _views(parts: Iterable[Undo]) -> Iterator[StatementView]:
    for undo in parts:
        for group in undo.groups:
            for statement in group.statements:
                yield StatementView(sql=statement.sql, file=statement.file, line=statement.line)
