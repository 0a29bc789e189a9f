"""`plan` and the preview: what is shown is what runs, and psql runs it to the same result."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg.sql import SQL, Identifier

from tests.conftest import MakeDatabase
from tests.support.database import SUPERUSER, Database, assert_same
from tests.support.engine import Operator
from tests.support.filling import filling, make_things
from wizard.engine import sitting
from wizard.rollout.load import load_rollout

VOLATILE = {"id", "created_at", "updated_at"}
TINY = Path(__file__).parent.parent / "rollouts" / "tiny"
KEY = """
id bigint, at timestamptz DEFAULT now(), took interval DEFAULT '1 day 2 hours', share float8 DEFAULT 1.0 / 3,
mark bytea DEFAULT '\\x00ff', PRIMARY KEY (id, at, took, share, mark)"""
ELSEWHERE = {
    "timezone": "Europe/Berlin", "datestyle": "German", "intervalstyle": "iso_8601", "extra_float_digits": "0",
    "bytea_output": "escape",
}  # fmt: skip


def test_psql_runs_the_plan_to_the_same_catalog_and_the_wizard_rolls_it_back(
    database: Database, twin: Database
) -> None:
    before = database.snapshot()
    Operator(twin).engine.run()
    operator = Operator(database)

    database.psql(operator.engine.plan())

    assert database.dump() == twin.dump()
    assert database.digest(VOLATILE, schemas=["public"]) == twin.digest(VOLATILE, schemas=["public"])
    assert operator.engine.verify().passed
    rows = {entry.step: entry.rows for entry in operator.engine.statements() if entry.rows is not None}
    assert rows == {"1.1": 8, "6.1": 0, "6.2": 40}
    assert Operator(database).engine.rollback().ending == "done"
    Operator(database).engine.forget()
    assert_same(before, database.snapshot())


def test_the_plan_of_a_begun_rollout_holds_the_rest(database: Database, twin: Database) -> None:
    Operator(twin).engine.run()
    operator = Operator(database)
    operator.engine.run(last="2.1")

    plan = Operator(database).engine.plan()
    database.psql(plan)

    assert "CREATE TABLE" not in plan
    assert database.dump() == twin.dump()
    assert "Nothing is left to run" in operator.engine.plan()


def test_the_plan_of_another_schema_uses_the_registry_that_is_there(database: Database) -> None:
    database.execute('create schema "App 2"')
    Operator(database, load_rollout(TINY)).engine.run()
    other = Operator(database, load_rollout(TINY), schema="App 2")

    database.psql(other.engine.plan())

    assert other.engine.verify().passed
    assert other.engine.rollback().ending == "done"


def test_without_registry_the_objects_are_the_same_and_the_cost_is_said(database: Database, twin: Database) -> None:
    plan = Operator(database).engine.plan(registry=False)
    database.psql(plan)
    operator = Operator(twin)
    operator.engine.run()
    operator.engine.forget(keep_objects=True)

    assert "rag_wizard." not in plan
    assert "cannot resume this" in plan
    assert database.dump() == twin.dump()


@pytest.mark.parametrize("strategy", ["atomic", "online"])
@pytest.mark.parametrize("by", ["psql", "the wizard"])
def test_rows_that_were_filled_are_found_again_however_a_session_writes_their_keys(
    database: Database, tmp_path: Path, strategy: str, by: str
) -> None:
    make_things(database, KEY)
    operator = Operator(database, filling(tmp_path, key='["id", "at", "took", "share", "mark"]'), strategy=strategy)
    configure = SQL("alter database {} ").format(Identifier(database.name))
    for name, value in ELSEWHERE.items():
        database.execute(configure + SQL("set {} = {}").format(Identifier(name), value), user=SUPERUSER)
    if by == "psql":
        database.psql(operator.engine.plan())
    else:
        assert operator.engine.run().ending == "done"
    assert database.value("select count(*) from things where filled = 'x'") == 900
    database.execute(configure + SQL("reset all"), user=SUPERUSER)

    assert operator.engine.rollback().ending == "done"

    assert database.query("select filled, count(*) from things group by 1 order by 1") == [("own", 100), (None, 900)]


def test_a_plan_runs_only_once(database: Database) -> None:
    plan = Operator(database).engine.plan()
    database.psql(plan)
    before = database.snapshot()

    again = database.psql(plan, check=False)

    assert again.returncode == 3
    assert 'schema "rag_wizard" already exists' in again.stderr
    assert_same(before, database.snapshot())


@pytest.mark.parametrize("variants", [(), ("creator_id_uuid", "category_enum"), ("no_shared_function",)])
def test_the_preview_is_what_the_server_receives(make_database: MakeDatabase, variants: tuple[str, ...]) -> None:
    database = make_database(*variants)
    operator = Operator(database)
    preview = [line.sql for step in operator.engine.survey().steps for part in step.parts for line in part.statements]
    database.log_statements()

    operator.engine.run()

    sent = "\n".join(database.logged())
    position = 0
    for sql in preview:
        for piece in sql.split(":ROW_COUNT"):
            position = sent.find(piece, position)
            assert position >= 0, f"shown, but not sent in this order: {sql}"


@pytest.mark.parametrize(("seconds", "commits"), [(60.0, 4), (0.0, 5)], ids=["writable just now", "asked behind it"])
def test_strong_locks_travel_in_one_message(
    database: Database, monkeypatch: pytest.MonkeyPatch, seconds: float, commits: int
) -> None:
    monkeypatch.setattr(sitting, "ASK_BEHIND_S", seconds)
    operator = Operator(database)
    operator.engine.survey()
    database.log_statements()

    operator.engine.run(last="2.2")

    for table in ("experts", "rag_documents", "vector_stores", "assistants", "clone_rag_mapping"):
        message = next(text for text in database.logged() if f"CREATE TABLE {table}" in text)
        # The intent, the part, and two questions: what became of it, and which objects are there now. After a while a
        # third one travels with them: whether the server still takes writes.
        assert message.startswith("BEGIN;")
        assert message.count("COMMIT") == commits
        assert message.rstrip().endswith("COMMIT")
    for column in ("rag_enabled", "rag_processing_status"):
        message = next(
            text for text in database.logged() if f"{column} " in text and "ALTER TABLE" in text and "BEGIN" in text
        )
        assert message.rstrip().endswith("COMMIT")
