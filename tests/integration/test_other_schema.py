"""A name that only another schema has is a stop: nothing there is read, changed or dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.filling import filling, make_things
from wizard.rollout.load import load_rollout
from wizard.rollout.model import Rollout

UNTOUCHED = "select count(*) from things where filled = 'x'"
STRATEGIES = pytest.mark.parametrize("strategy", ["atomic", "online"])


@pytest.fixture
def rollout(database: Database, tmp_path: Path) -> Rollout:
    """It fills a column of `things`, which is in public; the rollout is for schema app2."""
    make_things(database)
    database.execute("create schema app2")
    return filling(tmp_path)


def at_app2(database: Database, rollout: Rollout, strategy: str = "atomic") -> Operator:
    return Operator(database, rollout, schema="app2", strategy=strategy)


@STRATEGIES
def test_a_table_of_another_schema_is_not_written(database: Database, rollout: Rollout, strategy: str) -> None:
    outcome = at_app2(database, rollout, strategy).engine.run()

    assert outcome.failure is not None
    assert outcome.failure.message == "schema app2 has no table things"
    assert database.value(UNTOUCHED) == 0
    database.execute("create table app2.things (like things including all)")
    database.execute("insert into app2.things select * from things")
    assert at_app2(database, rollout, strategy).engine.run().ending == "done"
    assert database.value("select count(*) from app2.things where filled = 'x'") == 900
    assert database.value(UNTOUCHED) == 0


@STRATEGIES
@pytest.mark.parametrize("registry", [True, False])
def test_nor_by_the_script(database: Database, rollout: Rollout, strategy: str, registry: bool) -> None:
    done = database.psql(at_app2(database, rollout, strategy).engine.plan(registry=registry), check=False)

    assert "schema app2 has no table things" in done.stderr
    assert database.value(UNTOUCHED) == 0


@STRATEGIES
def test_nor_read(database: Database, rollout: Rollout, tmp_path: Path, strategy: str) -> None:
    database.execute("create table app2.things (like things including all)")
    database.execute("create table public.labels as select 1 as n, 'x' as label")
    text = "UPDATE things SET filled = (SELECT label FROM labels WHERE labels.n = 1) WHERE filled IS NULL"
    (tmp_path / "sql" / "fill.sql").write_text(text)

    outcome = at_app2(database, load_rollout(tmp_path), strategy).engine.run()

    assert outcome.failure is not None
    assert outcome.failure.message == "schema app2 has no table labels"


def test_what_is_dropped_beside_rows_that_are_written_is_the_schemas_own(
    database: Database, rollout: Rollout, tmp_path: Path
) -> None:
    database.execute("create table app2.things (like things including all)")
    database.execute("create function public.old() returns int language sql return 1")
    with (tmp_path / "sql" / "fill.sql").open("a") as file:
        file.write(";\nDROP FUNCTION IF EXISTS old();\nUPDATE things SET n = 0 WHERE n IS NULL")

    assert at_app2(database, load_rollout(tmp_path)).engine.run().ending == "done"

    assert database.value("select to_regproc('public.old') is not null")


def test_the_way_back_writes_to_no_other_schema(database: Database, rollout: Rollout, tmp_path: Path) -> None:
    """Somebody dropped the table by hand."""
    database.execute("create table app2.things (like things including all)")
    (tmp_path / "sql" / "empty.sql").write_text("UPDATE things SET filled = NULL WHERE filled = 'own'")
    step = tmp_path / "steps" / "1.toml"
    text = step.read_text().partition("fills = ")[0]
    step.write_text(text + '\n[[revert]]\nsql = "empty.sql"\n')
    operator = at_app2(database, load_rollout(tmp_path))
    assert operator.engine.run().ending == "done"
    database.execute("drop table app2.things")

    outcome = operator.engine.rollback()

    assert outcome.failure is not None
    assert outcome.failure.message == "schema app2 has no table things"
    assert database.value("select count(*) from things where filled = 'own'") == 100


def test_a_temporary_table_is_meant_unless_another_schemas_is_found_first(
    database: Database, rollout: Rollout, tmp_path: Path
) -> None:
    database.execute("create table app2.things (like things including all)")
    database.execute("insert into app2.things select * from things")
    text = "CREATE TEMP TABLE labels ON COMMIT DROP AS SELECT 'x' AS label;\n"
    text += "UPDATE things SET filled = (SELECT label FROM labels) WHERE filled IS NULL;\n"
    (tmp_path / "sql" / "fill.sql").write_text(text)
    step = tmp_path / "steps" / "1.toml"
    step.write_text(step.read_text().split("batched_by")[0])
    database.execute("create table public.labels as select 'y' as label")

    outcome = at_app2(database, load_rollout(tmp_path)).engine.run()

    assert outcome.failure is not None
    assert outcome.failure.message == "schema app2 has no table labels"
    database.execute("drop table public.labels")
    assert at_app2(database, load_rollout(tmp_path)).engine.run().ending == "done"
    assert database.value("select count(*) from app2.things where filled = 'x'") == 900
