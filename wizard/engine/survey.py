"""Builds the views of a situation: steps with their state, SQL, sizes, and a failure that waits for an answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from wizard.db.connect import Connection
from wizard.db.queries import query
from wizard.engine import words
from wizard.engine.keeping.capture import standing_words
from wizard.engine.looking.asking import concerned
from wizard.engine.looking.compare import TITLE, has_objects
from wizard.engine.looking.situation import Situation
from wizard.engine.parts import batch
from wizard.engine.parts.compose import Composer
from wizard.engine.parts.source import Line, PartMessage, PartSource
from wizard.engine.parts.undone import revert_source, with_saving
from wizard.engine.sending.failure import pending_failure
from wizard.engine.session.record import PartRecord
from wizard.engine.session.registry import has_room, registry_exists
from wizard.engine.state import StepState
from wizard.engine.types.record import load_files
from wizard.engine.views import (
    ArchiveView,
    ConflictView,
    LastSession,
    ObjectView,
    Parameter,
    PartView,
    ServerView,
    StatementView,
    StepView,
    Survey,
    TableSize,
)
from wizard.rollout.declared import objects_check_id
from wizard.rollout.model import Decision, holds
from wizard.rollout.render import Mode, Part, RenderedStep, applicable_decisions


def survey(connection: Connection, situation: Situation, composer: Composer) -> Survey:
    """Everything a screen needs, read in one session."""
    failure = pending_failure(connection, situation)
    sizes = table_sizes(connection, situation)
    steps = tuple(step_view(situation, composer, rendered, sizes) for rendered in situation.steps)
    steps = tuple(_with_file(connection, situation, step) if step.types else step for step in steps)
    record = situation.record
    last = record.sessions[0] if record is not None and record.sessions else None
    complete = all(step.state.is_complete for step in steps)
    return Survey(
        target=situation.target,
        schema_name=situation.schema,
        rollout=situation.rollout.name,
        server=ServerView(
            version=situation.server["version"], role=situation.server["role"], tls=connection.pgconn.ssl_in_use,
            connection=connection.kind,
        ),
        steps=steps,
        begun=situation.active is not None,
        finished=situation.active is not None and complete,
        rolled_back=record is not None and not record.active,
        failure=failure,
        last_session=LastSession(
            operator=last.operator, host=last.operator.partition("@")[2], started_at=last.started_at,
            ended_at=last.ended_at, wizard_version=last.wizard_version,
        )
        if last is not None and situation.active is not None
        else None,
        archives=_archives(connection, situation),
        open_decisions=situation.open_decisions,
        facts=situation.facts,
        statements=_count_statements(connection),
        registry=situation.registry,
        sentence=words.survey_sentence(situation, failure)
        + (standing_words(connection, situation.active.rollout_id) if situation.active is not None else ""),
    )  # fmt: skip


def step_view(
    situation: Situation, composer: Composer, rendered: RenderedStep, sizes: dict[str, TableSize]
) -> StepView:
    """One step as it stands on this database."""
    step, state = rendered.step, situation.state(rendered)
    decisions = _decisions(situation, step.id)
    conflicts = tuple(conflict for conflict in situation.conflicts if conflict.step == step.id)
    if state is StepState.TODO and any(d in situation.open_decisions for d in decisions):
        state = StepState.DECIDE
    if conflicts:
        state = StepState.CONFLICT
    checks = (check for check in step.checks if holds(check.when, situation.facts))
    prerequisites = (one for one in step.prerequisites if holds(one.when, situation.facts))
    queries = (*prerequisites, *checks)
    return StepView(
        id=step.id, title=step.title, label=step.label, kind=step.kind, state=state,
        does=step.does, why=step.why, rows=step.rows, rollback=step.rollback, todo=step.todo,
        locks=tuple(dict.fromkeys(lock for part in rendered.parts for lock in part.locks)) or step.locks,
        sizes=tuple(sizes[table] for table in step.tables if table in sizes),
        strategy=words.strategy(rendered),
        parts=part_views(situation, composer, rendered),
        revert=revert_views(situation, composer, rendered),
        checks=(
            *(((objects_check_id(step.id), TITLE),) if has_objects(situation, rendered) else ()),
            *((one.id, one.title) for one in queries),
        ),
        deviations=rendered.deviations,
        decisions=decisions,
        previews=tuple((one.id, one.title) for one in step.previews if holds(one.when, situation.facts)),
        conflicts=tuple(
            ConflictView(step=one.step, words=one.words, expected=one.expected, found=one.found) for one in conflicts
        ),
        types=step.types is not None,
        objects=tuple(_objects(rendered)),
    )  # fmt: skip


def _decisions(situation: Situation, step: str) -> tuple[Decision, ...]:
    """Those that shape the step, or wait for an answer about it."""
    missing, shaping = situation.open_decisions, applicable_decisions(situation.rollout, situation.facts)
    named = {one.name for one in shaping}
    later = (
        one
        for one in applicable_decisions(situation.rollout, situation.asking.facts)
        if one.default is None and one.name in situation.facts and one.name not in named
    )
    its = (one for one in (*shaping, *later) if one.step == step and one not in missing)
    return (*its, *(one for one in missing if _place(situation, one) == step))


def _place(situation: Situation, decision: Decision) -> str:
    """The step that asks: the decision's own, or once that is done the first one left that it is about as well."""
    about = concerned(situation.rollout, decision)
    left = [rendered.step.id for rendered in situation.remaining if rendered.step.id in about]
    return decision.step if decision.step in left or not left else left[0]


def _with_file(connection: Connection, situation: Situation, step: StepView) -> StepView:
    """The types step with the file that this rollout wrote last."""
    files = load_files(connection, situation.active.rollout_id) if situation.active is not None else ()
    return step.model_copy(update={"types_file": files[0].path}) if files else step


def _objects(rendered: RenderedStep) -> Iterator[ObjectView]:
    for part in rendered.parts:
        for item in part.made:
            yield ObjectView(words=item.words, origin="made")
        for item in part.adopted:
            yield ObjectView(words=item.words, origin="adopted")
        for item in part.replaced:
            yield ObjectView(words=item.words, origin="replaced")


def part_views(situation: Situation, composer: Composer, rendered: RenderedStep) -> tuple[PartView, ...]:
    """The step's parts with the exact text that is sent for them."""
    standing = {record.part: record for record in _standing(situation, rendered)}
    finished = situation.active.finished(rendered.step.id) if situation.active is not None else ()
    failed = situation.active.failed if situation.active is not None else None
    views = []
    for number, part in enumerate(rendered.parts, start=1):
        message = composer.deploy(situation, rendered, number)
        message = composer.next_sent(situation, message, situation.begun(rendered, number))
        state = StepState.TODO
        if number in standing:
            state = StepState.DONE if standing[number] in finished else StepState.PARTLY
        if failed is not None and (failed.step, failed.part) == (rendered.step.id, number):
            state = StepState.FAILED
        seconds = standing[number].seconds if number in standing else None
        views.append(
            PartView(
                title=part.title, state=state, seconds=seconds, statements=tuple(map(line_view, message.all_lines)),
                in_batches=part.mode is Mode.BATCHES, parameters=_parameters(part, message), locks=part.locks,
            )
        )  # fmt: skip
    return tuple(views)


def _parameters(part: Part, message: PartMessage) -> tuple[Parameter, ...]:
    """What differs from batch to batch, in the order it first stands in what is shown."""
    if part.mode is not Mode.BATCHES:
        return ()
    names = (name for line in message.all_lines for name in batch.PARAMETER.findall(line.sql))
    return tuple(Parameter(name=name, what=batch.MEANING.get(name, "")) for name in dict.fromkeys(names))


def _standing(situation: Situation, rendered: RenderedStep) -> tuple[Any, ...]:
    return situation.active.standing(rendered.step.id) if situation.active is not None else ()


def line_view(line: Line) -> StatementView:
    """A composed line as people see it."""
    statement = line.statement
    if statement is None:
        return StatementView(sql=line.sql, ours=True)
    return StatementView(sql=line.sql, file=statement.file, line=statement.line)


def revert_views(situation: Situation, composer: Composer, rendered: RenderedStep) -> tuple[StatementView, ...]:
    """What rolling the step back sends, newest part first, as it is composed where its tables are small."""
    standing = {record.part: record for record in _standing(situation, rendered)}
    lines: list[Line] = []
    for number in range(len(rendered.parts), 0, -1):
        record = standing.get(number)
        message = composer.revert(situation, _revert_source(situation, composer, rendered, number, record))
        attempt = situation.reverting(record) if record is not None else None
        lines += composer.next_sent(situation, message, attempt).all_lines
    return tuple(map(line_view, lines))


def _revert_source(
    situation: Situation, composer: Composer, rendered: RenderedStep, number: int, record: PartRecord | None
) -> PartSource:
    """Of one part: from its record if it stands, else as it would be recorded."""
    part, message = rendered.parts[number - 1], composer.deploy(situation, rendered, number)
    source = revert_source(
        rendered.step.id, number, groups=part.revert,
        title=record.title if record is not None else part.title,
        digest=record.digest if record is not None else rendered.digest,
        mode=Mode(record.mode) if record is not None else part.mode,
        strategy=record.strategy if record is not None else rendered.choice.strategy.value,
    )  # fmt: skip
    if source.mode is Mode.BATCHES:
        return source
    part_id = record.part_id if record is not None else message.part_id
    guards = [
        # Whole rows have their table's primary key; which one it is does not show in the text.
        replace(guard, part_id=part_id, ordinal=ordinal, key=guard.key or ("key",))
        for ordinal, guard in enumerate(message.source.guards, start=1)
    ]
    return with_saving(source, guards, composer.settings.lock_budget_ms)


def table_sizes(connection: Connection, situation: Situation) -> dict[str, TableSize]:
    """Sizes of the existing tables that the steps name, by table."""
    tables = sorted({table for rendered in situation.steps for table in rendered.step.tables})
    rows = connection.execute(query("table_sizes"), {"schema": situation.schema, "tables": tables})
    return {
        row["name"]: TableSize(
            table=row["name"], rows=row["rows"], bytes=row["bytes"], analysed_at=row["analysed_at"]
        )
        for row in rows
    }  # fmt: skip


def _archives(connection: Connection, situation: Situation) -> tuple[ArchiveView, ...]:
    if situation.record is None or not has_room(connection, "archives"):
        return ()
    rows = connection.execute(query("kept_archives"), {"rollout_id": situation.record.rollout_id})
    return tuple(
        ArchiveView(path=row["path"], host=row["host"], rows=row["rows"], late=row["late"], made_at=row["made_at"])
        for row in rows
    )


def _count_statements(connection: Connection) -> int:
    if not registry_exists(connection):
        return 0
    # A row without an end is that of a backfill which has not come to its checkpoint.
    row = connection.execute(
        "SELECT count(*) AS n FROM rag_wizard.statement WHERE outcome = 'committed' AND finished_at IS NOT NULL"
    ).fetchone()
    return int(row["n"]) if row else 0
