"""What rows are written through finds its functions in schema `extensions`, as it does for the application.

Everything else is looked for in the chosen schema alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.test_archive import only_archive
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.filling import fill, filling, make_things
from tests.support.rag_rows import write_rows
from tests.support.starting import guide_statements, paste
from wizard.engine.events import Noticed
from wizard.export.log import LogHeader, export_log
from wizard.rollout.load import load_rollout

ADMIN = "supabase_admin"
FUNCTIONS = """
create schema if not exists extensions;
grant usage on schema extensions to postgres;
create function extensions.plain_text(text) returns text language sql immutable as 'select lower($1)';
set search_path = public, extensions;
create function name_is_plain(text) returns boolean language plpgsql immutable
as 'begin return plain_text($1) is not null; end';
alter table clones add constraint name_is_plain check (name_is_plain(name));
alter table knowledge add constraint title_is_plain check (name_is_plain(title));
"""
NOTICED = """
create function notice() returns trigger language plpgsql
as 'begin perform plain_text(old.domain_name); return old; end';
create trigger notice before delete on domains for each row execute function notice();
"""
UNMAPPED = "select count(*) from clones where rag_domain_mapping is null"


@pytest.fixture
def picky(database: Database) -> Database:
    """Its tables have checks whose function names what lies in `extensions` without its schema."""
    database.execute(FUNCTIONS, user=ADMIN)
    return database


@pytest.mark.parametrize("strategy", ["atomic", "online"])
def test_forward_and_back(picky: Database, strategy: str) -> None:
    operator = Operator(picky, strategy=strategy)

    assert operator.engine.run().ending == "done"
    assert picky.value(UNMAPPED) == 0
    assert operator.engine.rollback().ending == "done"


@pytest.mark.parametrize("strategy", ["atomic", "online"])
@pytest.mark.parametrize("registry", [True, False])
def test_the_script_for_psql(picky: Database, strategy: str, registry: bool) -> None:
    picky.psql(Operator(picky, strategy=strategy).engine.plan(registry=registry))

    assert picky.value(UNMAPPED) == 0


@pytest.mark.parametrize("strategy", ["atomic", "online"])
def test_the_exported_log(picky: Database, twin: Database, strategy: str) -> None:
    twin.execute(FUNCTIONS, user=ADMIN)
    operator = Operator(picky, strategy=strategy)
    operator.engine.run()

    twin.psql(export_log(operator.engine.statements(), "sql", LogHeader("acme", "here", "phase-1", "public")))

    assert twin.value(UNMAPPED) == 0


def test_a_restore(picky: Database, tmp_path: Path) -> None:
    operator = Operator(picky, archives=tmp_path)
    operator.engine.run()
    write_rows(picky)
    operator.engine.rollback()
    operator.engine.run()

    assert operator.engine.restore(only_archive(tmp_path)).ending == "done"


def test_default_rows_that_an_adopted_table_lacks(picky: Database, twin: Database) -> None:
    """A check of the application on a table that is there already, but for a row, its trigger and its RLS."""
    twin.execute(FUNCTIONS, user=ADMIN)
    for database in (picky, twin):
        paste(database, [text for text in guide_statements("1.1") if "TRIGGER" not in text])
        database.execute("alter table domains add constraint domain_is_plain check (name_is_plain(domain_name))")
        database.execute("delete from domains where domain_name = 'other'")
        database.execute(NOTICED)
    operator = Operator(picky)

    assert operator.engine.run().ending == "done"
    twin.psql(export_log(operator.engine.statements(), "sql", LogHeader("acme", "here", "phase-1", "public")))

    assert picky.value("select count(*) from domains") == 8
    assert twin.value("select count(*) from domains") == 8
    assert operator.engine.rollback().ending == "done"
    assert picky.value("select count(*) from domains") == 7


CALLING = "UPDATE things SET filled = plain(pad) WHERE filled IS NULL AND plain(pad) IS NOT NULL"
PLAIN = "create function {}.plain(text) returns text language sql immutable as 'select lower($1)'"
FILLED = "select count(*) from {}.things where filled = pad"


@pytest.mark.parametrize(("schema", "helpers"), [("public", "extensions"), ("app2", "public")])
def test_a_backfill_that_calls_one_in_its_condition_and_its_way_back(
    database: Database, tmp_path: Path, schema: str, helpers: str
) -> None:
    database.execute("create schema if not exists extensions; grant usage on schema extensions to postgres", user=ADMIN)
    database.execute(PLAIN.format(helpers), user=ADMIN)
    make_things(database)
    if schema != "public":
        database.execute(f"create schema {schema}; alter table things set schema {schema}")
    filling(tmp_path, fills="plain(pad)")
    (tmp_path / "sql" / "fill.sql").write_text(CALLING)
    operator = fill(database, load_rollout(tmp_path), schema=schema)

    assert operator.engine.run().ending == "done"

    assert database.value(FILLED.format(schema)) == 900
    assert not [one.text for one in operator.told(Noticed) if "could not be counted" in one.text]
    assert operator.engine.rollback().ending == "done"
    assert database.value(FILLED.format(schema)) == 0


def test_a_function_that_is_nowhere_is_a_failure_of_its_backfill(database: Database, tmp_path: Path) -> None:
    make_things(database)
    filling(tmp_path)
    (tmp_path / "sql" / "fill.sql").write_text(CALLING)
    operator = fill(database, load_rollout(tmp_path))

    outcome = operator.engine.run()

    assert outcome.failure is not None
    assert (outcome.failure.step, outcome.failure.sqlstate) == ("1", "42883")
    assert operator.states() == {"1": "failed"}
    database.execute(PLAIN.format("public"))
    assert operator.engine.run().ending == "done"
    assert database.value(FILLED.format("public")) == 900
