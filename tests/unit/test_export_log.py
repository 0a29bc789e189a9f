"""The exported log: what replays, what is a comment, what programs and people read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from wizard.engine.looking.fills import PART_ID, spared_by
from wizard.engine.views import LoggedStatement
from wizard.export.log import LogHeader, export_log
from wizard.rollout.model import Fill
from wizard.rollout.render import Group
from wizard.rollout.statements import Statement

HEADER = LogHeader(
    target="acme",
    address="db.example.org:5432/postgres as postgres",
    rollout="phase-1",
    schema='odd "schema"',
    exported_at=datetime(2026, 11, 22, 14, 2, 9, tzinfo=UTC),
)


def statement(sql: str, **more: Any) -> LoggedStatement:
    values: dict[str, Any] = {
        "session": "s1",
        "operator": "ada@host",
        "step": "1.1",
        "part": 1,
        "direction": "deploy",
        "ordinal": 1,
        "sql": sql,
        "outcome": "committed",
        "started_at": datetime(2026, 11, 22, 13, 0, tzinfo=UTC),
        "xid": "8812",
    }
    return LoggedStatement(**(values | more))


def code(text: str) -> list[str]:
    """The lines that psql would execute."""
    return [line for line in text.splitlines() if line and not line.startswith("--")]


def test_a_part_is_one_transaction_in_the_schema_of_the_rollout() -> None:
    log = export_log([statement("CREATE TABLE a ()"), statement("CREATE TABLE b ();", ordinal=2)], "sql", HEADER)

    assert code(log) == [
        "\\set ON_ERROR_STOP on",
        "SET client_encoding = 'UTF8';",
        "SET standard_conforming_strings = on;",
        "SET row_security = off;",
        'SET search_path = "odd ""schema""", pg_temp;',
        "BEGIN;",
        "CREATE TABLE a ();",
        "CREATE TABLE b ();",
        "COMMIT;",
    ]


def test_parts_and_directions_are_transactions_of_their_own() -> None:
    log = export_log(
        [statement("SELECT 1"), statement("SELECT 2", part=2), statement("SELECT 3", part=2, direction="revert")],
        "sql",
        HEADER,
    )

    assert code(log).count("BEGIN;") == code(log).count("COMMIT;") == 3
    assert "-- rollback of step 1.1, part 2" in log


def test_the_same_part_committed_twice_is_two_transactions() -> None:
    log = export_log([statement("SELECT 1"), statement("SELECT 1", xid="9000")], "sql", HEADER)

    assert code(log).count("BEGIN;") == 2


def test_what_did_not_commit_is_a_comment_line_by_line() -> None:
    failed = statement("DROP TABLE a;\nDROP TABLE b", outcome="failed", error="42P01 no such table\nDROP TABLE c;")

    log = export_log([failed], "sql", HEADER)

    assert not [line for line in code(log) if "DROP" in line or "BEGIN" in line]
    assert "--   DROP TABLE b" in log
    assert "42P01" in log


def test_a_statement_that_ends_in_a_comment_still_gets_its_semicolon() -> None:
    log = export_log([statement("SELECT 1 -- why")], "sql", HEADER)

    assert "SELECT 1 -- why\n;" in log


def test_a_line_end_in_a_name_cannot_leave_the_header_comment() -> None:
    odd = LogHeader(target="acme\nDROP TABLE a;", address="x", rollout="y", schema="z", exported_at=HEADER.exported_at)

    assert not [line for line in code(export_log([], "sql", odd)) if "DROP" in line]


def test_each_rollout_is_replayed_in_its_own_schema() -> None:
    first = statement("SELECT 1", rollout="phase-1", target_schema="public")
    other = statement("SELECT 2", session="s2", rollout="phase-1", target_schema='Tenant "b"\nDROP TABLE a;')

    log = export_log([first, other, first], "sql", HEADER)

    assert [line for line in code(log) if line.startswith(("SET search_path", "SELECT"))] == [
        'SET search_path = "public", pg_temp;',
        "SELECT 1;",
        'SET search_path = "Tenant ""b""',
        "SELECT 2;",
        'SET search_path = "public", pg_temp;',
        "SELECT 1;",
    ]
    assert log.count("-- rollout phase-1, schema ") == 2
    assert log.count("-- from here on: rollout phase-1, schema public") == 2
    report = export_log([first, other, first], "md", HEADER)
    assert report.count("\nFrom here on: rollout `phase-1`, schema `public`") == 2


@pytest.mark.parametrize("table", ["clones", 'odd\\ "clones\'s"'])
def test_what_a_rollback_empties_is_noted_while_it_is_filled(table: str) -> None:
    quoted = '"' + table.replace('"', '""') + '"'
    fill = Fill(table=table, column="domain", key=("id", "tenant"), value="'other'")
    filled = Statement(f"UPDATE {quoted} SET domain = 'other' WHERE domain IS NULL -- all", "update_stmt")
    (empties,) = spared_by((Group((filled,), fills=(fill,)),), [(table, "domain")])
    ids = {"fills": str(uuid4()), "others": str(uuid4())}
    emptied = empties.statements[0].sql.replace(PART_ID, ids["fills"])

    log = export_log(
        [
            statement(filled.sql, part_id=ids["fills"]),
            statement(filled.sql, part=2, part_id=ids["others"]),
            statement(emptied, direction="revert", part_id=str(uuid4())),
        ],
        "sql",
        HEADER,
    )

    assert "rag_wizard.filled" not in log
    assert log.count("CREATE TEMPORARY TABLE rag_wizard_filled") == 1
    assert log.count("FROM pg_temp.rag_wizard_filled AS filled") == 1
    assert log.count(f"WITH filled AS (\n{filled.sql}\n    RETURNING jsonb_build_object('id', {quoted}.\"id\",") == 1
    assert log.count(f"SELECT '{ids['fills']}', ") == 1
    assert f"pg_temp;\n{filled.sql}\n;\nCOMMIT;" in log


def test_a_log_without_such_a_rollback_needs_no_temporary_table() -> None:
    assert "TEMPORARY" not in export_log([statement("UPDATE a SET b = 1 WHERE b IS NULL")], "sql", HEADER)


def test_json_lines_hold_everything() -> None:
    first, second = export_log([statement("SELECT '\x1b[2J'", rows=3)], "jsonl", HEADER).splitlines()

    assert json.loads(first)["target"] == "acme"
    assert json.loads(first)["statements"] == 1
    assert json.loads(second)["sql"] == "SELECT '\x1b[2J'"
    assert json.loads(second)["rows"] == 3
    assert "\x1b" not in second


def test_markdown_keeps_backticks_and_control_characters_harmless() -> None:
    report = export_log([statement("SELECT '```', '\x1b[2J'", duration_ms=1.25, rows=2)], "md", HEADER)

    assert "````sql" in report
    assert "\x1b" not in report
    assert "**committed**, 2 rows, 1.2 ms, transaction 8812" in report


def test_an_empty_log_is_still_a_valid_file_in_every_format() -> None:
    assert "BEGIN" not in export_log([], "sql", HEADER)
    assert json.loads(export_log([], "jsonl", HEADER))["statements"] == 0
    assert "Statements: 0" in export_log([], "md", HEADER)
