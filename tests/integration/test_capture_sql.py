"""The SQL of captures itself, on tables that no rollout of ours has."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg import sql

from tests.support.database import Database
from wizard.db.connect import connect
from wizard.engine.keeping.capture import Batch, find_captures, moving
from wizard.engine.parts.guard import Guard, select_of
from wizard.engine.session.registry import CREATE, CREATE_ROOM

PART = "0f0f0f0f-1111-2222-3333-444444444444"
SCHEMA, TABLE, KEY, COLUMNS = 'S "1"', "T $rag_wizard$ %s", ("Key ' {}", "at"), ("Select", "n")


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wizard.engine.keeping.capture.LARGE_ROWS", -1)


def text(template: str) -> sql.Composed:
    """With the odd names in their places."""
    return sql.SQL(template).format(  # type: ignore[arg-type]
        schema=sql.Identifier(SCHEMA), table=sql.Identifier(SCHEMA, TABLE), key=sql.Identifier(KEY[0]),
        value=sql.Identifier(COLUMNS[0]),
    )  # fmt: skip


def test_odd_names_keys_and_types_are_noted_and_found(database: Database) -> None:
    """A composite key whose text depends on the session, a value without equality, equal ones that are not the same."""
    database.execute(CREATE)
    database.execute(CREATE_ROOM["archives"])
    database.execute(text("create schema {schema}"))
    database.execute(
        text(
            "create table {table} ({key} text, at timestamptz, {value} json, n numeric, other int,"
            " primary key ({key}, at))"
        )
    )
    guard = Guard("", TABLE, KEY, COLUMNS, select_of(TABLE, (*KEY, *COLUMNS), "n > 1"), PART, 1)
    with connect(database.target(), schema=SCHEMA, read_only=False) as ours, database.connect() as application:
        (capture,) = find_captures(ours, SCHEMA, [guard]).values()
        for statement in capture.making():
            ours.execute(statement.sql.encode())
        application.execute("set datestyle = 'German'; set timezone = 'Asia/Kolkata'; set search_path = ''")
        application.execute(
            text(
                "insert into {table} select name, '02.01.2026 03:04:05.678', '{{}}', n, 0"
                " from (values ('a', 1.0), ('b', 1.0), ('c', 2.0)) as given (name, n)"
            )
        )
        assert database.value("select count(*) from rag_wizard.captured") == 3
        ours.execute("delete from rag_wizard.captured")
        for change in ("other = 1", "n = 1.00", "n = 1.00", "{value} = '{{ }}'", "at = at + interval '1 day'"):
            application.execute(text("update {table} set " + change + " where {key} = 'a'"))
        application.execute(text("delete from {table} where {key} = 'b'"))
        ours.execute("set timezone = 'UTC'")
        moved = ours.execute(moving(capture, guard, (*KEY, *COLUMNS), PART, batch=Batch(99, 0)).encode()).fetchone()
        late = ours.execute("select holds, row from rag_wizard.late_row").fetchall()
        for statement in capture.standing().removing():
            ours.execute(statement.sql.encode())

    assert moved is not None
    # The second 1.00 changes nothing; a new key is noted beside the old one.
    assert (moved["moved"], moved["saved"]) == (5, 3)

    def row(name: str, day: int, **values: Any) -> dict[str, Any]:
        return {KEY[0]: name, "at": f"2026-01-0{day} 21:34:05.678+00", **values}

    found = sorted(late, key=lambda one: (one["row"][KEY[0]], one["row"]["at"]))
    assert [(one["holds"], one["row"]) for one in found] == [
        ("nothing", row("a", 1)), ("defaults", row("a", 2, Select="{ }", n="1.00")), ("nothing", row("b", 1)),
    ]  # fmt: skip
    assert database.value("select count(*) from pg_trigger where not tgisinternal and tgname like 'rag_wizard%'") == 0


@pytest.mark.parametrize(
    "made",
    [
        pytest.param("create table t (id int primary key, v int); create table child () inherits (t)", id="inherited"),
        pytest.param("create table t (id int, v int); create index on t (id)", id="not unique"),
        pytest.param("create table t (id int unique, v int)", id="key may be null"),
        pytest.param("create table t (id int primary key)", id="no column"),
    ],
)
def test_what_triggers_cannot_note_whole_is_not_captured(database: Database, made: str) -> None:
    database.execute(made)
    guard = Guard("", "t", ("id",), ("v",), select_of("t", ("id", "v"), "true"), PART, 1)
    with connect(database.target(), schema="public", read_only=True) as ours:
        assert find_captures(ours, "public", [guard]) == {}
