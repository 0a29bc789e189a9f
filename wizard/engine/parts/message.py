"""Composes what is sent for a part: intent, settings, checkpoint, statements, log. One text for preview and run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from uuid import uuid4

from psycopg import sql

from wizard.engine.looking.fills import PART_ID
from wizard.engine.parts.batch import DURABLY, page_lines, snapshot_lines, sweep_lines
from wizard.engine.parts.guard import saving_lines
from wizard.engine.parts.literal import filled, literal
from wizard.engine.parts.passes import begin_pass, end_pass
from wizard.engine.parts.paths import narrow_path, requiring_tables, setting, wide_path
from wizard.engine.parts.source import Line, PartMessage, PartSettings, PartSource
from wizard.rollout.item_sql import drop_sql
from wizard.rollout.render import Group, Mode
from wizard.rollout.shape import Item
from wizard.rollout.statements import Statement

QUICK_MS = 10
"""How long a batch waits for a row that somebody has locked, while others may wait for the rows that it has changed."""
IDLE_LIMIT = "2s"
"""A part never waits for the wizard while it holds a lock: rule 7 of the engine."""
STATEMENT_LIMIT = "30min"
"""Bound of one statement; servers such as Supabase's cap it at 2 minutes unless the session says otherwise."""
LONG_LOCK_TIMEOUT = "30min"
"""For locks that keep nobody from reading or writing: CREATE INDEX CONCURRENTLY, VALIDATE CONSTRAINT."""
ROW_COUNT = ":ROW_COUNT"
"""psql's variable with the rows of the statement before; the engine puts the number there itself."""


def compose(
    source: PartSource, settings: PartSettings, *, session_id: str, rollout_id: str, registry: bool = True
) -> PartMessage:
    """The messages of one part. Without `registry` no intent, checkpoint or log is written: for scripts only."""
    part_id = str(uuid4())
    intent = tuple(_intent(part_id, source, session_id, rollout_id)) if registry else ()
    if source.mode is Mode.BATCHES and registry:
        return _batches(part_id, source, settings, intent)
    if source.mode is Mode.BATCHES:
        return PartMessage(part_id, source, (), (), ahead=_ahead(source, settings))
    if source.mode is Mode.CONCURRENTLY:
        return _concurrently(part_id, source, settings, intent, registry)
    return PartMessage(part_id, source, intent, tuple(_transaction(part_id, source, settings, registry)))


def recomposed(message: PartMessage, part_id: str, settings: PartSettings, session_id: str) -> PartMessage:
    """The batches of an attempt that goes on, or that is done and begins at its first batch again."""
    return _batches(part_id, message.source, settings, tuple(_going_on(part_id, message.source, session_id)))


def behind_leftovers(message: PartMessage, settings: PartSettings, leftovers: Collection[Item]) -> PartMessage:
    """The next try of a part outside of a transaction: what its last one left invalid is dropped first."""
    groups = tuple(
        replace(group, statements=tuple(one for s in group.statements for one in (*_drops(s, group, leftovers), s)))
        for group in message.source.groups
    )
    source = replace(message.source, groups=groups)
    return _concurrently(message.part_id, source, settings, message.intent, registry=True)


def _drops(statement: Statement, group: Group, leftovers: Collection[Item]) -> Iterator[Statement]:
    for item in statement.makes or ():
        drop = drop_sql(item, concurrently=True)
        if item in leftovers and all(one.sql != drop for one in group.statements):
            yield Statement(drop, "drop_stmt", statement.file, statement.line)


def _concurrently(
    part_id: str, source: PartSource, settings: PartSettings, intent: tuple[Line, ...], registry: bool
) -> PartMessage:
    lines = (*_outside(source), *(_checkpointed(part_id, source) if registry else ()))
    shorter = Line(f"SET lock_timeout = '{settings.lock_timeout_ms}ms'", alone=True)
    return PartMessage(part_id, source, intent, lines, resets=(shorter,))


def _batches(part_id: str, source: PartSource, settings: PartSettings, intent: tuple[Line, ...]) -> PartMessage:
    batch, statement = source.batch, source.groups[0].statements[0]
    assert batch is not None
    hold = source.groups[0].hold_triggers

    def transaction(
        texts: Iterable[str], wait_ms: int = settings.row_timeout_ms, durably: str = "on"
    ) -> tuple[Line, ...]:
        lines = [own("BEGIN"), *_settings(settings, wait_ms, durably, widely=True)]
        if hold:
            lines.append(own("SET LOCAL session_replication_role = replica"))
        found = tuple(texts)
        # The second is the rollout's own UPDATE, with what makes a batch of it.
        lines += [Line(text, statement if number == 1 else None, 1) for number, text in enumerate(found)]
        return (*lines, own("COMMIT"))

    return PartMessage(
        part_id, source, intent, tuple(_checkpointed(part_id, source)), ahead=_ahead(source, settings),
        quick=transaction(page_lines(batch, part_id, quick=True), min(QUICK_MS, settings.row_timeout_ms), DURABLY),
        page=transaction(page_lines(batch, part_id, quick=False)),
        snapshot=(
            own("BEGIN"), *_settings(settings, widely=True), *map(own, snapshot_lines(batch, part_id)), own("COMMIT")
        ),
        sweep=transaction(sweep_lines(batch, part_id)),
    )  # fmt: skip


def _ahead(source: PartSource, settings: PartSettings) -> tuple[Line, ...]:
    return tuple(map(own, requiring_tables([source.groups[0].statements[0].sql], settings.schema)))


def _outside(source: PartSource) -> Iterator[Line]:
    """Statements that PostgreSQL refuses inside a transaction, each a message of its own.

    No time limit but this one is touched: the session has none, and RESET would bring back that of the role.
    """
    # It covers the wait for transactions with old snapshots too, and keeps nobody from reading or writing.
    yield Line(f"SET lock_timeout = '{LONG_LOCK_TIMEOUT}'", alone=True)
    statements = (one for group in source.groups for one in group.statements)
    yield from (Line(one.sql, one, number, alone=True) for number, one in enumerate(statements, 1) if not one.stands)


def _checkpointed(part_id: str, source: PartSource) -> Iterator[Line]:
    """The checkpoint of what was committed before it, in one transaction."""
    yield own("BEGIN")
    yield own("SET LOCAL synchronous_commit = on")
    yield own(_checkpoint(part_id, source))
    statements = [(statement, group) for group in source.groups for statement in group.statements]
    if source.mode is Mode.BATCHES:
        yield own(filled(sql.SQL("DELETE FROM rag_wizard.leftover WHERE part_id = {}"), part_id))
        yield own(end_pass(part_id))
    elif statements:
        yield own(_LOG + ",\n".join(_log_row(part_id, n, s, g, "NULL") for n, (s, g) in enumerate(statements, start=1)))
    yield own(_finished(part_id))
    yield own("COMMIT")


def own(text: str) -> Line:
    """A statement of the wizard's own."""
    return Line(text)


def _intent(part_id: str, source: PartSource, session_id: str, rollout_id: str) -> Iterator[Line]:
    yield own("BEGIN")
    yield own(
        filled(
            sql.SQL(
                "INSERT INTO rag_wizard.part"
                " (part_id, rollout_id, session_id, step, part, direction, title, digest, strategy, mode, state)\n"
                "VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, 'intent')"
            ),
            part_id, rollout_id, session_id, source.step, source.part, source.direction, source.title, source.digest,
            source.strategy, source.mode.value,
        )
    )  # fmt: skip
    yield from _reverts(part_id, source)
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
    if source.mode is Mode.BATCHES:
        yield own(begin_pass(part_id, source))
    yield own("COMMIT")


def _reverts(part_id: str, source: PartSource) -> Iterator[Line]:
    """How the part is taken back, recorded before it runs."""
    reverts = [(group, statement) for group in source.revert for statement in group.statements]
    if reverts:
        yield own(
            "INSERT INTO rag_wizard.revert"
            " (part_id, ordinal, sql, file, line, hold_triggers, subsumed_by, mode, batched_by) VALUES\n"
            + _rows(
                (
                    part_id,
                    ordinal,
                    _addressed(s, part_id),
                    s.file,
                    s.line,
                    group.hold_triggers,
                    group.subsumed_by,
                    source.mode.value,
                    list(group.batched_by),
                )
                for ordinal, (group, s) in enumerate(reverts, start=1)
            )
        )


def _going_on(part_id: str, source: PartSource, session_id: str) -> Iterator[Line]:
    """In place of an intent: the attempt whose batches are committed is waiting to run again, by this session."""
    yield own("BEGIN")
    yield own(
        filled(
            sql.SQL(
                "UPDATE rag_wizard.part SET state = 'intent', number = DEFAULT, intended_at = DEFAULT, session_id = {},"
                " backend_pid = pg_backend_pid(),\n"
                # Of one that is done no row comes, which makes them NULL: another pass has its own.
                "    (reached, total, started_at, finished_at, xid, lsn) =\n"
                "        (SELECT reached, total, started_at, finished_at, xid, lsn WHERE state <> 'done')\n"
                "WHERE part_id = {}"
            ),
            session_id, part_id,
        )
    )  # fmt: skip
    yield own(begin_pass(part_id, source))
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
    return ",\n".join("(" + ", ".join(literal(value) for value in row) + ")" for row in rows)


_LOG = (
    "INSERT INTO rag_wizard.statement"
    " (part_id, ordinal, sql, outcome, hold_triggers, file, line, finished_at, rows) VALUES\n"
)


def _log_row(part_id: str, ordinal: int, statement: Statement, group: Group, rows: str) -> str:
    """`rows` is SQL."""
    values = (part_id, ordinal, statement.sql, "committed", group.hold_triggers, statement.file, statement.line)
    return f"({', '.join(map(literal, values))}, clock_timestamp(), {rows})"


def _finished(part_id: str) -> str:
    return filled(
        sql.SQL(
            "UPDATE rag_wizard.part SET finished_at = clock_timestamp(), lsn = pg_current_wal_insert_lsn()"
            " WHERE part_id = {}"
        ),
        part_id,
    )


def _transaction(part_id: str, source: PartSource, settings: PartSettings, registry: bool) -> Iterator[Line]:
    yield own("BEGIN")
    yield from _settings(settings, LONG_LOCK_TIMEOUT if source.patient else settings.lock_timeout_ms)
    if registry:
        yield own(_checkpoint(part_id, source))
        if any(group.statements for group in source.groups):
            # Before the first lock of the part's own: a lock on the registry then never prolongs one on a table.
            yield own("LOCK TABLE rag_wizard.statement IN ROW EXCLUSIVE MODE")
        yield from (own(note) for note in source.notes)
    if source.saving is not None:
        lines = saving_lines(source.guards, source.saving, settings.schema, limit=STATEMENT_LIMIT)
        yield from (own(line) for line in lines)
    yield from _groups(part_id, source, settings.schema, registry)
    if registry:
        yield own(_finished(part_id))
    yield own("COMMIT")


def _groups(part_id: str, source: PartSource, schema: str, registry: bool) -> Iterator[Line]:
    ordinal = 0
    paths = _Paths(schema)
    for group in source.groups:
        if group.hold_triggers:
            yield own("SET LOCAL session_replication_role = replica")
        for statement in group.statements:
            ordinal += 1
            yield from paths.before(statement)
            yield Line(_sent(statement, part_id, registry=registry), statement, ordinal)
            if registry:
                count_rows = statement.changes_data and not source.one_message
                logged = _log_row(part_id, ordinal, statement, group, ROW_COUNT if count_rows else "NULL")
                yield Line(_LOG + logged, counts_rows=count_rows)
        if group.hold_triggers:
            yield own("SET LOCAL session_replication_role = origin")
    yield from paths.before_commit()


class _Paths:
    """The search path of one transaction, from statement to statement: the schema alone, but for writing rows."""

    def __init__(self, schema: str) -> None:
        self._schema = schema
        self._wide = self._wrote = False

    def before(self, statement: Statement) -> Iterator[Line]:
        """What goes in front of a statement."""
        if statement.changes_data:
            self._wrote = True
            yield from map(own, requiring_tables([statement.sql], self._schema))
        yield from self._take(statement.changes_data)

    def before_commit(self) -> Iterator[Line]:
        """Constraint triggers may have been put off until then."""
        yield from self._take(self._wrote)

    def _take(self, wide: bool) -> Iterator[Line]:
        if wide != self._wide:
            self._wide = wide
            yield own(setting(wide_path(self._schema) if wide else narrow_path(self._schema)))


def _settings(
    settings: PartSettings, lock_timeout: int | str | None = None, durably: str = "on", *, widely: bool = False
) -> Iterator[Line]:
    """`widely`: nothing but rows of the application is written."""
    wait = settings.lock_timeout_ms if lock_timeout is None else lock_timeout
    yield own(setting((wide_path if widely else narrow_path)(settings.schema)))
    yield own(filled(sql.SQL("SET LOCAL lock_timeout = {}"), f"{wait}ms" if isinstance(wait, int) else wait))
    yield own(filled(sql.SQL("SET LOCAL statement_timeout = {}"), STATEMENT_LIMIT))
    if settings.server_version >= 170000:
        yield own("SET LOCAL transaction_timeout = 0")
    yield own(filled(sql.SQL("SET LOCAL idle_in_transaction_session_timeout = {}"), IDLE_LIMIT))
    yield own(f"SET LOCAL synchronous_commit = {durably}")
    yield own("SET LOCAL row_security = off")


def _checkpoint(part_id: str, source: PartSource) -> str:
    """Turns the intent into done; committed only together with the part."""
    return filled(
        sql.SQL(
            "DO $rag_wizard$\nBEGIN\n"
            "    UPDATE rag_wizard.part SET state = 'done', {moment}backend_pid = pg_backend_pid()\n"
            "    WHERE part_id = {} AND state = 'intent';\n"
            "    IF NOT FOUND THEN RAISE EXCEPTION 'step %, part %: not waiting to run', {}, {}; END IF;\n"
            "END\n$rag_wizard$"
        ),
        part_id, source.step, source.part, moment=sql.SQL(_MOMENT[source.mode]),
    )  # fmt: skip


_MOMENT = {
    Mode.TRANSACTION: "started_at = clock_timestamp(), xid = pg_current_xact_id(),\n"
    "        horizon = pg_snapshot_xmin(pg_current_snapshot()), ",
    # Its statements ran in transactions of the server's own; the intent was the last thing before them.
    Mode.CONCURRENTLY: "started_at = intended_at, ",
    # The sweep noted its snapshot, each batch its transaction.
    Mode.BATCHES: "started_at = coalesce(started_at, clock_timestamp()), ",
}
"""When the part happened, as far as its mode lets one say."""
