"""What rows are written through finds its functions in schema `extensions`, as it does for the application."""

from __future__ import annotations

import pytest

from tests.support.database import Database
from tests.support.engine import Operator
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
