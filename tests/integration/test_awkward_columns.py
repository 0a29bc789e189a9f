"""Columns of the application that are called as the wizard's own statements call their rows: a row is still a row."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.integration.test_archive import only_archive, rows_in
from tests.support.database import Database
from tests.support.engine import Operator, at_start_of
from wizard.db.connect import connect
from wizard.engine.keeping.capture import Batch, find_captures, moving
from wizard.engine.parts.guard import Guard, counting_texts, select_of
from wizard.engine.session.registry import CREATE, CREATE_ROOM
from wizard.rollout.item_sql import drop_sql
from wizard.rollout.load import load_rollout
from wizard.rollout.shape import Item, ItemKind

TINY = Path(__file__).parent.parent / "rollouts" / "tiny"
PART = "0f0f0f0f-1111-2222-3333-444444444444"


def test_a_table_with_such_columns_is_archived_saved_and_restored(database: Database, tmp_path: Path) -> None:
    shutil.copytree(TINY, tmp_path / "awkward")
    (tmp_path / "awkward" / "sql" / "shapes.json").unlink()
    with (tmp_path / "awkward" / "sql" / "deploy" / "tickets.sql").open("a", encoding="utf-8") as made:
        made.write("\nALTER TABLE tickets ADD COLUMN kept text, ADD COLUMN lost_row text, ADD COLUMN tickets text;\n")
    archives = tmp_path / "archives"
    operator = Operator(database, load_rollout(tmp_path / "awkward"), archives=archives)
    operator.engine.run(last="tickets")
    insert = "insert into tickets (title, kept, lost_row, tickets) values ('{}', 'a', 'b', 'c')"
    database.execute(insert.format("first"))
    at_start_of(operator, "tickets", database, insert.format("late"))

    assert operator.engine.rollback().ending == "done"

    assert [row["title"] for row in rows_in(only_archive(archives), "tickets")] == ["first", "late"]
    operator.listen(lambda _: None)
    operator.engine.run(last="tickets")
    assert operator.engine.restore(only_archive(archives)).ending == "done"
    assert database.query("select title, kept, lost_row, tickets from tickets order by id") == [
        ("first", "a", "b", "c"), ("late", "a", "b", "c"),
    ]  # fmt: skip


def test_rows_are_counted_and_not_the_values_of_a_column(database: Database) -> None:
    rows = "SELECT * FROM (VALUES ('a'), (NULL)) AS given (lost_row)"

    assert database.value(counting_texts(rows)) == 2


def test_changes_are_noted_and_moved(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wizard.engine.keeping.capture.LARGE_ROWS", -1)
    database.execute(CREATE)
    database.execute(CREATE_ROOM["archives"])
    database.execute('create table t (lost int primary key, kept text, "new" text, "old" text)')
    guard = Guard("", "t", ("lost",), ("kept",), select_of("t", ("lost", "kept"), "to_jsonb(t) <> '{}'"), PART, 1)
    with connect(database.target(), schema="public", read_only=False) as ours:
        (capture,) = find_captures(ours, "public", [guard]).values()
        for statement in capture.making():
            ours.execute(statement.sql.encode())
        database.execute("insert into t values (1, 'a', 'b', 'c'), (2, 'a', 'b', 'c')")
        ours.execute("delete from rag_wizard.captured")
        database.execute("update t set \"new\" = 'd' where lost = 1; delete from t where lost = 2")
        ours.execute(moving(capture, guard, ("lost", "kept"), PART, batch=Batch(99, 0)).encode())

    late = "select row ->> 'lost', row ->> 'kept', holds from rag_wizard.late_row order by 1"
    assert database.query(late) == [("1", "a", "values"), ("2", None, "nothing")]


def test_a_row_of_the_rollout_is_found_and_stays_while_another_one_refers_to_it(database: Database) -> None:
    database.execute(
        "create table pages (path text primary key, pages text, parent text);"
        " create table links (page text references pages, parent text);"
        " insert into pages values ('/', 'a', 'b'); insert into links values ('/', 'c')"
    )
    row = json.dumps({"path": "/", "pages": "a", "parent": "b"})
    drop = drop_sql(Item(kind=ItemKind.ROW, table="pages", name='{"path": "/"}', definition=row), "false")

    database.execute(drop)
    assert database.value("select count(*) from pages") == 1
    database.execute("delete from links")
    database.execute(drop)

    assert database.value("select count(*) from pages") == 0
