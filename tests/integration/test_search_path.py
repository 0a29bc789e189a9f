"""What rows are written through finds its functions in schema `extensions`, as it does for the application.

Everything else is looked for in the chosen schema alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.test_archive import only_archive
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.rag_rows import write_rows
from tests.support.starting import guide_statements, paste
from wizard.export.log import LogHeader, export_log

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
