"""Rolls back from the registry, newest part first: what was recorded when a part ran, not what its files say today."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import psycopg

from wizard.db.connect import Connection
from wizard.db.queries import query
from wizard.db.reading import read_rows
from wizard.engine import words
from wizard.engine.backward_text import RollbackText, source_of
from wizard.engine.events import Noticed, StepFinished, StepStarted
from wizard.engine.keeping.archive import archive_folder, readable, registered
from wizard.engine.keeping.capturing import Captures
from wizard.engine.keeping.keeper import Keeper, Undo, unfinished
from wizard.engine.keeping.late import close_all, settle
from wizard.engine.keeping.manifest import require_free
from wizard.engine.keeping.restoring import RESTORE
from wizard.engine.looking.dependents import ObjectRef, find_dependents, require_no_dependents
from wizard.engine.looking.owed import require_nothing_owed
from wizard.engine.looking.replaced import Recorded, find_replaced, left_alone, open_again, require_as_recorded
from wizard.engine.looking.situation import Situation
from wizard.engine.looking.unseen import unseen_parts
from wizard.engine.parts.compose import Composer
from wizard.engine.parts.guard import Guard, counting
from wizard.engine.sending.backfill import run_batches
from wizard.engine.sending.before_step import tell_before
from wizard.engine.sending.commit import commit_part, outcome_now
from wizard.engine.session.record import RolloutRecord
from wizard.engine.session.registry import end_rollout, load_objects, load_reverts
from wizard.engine.sitting import Sitting
from wizard.engine.state import StepState
from wizard.engine.types.back import files_to_restore, take_back
from wizard.engine.types.step import follow
from wizard.engine.views import ConflictView, Outcome
from wizard.engine.views_back import Dependent, Loss, RollbackObject, RollbackPlan, RollbackStep, Since
from wizard.errors import UsageError, WizardError
from wizard.rollout.render import Mode


def rollback_plan(
    connection: Connection,
    situation: Situation,
    composer: Composer,
    to: str | None,
    folder: Path | None = None,
    *,
    discard_data: bool = False,
) -> RollbackPlan:
    """What would go, newest first, the rows that go with it, and where those would be archived. Reads only."""
    settings = composer.settings
    undos = tuple(_undos(connection, situation, to))
    text = RollbackText(connection, situation, composer, undos, discard_data=discard_data)
    steps = tuple(
        RollbackStep(
            id=step, title=_title(situation, step), statements=tuple(text.of(parts)),
            objects=tuple(_objects(connection, parts)),
        )
        for step, parts in _by_step(undos)
    )  # fmt: skip
    losses = []
    for undo in undos:
        for guard in undo.guards:
            count = _count(connection, guard, settings.schema)
            if count:
                losses.append(Loss(step=undo.record.step, what=guard.what, rows=count, table=guard.table))
    archive = ""
    if losses and not discard_data:
        going_on = unfinished(connection, situation, undos, folder)
        if going_on is None and folder is not None:
            require_free(folder)
        place = going_on.folder if going_on is not None else folder or archive_folder(settings, situation.target)
        archive = str(place or "")
    return RollbackPlan(
        to=to, steps=steps, losses=tuple(losses), archive=archive,
        may_lose=any(undo.guards for undo in undos),
        replaced_since=_replaced(connection, situation, undos), captures=text.captures,
        leftovers=text.leftovers or _archives_open(connection, situation),
        dependents=_dependents(connection, settings.schema, undos), files=files_to_restore(connection, situation, to),
    )  # fmt: skip


def _archives_open(connection: Connection, situation: Situation) -> bool:
    return situation.active is not None and any(
        row["completed_at"] is None or row["waiting"] for row in registered(connection, situation.active.rollout_id)
    )


def _replaced(connection: Connection, situation: Situation, undos: Sequence[Undo]) -> tuple[ConflictView, ...]:
    xids = [undo.record.xid for undo in undos if undo.record.xid]
    recorded = _recorded(connection, undos)
    return find_replaced(connection, situation.schema, recorded, situation.rollout.shapes, xids=xids)


def _recorded(connection: Connection, undos: Sequence[Undo]) -> Recorded:
    recorded = load_objects(connection, [undo.record.part_id for undo in undos])
    return [(undo.record.step, recorded.get(undo.record.part_id, ())) for undo in undos]


def _dependents(connection: Connection, schema: str, undos: Iterable[Undo]) -> tuple[Dependent, ...]:
    made = [one for one in _objects(connection, undos) if one.origin == "made"]
    found = find_dependents(connection, schema, [ObjectRef(one.kind, one.table, one.name) for one in made])
    return tuple(one for one in found if not _is_archived(one))


def _is_archived(dependent: Dependent) -> bool:
    """A column that was added to a table of ours: to drop it first would lose values that are archived otherwise."""
    of_a_table = dependent.kind == "column" and dependent.on.startswith("table ")
    return of_a_table and dependent.would == "would be dropped with it"


def _objects(connection: Connection, undos: Iterable[Undo]) -> Iterator[RollbackObject]:
    """What the parts made or replaced, part by part; what they adopted stays."""
    going = tuple(undos)
    recorded = load_objects(connection, [undo.record.part_id for undo in going])
    for undo in going:
        objects = [(origin, item) for origin, item in recorded.get(undo.record.part_id, ()) if origin != "adopted"]
        replaced = any(origin == "replaced" for origin, _ in objects)
        kept = left_alone(connection, _texts(undo)) if replaced else {}
        for origin, item in objects:
            since: Since = kept.get(item.name, "") if origin == "replaced" else ""
            yield RollbackObject(kind=item.kind.value, table=item.table, name=item.name, origin=origin, since=since)


def _texts(undo: Undo) -> Iterator[str]:
    return (statement.sql for group in undo.groups for statement in group.statements)


def _count(connection: Connection, guard: Guard, schema: str) -> int:
    """Rows that would be lost; what somebody dropped by hand holds none."""
    with connection.transaction():
        now, columns = readable(connection, guard, schema)
    if not columns:
        return 0
    return int(read_rows(connection, counting(now.select))[0]["number"])


def run_backward(here: Sitting, to: str | None, *, discard_data: bool, folder: Path | None = None) -> Outcome:
    """Undoes everything, or everything after step `to`, after the rows that go with it were archived.

    They go to `folder`, else where an interrupted rollback put them, else below the settings' folder; with
    `discard_data` they are lost. Raises UsageError or RefusedError if they cannot be archived, if what would go is not
    what was made, or if something else depends on it; nothing was changed then. Raises LockNotObtainedError if saving
    what changed since would hold the application up for too long.
    """
    if here.situation.active is None:
        return outcome_now(here, "done", changed=False, sentence="Nothing is rolled out; nothing was changed")
    rollout_id = here.situation.active.rollout_id
    undos = tuple(_undos(here.connection, here.situation, to))
    require_as_recorded(_replaced(here.connection, here.situation, undos))
    require_no_dependents(_dependents(here.connection, here.settings.schema, undos))
    _tell_what_stays(here, undos)
    for problem in settle(here.connection, here.target.name, rollout_id):
        here.emit(Noticed(text=f"{problem.what}. {problem.why}"))
    captures = Captures(here, [guard for undo in undos for guard in undo.guards])
    keeper = None if discard_data else Keeper(here, undos, folder, captures)
    if not captures.clear(keep=True) or (keeper is not None and not keeper.begin()):
        return outcome_now(here, "stopped")
    here.begin()
    for step, parts in _by_step(undos):
        try:
            outcome = _undo_step(here, step, parts, keeper, captures)
        except (WizardError, psycopg.Error):
            # A lost connection is found again, and the rollback goes on by itself.
            if not here.connection.broken:
                captures.tell()
            raise
        if outcome is not None:
            captures.tell()
            return outcome
    take_back(here, to)
    follow(here)
    if not captures.clear():
        return outcome_now(here, "stopped")
    kept = keeper.end() if keeper is not None else ""
    kept += words.open_again_words(
        here.settings.schema, open_again(here.connection, here.settings.schema, _recorded(here.connection, undos))
    )
    close_all(here.connection, rollout_id)
    if to is None:
        end_rollout(here.connection, rollout_id)
        here.look_again()
        return outcome_now(here, "done", sentence=f"{words.survey_sentence(here.situation)}{kept}")
    done = f"ROLLED BACK to {to}" if undos else f"Nothing after {to} was rolled out"
    sentence = f"{done}. {words.committed(here.situation)}{kept}"
    return outcome_now(here, "done", changed=bool(undos), sentence=sentence)


def _tell_what_stays(here: Sitting, undos: tuple[Undo, ...]) -> None:
    """What the rollback does not put back: said also where no plan was shown."""
    for one in _objects(here.connection, undos):
        if one.since:
            text = f"{words.object_words(one)}; its definition from before the run is in the log"
            here.emit(Noticed(text=text))


def _undo_step(
    here: Sitting, step: str, parts: tuple[Undo, ...], keeper: Keeper | None, captures: Captures
) -> Outcome | None:
    title = _title(here.situation, step)
    here.emit(
        StepStarted(
            step=step, title=title, first=1, parts=len(parts), direction="revert", doing=f"ROLLING BACK {step}",
            committed=words.standing_steps(here.situation),
        )
    )  # fmt: skip
    take_back(here, to=None, only=step)
    if step in here.situation.rollout.order:
        tell_before(here, here.situation.rollout.step(step))
    for undo in parts:
        if here.steering.wait_if_paused():
            return outcome_now(here, "stopped")
        groups, notes = captures.removal(undo.guards)
        source = source_of(undo, groups, notes)
        if source.mode is Mode.BATCHES:
            message = here.composer.revert(here.situation, source)
            outcome = run_batches(here, message, here.situation.reverting(undo.record), parts=len(parts))
        elif keeper is None or not undo.guards:
            outcome = commit_part(here, here.composer.revert(here.situation, source), parts=len(parts)).outcome
        else:
            outcome = keeper.destroy(source, undo, parts=len(parts))
        if outcome is not None:
            return outcome
        captures.dropped(undo.guards)
    here.emit(
        StepFinished(
            step=step, title=title, direction="revert", state=StepState.ROLLED_BACK,
            sentence=words.survey_sentence(here.situation),
        )
    )  # fmt: skip
    return None


def _undos(connection: Connection, situation: Situation, to: str | None) -> Iterator[Undo]:
    """Parts after step `to` of which the database holds something, newest first, by the order of their attempts.

    Raises UsageError or RefusedError if a rollback cannot end at `to`.
    """
    record = situation.active
    if record is None:
        return
    unseen = unseen_parts(connection, situation.schema, record)
    ids = _ids_to_undo(situation, record, to, {part.step for part in unseen})
    if to is not None:
        require_nothing_owed(connection, situation, to, ids)
    records = [part for step in ids for part in record.standing(step)] + [part for part in unseen if part.step in ids]
    reverts = load_reverts(connection, [part.part_id for part in records])
    for part in sorted(records, key=lambda part: part.number, reverse=True):
        key = {"part_id": part.part_id}
        groups = tuple(group for group in reverts.get(part.part_id, ()) if group.subsumed_by not in ids)
        guards = tuple(
            Guard(
                row["what"], row["table_name"], tuple(row["key"]), tuple(row["columns"]), row["sql"], row["part_id"],
                row["ordinal"],
            )
            for row in connection.execute(query("guards"), key)
        )  # fmt: skip
        yield Undo(part, groups, guards)


def _ids_to_undo(
    situation: Situation, record: RolloutRecord, to: str | None, unseen: Collection[str]
) -> tuple[str, ...]:
    """Steps with standing parts or in `unseen`, those of another version's rollout included."""
    order = list(situation.rollout.order)
    # Rows that were put back go with their tables, archived again if they are worth it.
    steps = dict.fromkeys(part.step for part in record.parts if part.step != RESTORE)
    standing = tuple(step for step in steps if record.standing(step) or step in unseen)
    if to is None:
        return standing
    if to not in order:
        raise UsageError(f'there is no step "{to}"', fix=f"Steps: {', '.join(order)}.")
    if not record.standing(to) and situation.state(situation.renderer.step(to)) is StepState.TODO:
        raise UsageError(
            f"step {to} is not done, so nothing can be rolled back to it", fix="The command status shows what is done."
        )
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
