"""Judges what must hold before a rollout: the engine's own prerequisites and those that the rollout declares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

import psycopg
from psycopg import sql

from wizard.db.connect import Connection
from wizard.db.pooler import session_route
from wizard.db.prepared import Question
from wizard.db.queries import query
from wizard.db.reading import NEVER, Rows, all_rows, read_all
from wizard.engine.looking import in_the_way
from wizard.engine.looking.asking import replica_role
from wizard.engine.looking.room import room
from wizard.engine.looking.situation import Situation
from wizard.engine.looking.taken import names_to_make
from wizard.engine.looking.violations import violations
from wizard.engine.views import PrerequisiteResult
from wizard.errors import ExitCode, PrerequisiteError, RolloutInvalidError
from wizard.rollout.model import Prerequisite, holds
from wizard.rollout.queries import require_text, select
from wizard.rollout.shape import ItemKind
from wizard.text import plural

Level = Literal["pass", "warn", "stop"]


def quoted(name: str) -> str:
    """A name as SQL identifier, for statements that people paste."""
    return sql.Identifier(name).as_string()


CONFLICTS = "names-free"
"""The prerequisite whose stop is a conflict: exit code 7 instead of 3."""

_LEVELS: tuple[Level, ...] = ("pass", "warn", "stop")


def prerequisites(
    connection: Connection, situation: Situation, report: Callable[[PrerequisiteResult], None] = lambda _: None
) -> tuple[PrerequisiteResult, ...]:
    """Every prerequisite of the steps that remain, each reported as soon as it is judged. Reads only."""
    results = []
    for result in _all(connection, situation):
        report(result)
        results.append(result)
    return tuple(results)


WRITES_REFUSED = Question("read_only", {"name": "text"}, {"name": "default_transaction_read_only"})
"""Asks for the row that says whether the server was made read-only since the session began, which overrides that."""


def require_writable(situation: Situation, state_now: str = "Nothing was changed.") -> None:
    """Before anything is sent that writes, on the way forward or back.

    Raises PrerequisiteError, which says `state_now`, if the server is a standby or refuses writes.
    """
    result = _writable(situation)
    if result.level == "stop":
        raise PrerequisiteError(
            f"{situation.target} cannot be written to: {result.found}", why=state_now, fix=result.fix
        )


def stopped_by(results: Iterable[PrerequisiteResult]) -> ExitCode:
    """How a run would end that these results stop: conflicts alone are not unmet prerequisites."""
    stops = {result.id for result in results if result.level == "stop"}
    if not stops:
        return ExitCode.DONE
    return ExitCode.REFUSED if stops == {CONFLICTS} else ExitCode.PREREQUISITES


def _all(connection: Connection, situation: Situation) -> Iterator[PrerequisiteResult]:
    if connection.kind != "direct":
        yield _session(connection)
    yield _version(situation)
    yield _writable(situation)
    tables = sorted({table for rendered in situation.steps for table in rendered.step.tables})
    named = {"schema": situation.schema, "tables": tables}
    (rights,), filtered = all_rows(connection, (query("privileges"), query("filtered_tables")), named)
    yield _schema(situation, rights)
    yield _database(situation, rights)
    yield _filtered(situation, filtered)
    if situation.active is not None:
        yield from _still_held_back(connection, situation)
    yield from _adopted_tables(connection, situation)
    yield _names(situation)
    if not situation.conflicts:
        yield from violations(connection, situation)
    if situation.remaining:
        yield in_the_way.prerequisite(connection, situation)
        yield from room(connection, situation)
    declared = [
        prerequisite
        for rendered in situation.steps
        for prerequisite in rendered.step.prerequisites
        if holds(prerequisite.when, situation.facts)
    ]
    found = read_all(connection, [(select(situation.rollout, one.sql), NEVER) for one in declared])
    yield from map(_declared, declared, found)


def _result(name: str, title: str, ok: bool, found: str, fix: str) -> PrerequisiteResult:
    return PrerequisiteResult(id=name, title=title, level="pass" if ok else "stop", found=found, fix="" if ok else fix)


def _session(connection: Connection) -> PrerequisiteResult:
    return _result(
        "session",
        "A session of its own on the server",
        connection.kind == "session pooler",
        f"connected through a {connection.kind}",
        session_route(connection.target),
    )


def _version(situation: Situation) -> PrerequisiteResult:
    minimum = situation.rollout.minimum_server
    return _result(
        "server-version",
        f"PostgreSQL {minimum // 10000} or newer",
        situation.server["version_num"] >= minimum,
        f"PostgreSQL {situation.server['version']}",
        f"Upgrade the server to {minimum // 10000} or newer.",
    )


def _writable(situation: Situation) -> PrerequisiteResult:
    server = situation.server
    found = "the server is a standby: it can only be read" if server["in_recovery"] else "primary, writable"
    if server["read_only_default"]:
        found = (
            "default_transaction_read_only is on: the server refuses writes (Supabase does so when the disk is full)"
        )
    return _result(
        "writable-primary",
        "Writable primary",
        not server["in_recovery"] and not server["read_only_default"],
        found,
        "Connect to the primary." if server["in_recovery"] else "Find out why the database was made read-only.",
    )


def _schema(situation: Situation, rights: dict[str, Any]) -> PrerequisiteResult:
    role, schema = situation.server["role"], situation.schema
    title = f'CREATE on schema "{schema}"'
    if not rights["schema_exists"]:
        return _result("create-on-schema", title, False, f'there is no schema "{schema}"', "Name one with --schema.")
    return _result(
        "create-on-schema",
        title,
        rights["create_on_schema"],
        f'role "{role}" {"may" if rights["create_on_schema"] else "may not"} create objects there',
        f"As its owner: GRANT USAGE, CREATE ON SCHEMA {quoted(schema)} TO {quoted(role)};",
    )


def _database(situation: Situation, rights: dict[str, Any]) -> PrerequisiteResult:
    role, database = situation.server["role"], situation.server["database"]
    return _result(
        "create-on-database",
        "CREATE on the database, for the registry",
        rights["create_on_database"] or bool(rights["registry_ours"]),
        f'role "{role}" {"may" if rights["create_on_database"] else "may not"} create schema rag_wizard',
        f"As the database's owner: GRANT CREATE ON DATABASE {quoted(database)} TO {quoted(role)};",
    )


def _filtered(situation: Situation, rows: Rows) -> PrerequisiteResult:
    names = ", ".join(row["name"] for row in rows)
    role = situation.server["role"]
    return _result(
        "row-security",
        "This role sees every row",
        not rows,
        f'RLS hides rows of {names} from role "{role}": counts would be wrong, updates would miss rows'
        if rows
        else "no table is filtered",
        f"Connect as the owner, without FORCE ROW LEVEL SECURITY; or, superuser: ALTER ROLE {quoted(role)} BYPASSRLS;",
    )


def _adopted_tables(connection: Connection, situation: Situation) -> Iterator[PrerequisiteResult]:
    """Only its owner may add a trigger or a policy to a table that is there already."""
    parts = situation.remaining_parts
    found = {item.table for part in parts for item in part.adopted if item.kind is ItemKind.TABLE}
    needed = sorted(found & {item.table for part in parts for item in part.made})
    if not needed:
        return
    rows = connection.execute(query("foreign_tables"), {"schema": situation.schema, "tables": needed}).fetchall()
    role = situation.server["role"]
    yield _result(
        "adopted-tables",
        "This role owns the existing tables that the rollout extends",
        not rows,
        "; ".join(f"{row['name']} belongs to {row['owner']}" for row in rows) if rows else f"{', '.join(needed)}",
        "As superuser: " + " ".join(f"ALTER TABLE {quoted(row['name'])} OWNER TO {quoted(role)};" for row in rows)
        + " Or connect as a member of the owner.",
    )  # fmt: skip


def _still_held_back(connection: Connection, situation: Situation) -> Iterator[PrerequisiteResult]:
    """What the rollout was rendered for when it began, and a role can lose: the steps that are left rely on it."""
    if not any(group.hold_triggers for part in situation.remaining_parts for group in part.deploy):
        return
    role, allowed = situation.server["role"], replica_role(connection) == "allowed"
    yield _result(
        "replica-role",
        "Triggers can still be held back",
        allowed,
        f'role "{role}" may {"" if allowed else "no longer "}set session_replication_role'
        + ("" if allowed else ", as it could when this rollout began"),
        "Connect as the role that began it, or give this one the right back; or roll back and begin again.",
    )


def _names(situation: Situation) -> PrerequisiteResult:
    """What look() found to differ, or to have a name that is needed."""
    different = "; ".join(conflict.words for conflict in situation.conflicts[:8])
    more = f" and {len(situation.conflicts) - 8} more" if len(situation.conflicts) > 8 else ""
    return _result(
        CONFLICTS,
        "No existing object conflicts with what the rollout makes",
        not situation.conflicts,
        f"different: {different}{more}" if different else _what_is_there(situation),
        "Rename or remove what is there, or change it to what is expected. The wizard never overwrites it.",
    )


def _what_is_there(situation: Situation) -> str:
    parts = [(rendered.step.id, part) for rendered in situation.remaining for _, part in situation.left(rendered)]
    names = len(names_to_make(parts)) - sum(len(part.replaced) for _, part in parts)
    adopted = sum(len(part.adopted) for _, part in parts)
    found = f"; {plural(adopted, 'object')} there already, exactly as expected: adopted" if adopted else ""
    return (f"{plural(names, 'name')} free" if names else "nothing is left to make") + found


def _declared(declared: Prerequisite, rows: Rows | psycopg.Error) -> PrerequisiteResult:
    if isinstance(rows, psycopg.Error):
        return PrerequisiteResult(
            id=declared.id,
            title=declared.title,
            level="stop",
            found=f"the query failed: {rows}",
            fix=f"Correct sql/{declared.sql}, or give this role the right to read what it reads.",
        )
    require_text(rows, ("level", "found", "fix"), declared.sql)
    odd = next((row["level"] for row in rows if row["level"] not in _LEVELS), None)
    if odd is not None:
        raise RolloutInvalidError(f"sql/{declared.sql}: level {odd} is none of {', '.join(_LEVELS)}", fix="Correct it.")
    level: Level = max((row["level"] for row in rows), key=_LEVELS.index, default="pass")
    told = [row for row in rows if row["level"] == level]
    return PrerequisiteResult(
        id=declared.id,
        title=declared.title,
        level=level,
        found="; ".join(str(row["found"]) for row in told),
        fix="; ".join(dict.fromkeys(str(row["fix"]) for row in told if row["fix"] and level != "pass")),
    )
