"""Statements of a rollout whose names or traces the application has already, or that say little of what they make."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from tests.support.odd_rollout import make_rollout
from wizard.errors import WizardError
from wizard.rollout.load import load_rollout

MATCH = "CREATE OR REPLACE FUNCTION match(q text) RETURNS TABLE (n int) LANGUAGE sql AS 'SELECT 1'"
COLUMN = "ALTER TABLE tt ADD COLUMN state text"
VIEW = "CREATE VIEW vv AS SELECT 1 AS one"


def recorded(folder: Path, *shapes: tuple[str, list[dict[str, str]]]) -> None:
    """Writes the file of shapes: what each statement was seen to make."""
    statements = [
        {"file": "deploy.sql", "line": line, "sql": text, "shapes": [shape]}
        for line, (text, shape) in enumerate(shapes, start=1)
    ]
    (folder / "sql" / "shapes.json").write_text(json.dumps({"format": 1, "statements": statements}))


@pytest.mark.parametrize(
    ("there", "deploy", "revert"),
    [
        ("create function match(text) returns int language sql as 'select 7'", MATCH, "DROP FUNCTION match(text)"),
        (
            "create function match(ids uuid[]) returns int language sql as 'select 7'",
            MATCH.replace("q text", "q uuid[]"), "DROP FUNCTION match(uuid[])",
        ),
        ("create view vv as select 1 as theirs", VIEW.replace("CREATE", "CREATE OR REPLACE"), "DROP VIEW vv"),
    ],
    ids=["function with a result of columns", "function of an array", "view"],
)  # fmt: skip
def test_what_the_application_has_is_never_replaced_unseen(
    database: Database, tmp_path: Path, there: str, deploy: str, revert: str
) -> None:
    database.execute(there)
    before = database.snapshot()

    with pytest.raises(WizardError) as refused:
        Operator(database, make_rollout(tmp_path, deploy, revert=revert)).engine.run()

    assert refused.value.exit_code == 7
    assert_same(before, database.snapshot())


@pytest.mark.parametrize(
    ("there", "deploy"),
    [
        ("create function f(uuid) returns int language sql as 'select 1'",
         "CREATE FUNCTION f(ids uuid[]) RETURNS int LANGUAGE sql AS 'SELECT 1'"),
        ("create table tt (a int constraint positive check (a > 0))",
         "ALTER TABLE tt DROP CONSTRAINT positive, ADD CONSTRAINT positive CHECK (a > -5)"),
        ("create function f(n int) returns int language sql as 'select 1'",
         "DROP FUNCTION f(int); CREATE FUNCTION f(n int) RETURNS text LANGUAGE sql AS 'SELECT 1'"),
        ("create table old (a int)", "ALTER TABLE old RENAME TO older; CREATE TABLE old (a int)"),
    ],
    ids=["another overload", "a wider constraint", "a function of another result", "a table that makes room"],
)  # fmt: skip
def test_a_name_that_the_step_frees_itself_or_that_is_another_one_is_in_nobodys_way(
    database: Database, tmp_path: Path, there: str, deploy: str
) -> None:
    database.execute(there)

    assert Operator(database, make_rollout(tmp_path, deploy, revert="SELECT 1")).engine.run().ending == "done"


def test_a_later_step_replaces_what_an_earlier_one_made_also_after_a_stop_between_them(
    database: Database, tmp_path: Path
) -> None:
    make_rollout(tmp_path, MATCH, revert="DROP FUNCTION match(text)")
    steps = tmp_path / "steps"
    header, first = steps / "rollout.toml", steps / "1.toml"
    header.write_text(header.read_text().replace("steps = ['''1''']", "steps = ['1', '2']"))
    (steps / "2.toml").write_text(
        first.read_text()
        .replace("id = '''1'''", "id = '2'")
        .replace("deploy.sql", "again.sql")
        .replace("revert.sql", "no.sql")
    )
    (tmp_path / "sql" / "again.sql").write_text(MATCH.replace("SELECT 1", "SELECT 2"))
    (tmp_path / "sql" / "no.sql").write_text("SELECT 1")
    rollout = load_rollout(tmp_path)

    Operator(database, rollout).engine.run(last="1")

    assert Operator(database, rollout).engine.run().ending == "done"
    assert database.value("select n from match('x')") == 2


def test_a_step_that_is_there_in_part_and_makes_what_nobody_recorded_is_left_to_the_operator(
    database: Database, tmp_path: Path
) -> None:
    database.execute("create table tt (a int, state text)")
    rollout = make_rollout(tmp_path, f"{COLUMN};\n{VIEW};", revert="DROP VIEW vv; ALTER TABLE tt DROP COLUMN state")
    column = {"kind": "column", "table": "tt", "name": "state", "definition": "state text"}
    recorded(tmp_path, (COLUMN, [column]), (VIEW, []))
    rollout = load_rollout(tmp_path)
    before = database.snapshot()

    with pytest.raises(WizardError) as refused:
        Operator(database, rollout).engine.run()

    assert refused.value.exit_code == 7
    assert_same(before, database.snapshot())


def test_what_may_be_sent_again_is_sent_where_the_rest_is_there(database: Database, tmp_path: Path) -> None:
    comment = "COMMENT ON COLUMN tt.state IS 'of the thing'"
    database.execute("create table tt (a int, state text)")
    make_rollout(tmp_path, f"{COLUMN};\n{comment};", revert="ALTER TABLE tt DROP COLUMN state")
    column = {"kind": "column", "table": "tt", "name": "state", "definition": "state text"}
    recorded(tmp_path, (COLUMN, [column]), (comment, []))

    assert Operator(database, load_rollout(tmp_path)).engine.run().ending == "done"
    assert database.value("select col_description('tt'::regclass, 2)") == "of the thing"


def test_a_way_back_that_cannot_be_taken_apart_keeps_the_step_whole(database: Database, tmp_path: Path) -> None:
    database.execute("create table tt (id int primary key, state text); insert into tt select generate_series(1, 50)")
    make_rollout(tmp_path, "UPDATE tt SET state = 'new' WHERE state IS NULL", revert="UPDATE tt AS t SET state = NULL")
    step = tmp_path / "steps" / "1.toml"
    step.write_text(step.read_text().replace('sql = "deploy.sql"', 'sql = "deploy.sql"\nbatched_by = ["id"]'))
    operator = Operator(database, load_rollout(tmp_path), strategy="online")
    operator.engine.run()
    assert database.value("select count(*) from tt where state = 'new'") == 50

    assert operator.engine.rollback().ending == "done"

    assert database.value("select count(*) from tt where state is null") == 50
