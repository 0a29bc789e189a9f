"""Writes what is left of a rollout as a script that psql runs to the same result, registry included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from psycopg import sql
from psycopg.types.json import Jsonb

from wizard import __version__
from wizard.db.session import AS_TEXT
from wizard.engine.looking.situation import Situation
from wizard.engine.parts.compose import Composer
from wizard.engine.parts.looped import looped
from wizard.engine.parts.paths import wide_path
from wizard.engine.parts.source import Line, PartMessage
from wizard.engine.session.exclusive import lock_key
from wizard.engine.session.registry import CREATE, CREATE_ROOM, Room
from wizard.engine.settings import Settings
from wizard.rollout.kind import StepKind
from wizard.rollout.render import Mode
from wizard.rollout.statements import split_sql, terminated
from wizard.text import visible

NO_REGISTRY = (
    "-- Without the registry: nothing is recorded. rag-wizard cannot resume this, verify it against a record,",
    "-- or roll it back: a later `rag-wizard run` adopts what it finds, and adopted objects stay.",
)


def plan_script(situation: Situation, composer: Composer, settings: Settings, *, registry: bool) -> str:
    """The script. It runs on exactly the database it was made for, in the state it was in then."""
    return "\n".join(_script(situation, composer, settings, registry)) + "\n"


def _script(situation: Situation, composer: Composer, settings: Settings, registry: bool) -> Iterator[str]:
    where = f"{_comment(situation.target)}, schema {_comment(settings.schema)}"
    yield f"-- {situation.rollout.title}: what is left to run on {where}"
    yield f"-- rag-wizard {__version__}; for psql -X -f, not for psql -1: each part commits by itself"
    yield "-- A lock that cannot be had in time ends it; what is committed stays: make a plan of the rest, and run that"
    if not registry:
        yield from NO_REGISTRY
    remaining = situation.remaining
    if not remaining:
        yield "-- Nothing is left to run."
        return
    yield r"\set ON_ERROR_STOP on"
    yield r"\set QUIET on"
    yield r"\encoding UTF8"
    yield from _prologue(situation, composer, settings, registry)
    rooms: set[Room] = set()
    for rendered in remaining:
        step = rendered.step
        yield f"\n-- {step.id}  {_comment(step.title)}"
        for deviation in rendered.deviations:
            yield f"--   differs from the guide: {_comment(deviation.title)}"
        for number, _ in situation.left(rendered):
            message = composer.deploy(situation, rendered, number, registry=registry)
            begun = situation.begun(rendered, number) if registry else None
            for room in sorted({*message.source.rooms} - rooms) if registry else ():
                rooms.add(room)
                yield from _making(CREATE_ROOM[room])
            message = composer.next_sent(situation, message, begun)
            yield from _part(message, wide_path(settings.schema), begun.batches if begun is not None else 0)
    yield from _open(situation)
    if registry:
        yield _statement(
            sql.SQL("UPDATE rag_wizard.session SET ended_at = clock_timestamp() WHERE session_id = {}")
            .format(composer.session_id)
            .as_string()
        )
    yield "\n-- Then verify: rag-wizard verify"


def _prologue(situation: Situation, composer: Composer, settings: Settings, registry: bool) -> Iterator[str]:
    yield "SET client_min_messages = warning;"
    yield "SET standard_conforming_strings = on;"
    yield "SET row_security = off;"
    # A rollback looks for the rows that a part filled by the keys that it notes.
    yield from (f"SET {name} = {value};" for name, value in AS_TEXT.items())
    # Statements outside a transaction of ours find their tables, and their time, by these.
    path = sql.SQL("SET search_path = {}, pg_temp").format(sql.Identifier(settings.schema))
    yield _statement(path.as_string())
    yield "SET statement_timeout = 0;"
    if situation.server["version_num"] >= 170000:
        yield "SET transaction_timeout = 0;"
    yield "SET default_transaction_isolation = 'read committed';"
    yield (
        "DO $rag_wizard$ BEGIN\n"
        f"    IF NOT pg_try_advisory_lock({', '.join(map(str, lock_key(settings.schema)))}) THEN\n"
        "        RAISE EXCEPTION 'another operator is rolling out on this database';\n"
        "    END IF;\nEND $rag_wizard$;"
    )
    if not registry:
        return
    if not situation.registry:
        yield "\n-- the registry"
        yield from _making(CREATE)
    yield from _rollout(situation, composer, settings)
    yield _statement(
        sql.SQL(
            "INSERT INTO rag_wizard.session"
            " (session_id, rollout_id, operator, wizard_version, host, os_pid, backend_pid)\n"
            "VALUES ({}, {}, {}, {}, 'psql', 0, pg_backend_pid())"
        )
        .format(composer.session_id, composer.rollout_id(situation), settings.operator, __version__)
        .as_string()
    )


def _rollout(situation: Situation, composer: Composer, settings: Settings) -> Iterator[str]:
    """The rollout's row, with the answers to decisions; of one under way the answers that came since."""
    if situation.active is None:
        names = {decision.name for decision in situation.rollout.decisions}
        facts = situation.facts
        yield _statement(
            sql.SQL(
                "INSERT INTO rag_wizard.rollout"
                " (rollout_id, name, target_schema, strategy, wizard_version, facts, decisions)\n"
                "VALUES ({}, {}, {}, {}, {}, {}, {})"
            )
            .format(
                composer.rollout_id(situation),
                situation.rollout.name,
                settings.schema,
                settings.strategy,
                __version__,
                Jsonb({name: value for name, value in facts.items() if name not in names}),
                Jsonb({name: value for name, value in facts.items() if name in names}),
            )
            .as_string()
        )
    elif situation.asking.answers:
        yield _statement(
            sql.SQL("UPDATE rag_wizard.rollout SET decisions = decisions || {} WHERE rollout_id = {}")
            .format(Jsonb(dict(situation.asking.answers)), composer.rollout_id(situation))
            .as_string()
        )


def _making(tables: str) -> Iterator[str]:
    yield "BEGIN;"
    yield from (_statement(statement.sql) for statement in split_sql(tables))
    yield "COMMIT;"


def _part(message: PartMessage, path: str, batches: int = 0) -> Iterator[str]:
    for line in (*message.intent, *message.ahead):
        yield _statement(line.sql)
    if message.source.mode is Mode.BATCHES:
        yield "-- equivalent: the wizard sends each batch by itself, as large and as often as the server bears"
        yield from map(_statement, looped(message, path, batches))
    if message.source.mode is not Mode.TRANSACTION:
        for line in (*message.lines, *message.resets):
            yield _statement(line.sql)
        return
    yield from _sent(message.lines, together=message.source.one_message)


def _sent(lines: Sequence[Line], *, together: bool) -> Iterator[str]:
    r"""With `together`, psql sends all in one message: `\;` ends a statement without sending it."""
    for number, line in enumerate(lines, start=1):
        yield terminated(line.sql, r"\;" if together and number < len(lines) else ";")


def _statement(text: str) -> str:
    return terminated(text)


def _open(situation: Situation) -> Iterator[str]:
    for rendered in situation.steps:
        if rendered.step.kind is StepKind.MANUAL:
            yield f"\n-- {rendered.step.id}  {_comment(rendered.step.title)}: {_comment(rendered.step.todo)}"


def _comment(text: str) -> str:
    """Text that stays inside one comment line and cannot steer a terminal."""
    return visible(" ".join(text.split()))
