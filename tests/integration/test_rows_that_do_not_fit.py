"""Rows that a step would fail on are found before anything is changed, and named with their number and the fix."""

from __future__ import annotations

import pytest

from tests.conftest import MakeDatabase
from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from tests.support.starting import guide_statements, paste
from wizard.errors import PrerequisiteError

WEIRD = (
    "alter table clones add column rag_initialization_status text default 'pending'",
    "update clones set rag_initialization_status = 'weird' where id in (select id from clones order by id limit 3)",
)
ORPHANS = (
    "alter table knowledge add column rag_document_id uuid",
    "update knowledge set rag_document_id = gen_random_uuid()"
    " where id in (select id from knowledge order by id limit 2)",
)


def refused(database: Database) -> PrerequisiteError:
    """How a run ends, with nothing changed."""
    before = database.snapshot()
    operator = Operator(database)
    assert operator.engine.dry_run().exit_code == 3
    with pytest.raises(PrerequisiteError) as stopped:
        operator.engine.run()
    assert_same(before, database.snapshot())
    return stopped.value


def test_rows_that_violate_a_check_to_come_stop_the_run(database: Database) -> None:
    paste(database, WEIRD)

    stopped = refused(database)

    assert "3 rows of clones do not fit constraint clones_rag_initialization_status_check" in stopped.why
    assert stopped.fix is not None
    listing = stopped.fix.partition(": ")[2]
    assert len(database.query(listing)) == 3
    database.execute("update clones set rag_initialization_status = 'error' where rag_initialization_status = 'weird'")
    assert Operator(database).engine.run().ending == "done"


@pytest.mark.parametrize("pasted", [False, True], ids=["parents to come", "parents there"])
def test_orphans_of_a_foreign_key_to_come_stop_the_run(database: Database, pasted: bool) -> None:
    if pasted:
        paste(database, (*guide_statements("1.1"), *guide_statements("1.3")))
        database.execute("insert into rag_documents (name, document_link, domain) values ('a', 'b', 'other')")
    paste(database, ORPHANS)
    if pasted:
        database.execute(
            "update knowledge set rag_document_id = (select id from rag_documents)"
            " where id = (select id from knowledge order by id limit 1)"
        )

    stopped = refused(database)

    number = "1 row of knowledge does" if pasted else "2 rows of knowledge do"
    assert f"{number} not fit constraint knowledge_rag_document_id_fkey on knowledge" in stopped.why
    assert stopped.fix is not None
    assert len(database.query(stopped.fix.partition(": ")[2])) == (1 if pasted else 2)


def test_what_cannot_be_read_is_a_warning_with_the_query(database: Database, readonly_user: str) -> None:
    paste(database, WEIRD[:1])

    (result,) = [one for one in Operator(database, user=readonly_user).engine.check() if one.id == "rows-fit"]

    assert result.level == "warn"
    assert "cannot tell whether every row fits constraint clones_rag_initialization_status_check" in result.found
    assert "row-level security policy" in result.found
    assert "IS FALSE;" in result.fix


def test_rows_that_fit_pass_and_a_clean_database_is_not_asked(make_database: MakeDatabase, database: Database) -> None:
    assert "rows-fit" not in {one.id for one in Operator(database).engine.check()}
    before = make_database()
    paste(before, (*WEIRD[:1], "update clones set rag_initialization_status = null", *ORPHANS[:1]))
    levels = {one.id: one.level for one in Operator(before).engine.check()}
    assert levels["rows-fit"] == "pass"


@pytest.mark.parametrize(
    "rival",
    [
        "map_clone_category_to_domain(category text, version int default 1)",
        pytest.param("map_clone_category_to_domain(category varchar)", marks=pytest.mark.slow),
    ],
)
def test_a_function_that_would_take_the_calls_of_the_backfill_stops_the_run(
    make_database: MakeDatabase, rival: str
) -> None:
    database = make_database()
    if "varchar" in rival:
        database.execute("drop view clone_catalog; alter table clones alter column category type varchar(40)")
    database.execute(f"create function {rival} returns text language sql as $$ select 'other' $$")

    stopped = refused(database)

    assert "function map_clone_category_to_domain(" in stopped.why
    assert stopped.fix is not None
    database.execute(stopped.fix.partition(": ")[2])
    assert Operator(database).engine.run().ending == "done"


def test_an_overload_for_another_type_is_nobodys_rival(database: Database) -> None:
    database.execute(
        "create function map_clone_category_to_domain(number int) returns text language sql as $$ select 'a' $$;"
        "create function map_clone_category_to_domain(a text, b int) returns text language sql as $$ select 'b' $$"
    )

    assert Operator(database).engine.run().ending == "done"
