"""Reads and writes the registry, schema rag_wizard of the target. What follows from its rows is in record.py."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from psycopg import errors, sql
from psycopg.types.json import Jsonb

from wizard import __version__
from wizard.db.connect import Connection
from wizard.db.prepared import Question, ask
from wizard.db.queries import query
from wizard.db.reading import Rows, all_rows
from wizard.engine.session.record import PartRecord, RolloutRecord, SessionRecord
from wizard.errors import ConnectionUnsuitableError, OtherOperatorError, RefusedError
from wizard.rollout.render import Group, Mode
from wizard.rollout.shape import Item, ItemKind
from wizard.rollout.statements import Statement, split_sql

Origin = Literal["made", "adopted", "replaced"]
"""Whose an object is: made by the part, there before, or overwritten by it."""

DURABLY = "SET LOCAL synchronous_commit = on"
"""In the same transaction as what must not be lost, not even when the server crashes a moment later."""

FORMAT = "Registry of rag-wizard, format 5:"
"""How the schema's comment begins; another format is another program's."""

Room = Literal["batches", "fills", "archives", "files"]
"""Tables of the registry that not every rollout needs; they are made before they are used first."""


def _texts(*names: str) -> str:
    return "\n".join((Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8") for name in names)


CREATE = _texts("registry", "registry_closed")
CREATE_ROOM: Mapping[Room, str] = {
    room: _texts("registry_owner", f"registry_{room}", "registry_closed") for room in get_args(Room)
}
TABLES: Mapping[Room, list[str]] = {
    room: re.findall(r"^CREATE TABLE IF NOT EXISTS (\S+)", text, re.MULTILINE) for room, text in CREATE_ROOM.items()
}


def registry_exists(connection: Connection) -> bool:
    """True if the registry is there and this role may use it.

    Raises ConnectionUnsuitableError if it belongs to a role that this one is no member of: what cannot be read is
    never taken for empty.
    """
    row = connection.execute(query("registry_state")).fetchone()
    if row is None:
        return False
    if not row["ours"]:
        raise ConnectionUnsuitableError(
            f'the registry (schema rag_wizard) belongs to role "{row["owner"]}", and this role may not read it',
            why="Nothing can be said about this database's rollouts, and nothing was changed.",
            fix=f'Connect as "{row["owner"]}" or as a member of it.',
        )
    if not row["comment"].startswith(FORMAT):
        raise RefusedError(
            "there is a schema rag_wizard, but it is not a registry of this version's format",
            why=f"Its comment does not begin with: {FORMAT}. Nothing was changed.",
            fix="Use the version that made it, or find out whose schema it is. A demo begins anew with --demo --fresh.",
        )
    return True


def create_registry(connection: Connection) -> None:
    """Makes the registry, in one transaction. Raises OtherOperatorError if somebody else is making it right now."""
    _make(connection, CREATE)


def has_room(connection: Connection, room: Room) -> bool:
    """True if the registry, which is there, has these tables. Raises RefusedError if it has only some of them."""
    text = "SELECT name, to_regclass(name) IS NOT NULL AS there FROM unnest(%s::text[]) AS name"
    there = {row["name"]: row["there"] for row in connection.execute(text, (TABLES[room],))}
    if any(there.values()) and not all(there.values()):
        raise _damaged(", ".join(f"{name} is missing" for name, found in there.items() if not found))
    return all(there.values())


def require_room(connection: Connection, room: Room) -> None:
    """Makes these tables unless they are there. Raises OtherOperatorError as `create_registry` does."""
    if not has_room(connection, room):
        _make(connection, CREATE_ROOM[room])


def _make(connection: Connection, text: str) -> None:
    try:
        with connection.transaction():
            connection.execute(text)
    except (errors.DuplicateSchema, errors.UniqueViolation):
        raise OtherOperatorError(
            "another session made the registry at the same moment", fix="Run the same command again."
        ) from None


def read_record(connection: Connection, name: str, schema: str) -> RolloutRecord | None:
    """The active rollout, else the one that ended last, else None; from a registry that is there.

    Raises RefusedError if it is damaged.
    """
    with _told_if_damaged():
        row = connection.execute(query("latest_rollout"), {"name": name, "schema": schema}).fetchone()
        if row is None:
            return None
        parts, sessions = all_rows(connection, (query("parts"), query("sessions")), {"rollout_id": row["rollout_id"]})
    return RolloutRecord(**row, parts=_part_records(parts), sessions=_session_records(sessions))


def _part_records(rows: Rows) -> tuple[PartRecord, ...]:
    return tuple(PartRecord(**row) for row in rows)


def _session_records(rows: Rows) -> tuple[SessionRecord, ...]:
    return tuple(SessionRecord(**row) for row in rows)


def load_parts(connection: Connection, rollout_id: str) -> tuple[PartRecord, ...]:
    """Every attempt at a part of this rollout, oldest first."""
    with _told_if_damaged():
        return _part_records(connection.execute(query("parts"), {"rollout_id": rollout_id}).fetchall())


_PART = {"part_id": "uuid"}


def part_question(part_id: str) -> Question:
    """Asks for the rows that `part_of` takes."""
    return Question("part", _PART, {"part_id": part_id})


def load_part(connection: Connection, part_id: str) -> tuple[PartRecord, list[dict[str, Any]]]:
    """One attempt, and its log."""
    with _told_if_damaged():
        return part_of(ask(connection, part_question(part_id)))


def part_of(rows: list[dict[str, Any]]) -> tuple[PartRecord, list[dict[str, Any]]]:
    """One attempt, and its log: ordinal, sql, logged_rows and duration_ms of each statement."""
    record = PartRecord(**{field.name: rows[0][field.name] for field in fields(PartRecord)})
    return record, [row for row in rows if row["ordinal"] is not None]


@contextmanager
def _told_if_damaged() -> Iterator[None]:
    try:
        yield
    except (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName) as error:
        raise _damaged(error.diag.message_primary) from None


def _damaged(how: str | None) -> RefusedError:
    return RefusedError(
        f"the registry is damaged: {how}",
        why="Somebody changed schema rag_wizard by hand. Nothing was changed by this command.",
        fix="Restore schema rag_wizard from a backup; without it nothing can be resumed or rolled back.",
    )


def load_objects(connection: Connection, parts: Collection[str]) -> dict[str, list[tuple[Origin, Item]]]:
    """Part id -> (origin, object) of what the part made and found, in order."""
    found: dict[str, list[tuple[Origin, Item]]] = {}
    if parts:
        for row in connection.execute(query("objects"), {"parts": list(parts)}):
            kind = ItemKind(row["kind"])
            item = Item(kind=kind, table=row["table_name"], name=row["name"], definition=row["definition"])
            found.setdefault(row["part_id"], []).append((row["origin"], item))
    return found


def load_reverts(connection: Connection, parts: Collection[str]) -> dict[str, list[Group]]:
    """Part id -> what rolling it back will send, a group for each statement, in order."""
    found: dict[str, list[Group]] = {}
    if parts:
        for row in connection.execute(query("reverts"), {"parts": list(parts)}):
            statement = Statement(row["sql"], split_sql(row["sql"])[0].kind, row["file"], row["line"])
            batched_by = tuple(row["batched_by"]) if row["mode"] == Mode.BATCHES.value else ()
            group = Group((statement,), row["hold_triggers"], row["subsumed_by"], batched_by=batched_by)
            found.setdefault(row["part_id"], []).append(group)
    return found


@dataclass(frozen=True)
class NewRollout:
    """What is recorded of a rollout when it begins."""

    strategy: str
    facts: dict[str, str]
    decisions: dict[str, str]


_BEGIN_ROLLOUT = (
    "INSERT INTO rag_wizard.rollout (rollout_id, name, target_schema, strategy, wizard_version, facts, decisions)\n"
    "VALUES (%(rollout_id)s, %(name)s, %(schema)s, %(strategy)s, %(version)s, %(facts)s, %(decisions)s)"
)


_ADD_ANSWERS = "UPDATE rag_wizard.rollout SET decisions = decisions || %(answers)s WHERE rollout_id = %(rollout_id)s"


def begin_session(
    connection: Connection,
    session_id: str,
    rollout_id: str,
    operator: str,
    *,
    name: str,
    schema: str,
    new: NewRollout | None,
    answers: Mapping[str, str],
) -> RolloutRecord:
    """Records this sitting, or that it goes on with another connection; of a rollout that is recorded too if it is new.

    `answers`: to decisions that one under way came to ask. One message, and one transaction. Returns what the registry
    holds then.
    """
    about = {
        "session_id": session_id, "rollout_id": rollout_id, "operator": operator, "version": __version__,
        "host": socket.gethostname(), "os_pid": os.getpid(), "name": name, "schema": schema,
    }  # fmt: skip
    texts = [query("begin_session"), query("latest_rollout"), query("parts"), query("sessions")]
    if new is not None:
        texts.insert(0, _BEGIN_ROLLOUT)
        about |= vars(new) | {"facts": Jsonb(new.facts), "decisions": Jsonb(new.decisions)}
    elif answers:
        texts.insert(0, _ADD_ANSWERS)
        about["answers"] = Jsonb(dict(answers))
    with _told_if_damaged():
        *_, rollouts, parts, sessions = all_rows(connection, texts, about)
    return RolloutRecord(**rollouts[0], parts=_part_records(parts), sessions=_session_records(sessions))


def end_session(connection: Connection, session_id: str) -> None:
    """Records that the sitting's connection is about to close."""
    connection.execute(
        sql.SQL("{}; UPDATE rag_wizard.session SET ended_at = clock_timestamp() WHERE session_id = {}").format(
            sql.SQL(DURABLY), session_id
        )
    )


def end_rollout(connection: Connection, rollout_id: str) -> None:
    """Records that everything was rolled back."""
    connection.execute(
        "UPDATE rag_wizard.rollout SET ended_at = clock_timestamp() WHERE rollout_id = %s", (rollout_id,)
    )


def resolve_intent(connection: Connection, part: PartRecord) -> str:
    """What became of a part whose session died: the row itself is the proof.

    Returns "done" or "interrupted" (the transaction rolled back, and is recorded so). Raises OtherOperatorError while
    the old transaction is still alive.
    """
    try:
        with connection.transaction():
            row = connection.execute(
                "SELECT state FROM rag_wizard.part WHERE part_id = %s FOR UPDATE NOWAIT", (part.part_id,)
            ).fetchone()
            if row is not None and row["state"] == "intent":
                connection.execute(
                    "UPDATE rag_wizard.part SET state = 'interrupted' WHERE part_id = %s", (part.part_id,)
                )
                return "interrupted"
    except errors.LockNotAvailable:
        raise OtherOperatorError(
            f"the transaction of step {part.step} from an earlier session is still alive (pid {part.backend_pid})",
            why="Its wizard is gone, but the server has not noticed yet or is still working.",
            fix="Wait until it ends, then run the same command again.",
        ) from None
    return "done"


def load_batch_xids(connection: Connection, part_id: str) -> tuple[str, ...]:
    """The transactions that committed a part's batches."""
    rows = connection.execute(
        "SELECT DISTINCT xid::text AS xid FROM rag_wizard.batch WHERE part_id = %s", (part_id,)
    ).fetchall()
    return tuple(row["xid"] for row in rows)


def load_ended_passes(connection: Connection, part_id: str) -> tuple[int, int]:
    """Batches and rows of a part's passes that came to their checkpoint; the part's row counts those of all passes."""
    row = connection.execute(
        "SELECT coalesce(sum(batches), 0)::int AS batches, coalesce(sum(rows), 0)::bigint AS rows"
        " FROM rag_wizard.statement WHERE part_id = %s AND outcome = 'committed' AND finished_at IS NOT NULL",
        (part_id,),
    ).fetchone()
    assert row is not None
    return row["batches"], row["rows"]


def record_failure(connection: Connection, part_id: str, statement: dict[str, Any]) -> None:
    """Marks a part as failed, with the statement that failed, after its transaction was rolled back.

    Of a part in batches the log holds rows already: it stands behind them, with who sent it and since when, since
    somebody else may go on.
    """
    with connection.transaction():
        connection.execute(DURABLY)
        connection.execute("UPDATE rag_wizard.part SET state = 'failed' WHERE part_id = %s", (part_id,))
        connection.execute(
            "INSERT INTO rag_wizard.statement (part_id, ordinal, sql, outcome, session_id, started_at, finished_at,"
            " file, line, error_column, sqlstate, message, detail, hint, context)"
            " SELECT part_id, greatest(%(ordinal)s, max(st.ordinal) + 1), %(sql)s, 'failed', p.session_id,"
            " CASE p.mode WHEN 'batches' THEN greatest(p.started_at, p.intended_at) END, clock_timestamp(), %(file)s,"
            " %(line)s, %(column)s, %(sqlstate)s, %(message)s, %(detail)s, %(hint)s, %(context)s"
            " FROM rag_wizard.part AS p LEFT JOIN rag_wizard.statement AS st USING (part_id)"
            " WHERE part_id = %(part_id)s GROUP BY p.part_id",
            {"part_id": part_id, **statement},
        )


def drop_registry(connection: Connection) -> None:
    """Removes the registry and everything in it."""
    connection.execute(f"{DURABLY}; DROP SCHEMA rag_wizard CASCADE")
