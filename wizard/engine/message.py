"""Composes what is sent for a part: intent, settings, checkpoint, statements, log. One text for preview and run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from psycopg import sql

from wizard.engine.fills import PART_ID
from wizard.engine.guard import Guard, Saving, saving_lines
from wizard.rollout.render import Group
from wizard.rollout.shape import Item
from wizard.rollout.statements import Statement

IDLE_LIMIT = "2s"
"""A part never waits for the wizard while it holds a lock: rule 7 of the engine."""
STATEMENT_LIMIT = "30min"
"""Bound of one statement; servers such as Supabase's cap it at 2 minutes unless the session says otherwise."""
ROW_COUNT = ":ROW_COUNT"
"""psql's variable with the rows of the statement before; the engine puts the number there itself."""


@dataclass(frozen=True)
class Line:
    """One statement to send. `statement` is None for the wizard's own."""

    sql: str
    statement: Statement | None = None
    ordinal: int = 0
    counts_rows: bool = False
    """It holds `ROW_COUNT`, the rows of the statement before it."""


@dataclass(frozen=True)
class PartSource:
    """What one part is made of, on the way forward or back."""

    step: str
    part: int
    direction: str
    title: str
    digest: str
    groups: tuple[Group, ...]
    revert: tuple[Group, ...] = ()
    guards: tuple[Guard, ...] = ()
    saving: Saving | None = None
    """How rows that the archive does not hold are saved under the lock; the guards are then those of that archive."""
    objects: tuple[tuple[str, Item], ...] = ()
    """(made, adopted or replaced; the object): what rolling back may touch, and what it may not."""
    notes: tuple[str, ...] = ()
    """What the registry is told in the same transaction, before the first lock."""
    one_message: bool = True
    """It takes a lock that queues the application: nothing may wait for the network in between."""


@dataclass(frozen=True)
class PartSettings:
    """The settings of a part's transaction."""

    schema: str
    lock_timeout_ms: int
    server_version: int


@dataclass(frozen=True)
class PartMessage:
    """A part, ready to send: first the intent, then the transaction."""

    part_id: str
    source: PartSource
    intent: tuple[Line, ...]
    lines: tuple[Line, ...]
    messages: tuple[tuple[Line, ...], ...] = field(init=False)
    """`lines` as they travel: all in one, or cut behind each statement whose rows are recorded."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "messages", tuple(_cut(self.lines)))


def _cut(lines: Sequence[Line]) -> Iterator[tuple[Line, ...]]:
    begin = 0
    for index, line in enumerate(lines):
        if line.counts_rows:
            yield tuple(lines[begin:index])
            begin = index
    yield tuple(lines[begin:])


def compose(
    source: PartSource, settings: PartSettings, *, session_id: str, rollout_id: str, registry: bool = True
) -> PartMessage:
    """The messages of one part. Without `registry` no intent, checkpoint or log is written: for scripts only."""
    part_id = str(uuid4())
    intent = tuple(_intent(part_id, source, session_id, rollout_id)) if registry else ()
    return PartMessage(part_id, source, intent, tuple(_transaction(part_id, source, settings, registry)))


def _text(template: sql.SQL, *arguments: object, **named: object) -> str:
    """A template with its values as literals."""
    values = {name: value if isinstance(value, sql.Composable) else sql.Literal(value) for name, value in named.items()}
    return template.format(*(sql.Literal(value) for value in arguments), **values).as_string()


def own(text: str) -> Line:
    """A statement of the wizard's own."""
    return Line(text)


def _intent(part_id: str, source: PartSource, session_id: str, rollout_id: str) -> Iterator[Line]:
    yield own("BEGIN")
    yield own(
        _text(
            sql.SQL(
                "INSERT INTO rag_wizard.part"
                " (part_id, rollout_id, session_id, step, part, direction, title, digest, state)\n"
                "VALUES ({}, {}, {}, {}, {}, {}, {}, {}, 'intent')"
            ),
            part_id, rollout_id, session_id, source.step, source.part, source.direction, source.title, source.digest,
        )
    )  # fmt: skip
    reverts = [(group, statement) for group in source.revert for statement in group.statements]
    if reverts:
        yield own(
            "INSERT INTO rag_wizard.revert (part_id, ordinal, sql, file, line, hold_triggers, subsumed_by) VALUES\n"
            + _rows(
                (
                    part_id,
                    ordinal,
                    _addressed(s, part_id),
                    s.file,
                    s.line,
                    group.hold_triggers,
                    group.subsumed_by,
                )
                for ordinal, (group, s) in enumerate(reverts, start=1)
            )
        )
    if source.objects:
        yield own(
            "INSERT INTO rag_wizard.object (part_id, ordinal, kind, table_name, name, definition, origin) VALUES\n"
            + _rows(
                (part_id, ordinal, item.kind.value, item.table, item.name, item.definition, origin)
                for ordinal, (origin, item) in enumerate(source.objects, start=1)
            )
        )
    if source.guards and source.saving is None:
        yield own(
            "INSERT INTO rag_wizard.guard (part_id, ordinal, what, table_name, key, columns, sql) VALUES\n"
            + _rows(
                (part_id, i, g.what, g.table, list(g.key), list(g.columns), g.select)
                for i, g in enumerate(source.guards, start=1)
            )
        )
    yield own("COMMIT")


def _addressed(statement: Statement, part_id: str) -> str:
    """The engine's own statements name the part that they belong to; a rollout's text is never touched."""
    return statement.sql if statement.file else statement.sql.replace(PART_ID, part_id)


def _sent(statement: Statement, part_id: str, *, registry: bool) -> str:
    """The statement with what the engine puts around it, which only makes sense beside a registry."""
    if not registry:
        return statement.sql
    return statement.before + statement.sql + statement.after.replace(PART_ID, part_id)


def _rows(rows: Iterable[tuple[object, ...]]) -> str:
    """`(…), (…)`, a row a line."""
    return ",\n".join("(" + ", ".join(sql.Literal(value).as_string() for value in row) + ")" for row in rows)


def _transaction(part_id: str, source: PartSource, settings: PartSettings, registry: bool) -> Iterator[Line]:
    yield own("BEGIN")
    yield from _settings(settings)
    statements = [(statement, group) for group in source.groups for statement in group.statements]
    if registry:
        yield own(_checkpoint(part_id, source))
        if statements:
            # The log's rows come before the first lock: a lock on the registry then never prolongs one on a table.
            yield own(
                "INSERT INTO rag_wizard.statement (part_id, ordinal, sql, outcome, hold_triggers, file, line) VALUES\n"
                + _rows(
                    (part_id, i, s.sql, "committed", group.hold_triggers, s.file, s.line)
                    for i, (s, group) in enumerate(statements, start=1)
                )
            )
        yield from (own(note) for note in source.notes)
    if source.saving is not None:
        lines = saving_lines(source.guards, source.saving, settings.schema, limit=STATEMENT_LIMIT)
        yield from (own(line) for line in lines)
    yield from _groups(part_id, source, registry)
    if registry:
        yield own(
            _text(
                sql.SQL(
                    "UPDATE rag_wizard.part SET finished_at = clock_timestamp(), lsn = pg_current_wal_insert_lsn()"
                    " WHERE part_id = {}"
                ),
                part_id,
            )
        )
    yield own("COMMIT")


def _groups(part_id: str, source: PartSource, registry: bool) -> Iterator[Line]:
    ordinal = 0
    for group in source.groups:
        if group.hold_triggers:
            yield own("SET LOCAL session_replication_role = replica")
        for statement in group.statements:
            ordinal += 1
            yield Line(_sent(statement, part_id, registry=registry), statement, ordinal)
            if registry:
                count_rows = statement.changes_data and not source.one_message
                yield Line(_logged(part_id, ordinal, count_rows=count_rows), counts_rows=count_rows)
        if group.hold_triggers:
            yield own("SET LOCAL session_replication_role = origin")


def _settings(settings: PartSettings) -> Iterator[Line]:
    yield own(_text(sql.SQL("SET LOCAL search_path = {schema}, pg_temp"), schema=sql.Identifier(settings.schema)))
    yield own(_text(sql.SQL("SET LOCAL lock_timeout = {}"), f"{settings.lock_timeout_ms}ms"))
    yield own(_text(sql.SQL("SET LOCAL statement_timeout = {}"), STATEMENT_LIMIT))
    if settings.server_version >= 170000:
        yield own("SET LOCAL transaction_timeout = 0")
    yield own(_text(sql.SQL("SET LOCAL idle_in_transaction_session_timeout = {}"), IDLE_LIMIT))
    yield own("SET LOCAL synchronous_commit = on")
    yield own("SET LOCAL row_security = off")


def _checkpoint(part_id: str, source: PartSource) -> str:
    """Turns the intent into done; committed only together with the part."""
    return _text(
        sql.SQL(
            "DO $rag_wizard$\nBEGIN\n"
            "    UPDATE rag_wizard.part SET state = 'done', started_at = clock_timestamp(),"
            " xid = pg_current_xact_id(),\n"
            "        horizon = pg_snapshot_xmin(pg_current_snapshot()), backend_pid = pg_backend_pid()\n"
            "    WHERE part_id = {} AND state = 'intent';\n"
            "    IF NOT FOUND THEN RAISE EXCEPTION 'step %, part %: not waiting to run', {}, {}; END IF;\n"
            "END\n$rag_wizard$"
        ),
        part_id, source.step, source.part,
    )  # fmt: skip


def _logged(part_id: str, ordinal: int, *, count_rows: bool) -> str:
    rows = sql.SQL(f", rows = {ROW_COUNT}" if count_rows else "")
    return _text(
        sql.SQL(
            "UPDATE rag_wizard.statement SET finished_at = clock_timestamp(){rows}"
            " WHERE part_id = {part_id} AND ordinal = {ordinal}"
        ),
        rows=rows,
        part_id=part_id,
        ordinal=ordinal,
    )
