"""Adopting: what is there stays the owner's, what is missing is shown and made, and a rollback undoes only that."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg import sql

from tests.conftest import MakeDatabase
from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from tests.support.starting import guide_statements, paste
from wizard.engine.events import Event, LockWaited, PartStarted
from wizard.engine.state import StepState
from wizard.engine.views import StepView
from wizard.engine.words import object_lines
from wizard.errors import PrerequisiteError, RefusedError

VOLATILE = {"id", "created_at", "updated_at"}
PARTLY = """
    alter table clones add column rag_enabled boolean default false, add column rag_domain_mapping text;
    create table domains (id uuid primary key default gen_random_uuid(), domain_name text not null unique,
        expert_names text[] default '{}'::text[], created_at timestamptz default now(),
        updated_at timestamptz default now());
    insert into domains (domain_name, expert_names) values ('other', '{Ada}'), ('gardening', '{}')
"""
VALUES = (
    "update clones set rag_domain_mapping = 'gardening' where category = 'legal'",
    "update clones set rag_enabled = null where category = 'ai'",
)


@pytest.fixture
def partly(make_database: MakeDatabase) -> Database:
    """Two of five columns are there, with values, and one of six tables with two rows, one of them a default one."""
    database = make_database("no_shared_function")
    database.execute(PARTLY)
    for statement in VALUES:
        database.execute(f"set session_replication_role = replica; {statement}", user="supabase_admin")
    return database


def step_of(operator: Operator, step_id: str) -> StepView:
    return next(step for step in operator.engine.survey().steps if step.id == step_id)


def sent_for(step: StepView) -> list[str]:
    return [statement.sql for part in step.parts for statement in part.statements if not statement.ours]


def test_only_what_is_missing_is_shown_and_sent(partly: Database) -> None:
    operator = Operator(partly)

    shown = sent_for(step_of(operator, "2.1"))

    assert [text.partition(" ADD ")[2].partition(" ")[0] for text in shown if "ADD COLUMN" in text] == ["COLUMN"] * 3
    assert sum("ADD CONSTRAINT" in text for text in shown) == 1
    assert sum("CREATE INDEX" in text for text in shown) == 2
    assert len(shown) == 6
    first = sent_for(step_of(operator, "1.1"))
    assert not any("CREATE TABLE" in text for text in first)
    assert sum("INSERT INTO" in text for text in first) == 7
    partly.log_statements()
    assert operator.engine.run(last="2.1").ending == "done"
    sent = "\n".join(partly.logged())
    assert all(text in sent for text in (*first, *shown))
    assert "ADD COLUMN rag_enabled" not in sent


def test_a_rollback_leaves_what_was_there_and_nothing_else(partly: Database) -> None:
    before = partly.snapshot()
    operator = Operator(partly)

    assert operator.engine.run().ending == "done"
    assert partly.value("select count(*) from clones where rag_domain_mapping = 'gardening'")
    assert partly.value("select count(*) from clones where rag_enabled is null") == 0
    filled = "select count(*) from rag_wizard.filled where column_name = 'rag_domain_mapping'"
    assert partly.value(filled) == partly.value("select count(*) from clones where rag_domain_mapping <> 'gardening'")
    assert operator.engine.rollback().ending == "done"
    operator.engine.forget()

    assert_same(before, partly.snapshot())


def test_a_value_that_changed_after_it_was_filled_is_kept(partly: Database) -> None:
    operator = Operator(partly)
    operator.engine.run()
    chosen = partly.value("select id from clones where category = 'medical' limit 1")
    partly.execute(f"update clones set rag_domain_mapping = 'gardening' where id = '{chosen}'")

    operator.engine.rollback()

    kept = partly.value("select count(*) from clones where rag_domain_mapping = 'gardening'")
    assert kept == partly.value(f"select count(*) from clones where category = 'legal' or id = '{chosen}'")
    assert partly.value("select count(*) from clones where rag_domain_mapping is not null") == kept


def test_a_default_row_that_something_refers_to_stays(partly: Database) -> None:
    operator = Operator(partly)
    operator.engine.run(last="1.1")
    partly.execute(
        "create table tips (domain text references domains (domain_name) on delete cascade);"
        " insert into tips values ('finance-investment')"
    )

    operator.engine.rollback()

    assert partly.value("select string_agg(domain_name, ',' order by domain_name) from domains") == (
        "finance-investment,gardening,other"
    )
    assert partly.value("select count(*) from tips") == 1


@pytest.mark.slow
def test_the_plan_for_psql_makes_only_what_is_missing_and_is_rolled_back_alike(
    partly: Database, make_database: MakeDatabase
) -> None:
    twin = make_database("no_shared_function")
    twin.execute(PARTLY)
    for statement in VALUES:
        twin.execute(f"set session_replication_role = replica; {statement}", user="supabase_admin")
    before = partly.snapshot()
    Operator(twin).engine.run()

    partly.psql(Operator(partly).engine.plan())

    assert partly.dump() == twin.dump()
    assert partly.digest(VOLATILE, schemas=["public"]) == twin.digest(VOLATILE, schemas=["public"])
    operator = Operator(partly)
    assert operator.engine.verify().passed
    assert operator.engine.rollback().ending == "done"
    operator.engine.forget()
    assert_same(before, partly.snapshot())


def test_a_rollout_that_is_there_whole_is_adopted_and_stays(make_database: MakeDatabase) -> None:
    database = make_database("no_shared_function")
    operator = Operator(database)
    operator.engine.run()
    operator.engine.forget(keep_objects=True)
    before = database.snapshot()
    again = Operator(database)

    assert all("adopted" in step.parts[0].title for step in again.engine.survey().steps if step.id in {"1.1", "3", "4"})
    assert again.engine.run().ending == "done"

    adopted = {step for step, state in again.states().items() if state == StepState.ADOPTED.value}
    assert adopted == {"1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "2.1", "2.2", "3", "4"}
    origins = database.query("select distinct origin from rag_wizard.object")
    assert origins == [("adopted",)]
    again.engine.rollback()
    again.engine.forget()
    assert_same(before, database.snapshot())


def test_a_table_with_a_column_that_every_insert_must_name_is_a_conflict(make_database: MakeDatabase) -> None:
    database = make_database()
    paste(database, guide_statements("1.1"))
    database.execute("delete from domains; alter table domains add column tenant uuid not null")
    before = database.snapshot()

    with pytest.raises(RefusedError, match="table domains") as refused:
        Operator(database).engine.run()

    assert "tenant uuid NOT NULL" in refused.value.why
    assert_same(before, database.snapshot())


def test_a_column_of_its_own_that_needs_no_value_is_no_conflict(make_database: MakeDatabase) -> None:
    database = make_database()
    paste(database, guide_statements("1.1"))
    database.execute("alter table domains add column colour text")
    before = database.snapshot()
    operator = Operator(database)

    assert operator.engine.run().ending == "done"
    assert operator.engine.rollback().ending == "done"
    operator.engine.forget()
    assert_same(before, database.snapshot())


def test_a_step_keeps_what_it_found_when_it_is_rolled_back_by_another_session(partly: Database) -> None:
    """Between the two sessions nothing of what was adopted looks different from what was made."""
    before = partly.snapshot()
    Operator(partly).engine.run(last="2.1")

    revert = [statement.sql for statement in step_of(Operator(partly), "2.1").revert]
    assert not any('"rag_enabled"' in text and "DROP COLUMN" in text for text in revert)
    Operator(partly).engine.run()
    Operator(partly).engine.rollback(to="1.6")
    Operator(partly).engine.rollback()
    Operator(partly).engine.forget()

    assert_same(before, partly.snapshot())


def test_a_table_that_was_open_before_is_named_by_the_prerequisites_and_after_the_rollback(
    make_database: MakeDatabase,
) -> None:
    database = make_database("old_grants")
    paste(database, (*guide_statements("1.1"), *guide_statements("1.2")))

    before = database.snapshot()
    operator = Operator(database)

    found = {result.id: result for result in operator.engine.check()}["api-rights"]
    operator.engine.run(last="1.2")
    plan, outcome = operator.engine.rollback_plan(), operator.engine.rollback()

    assert found.level == "warn"
    assert "table experts is there already, without row level security" in found.found
    assert "ALTER TABLE public.experts ENABLE ROW LEVEL SECURITY;" in found.fix
    assert "removed: row level security of experts" in object_lines(plan.steps[0])
    assert outcome.sentence.startswith("ROLLED BACK to the start. ")
    assert "domains, experts are without row level security again, as before the run" in outcome.sentence
    closing = outcome.sentence.partition("To close for good: ")[2]
    operator.engine.forget()
    assert_same(before, database.snapshot())
    database.execute(closing)
    assert operator.engine.run().ending == "done"
    assert "row level security" not in operator.engine.rollback().sentence
    closed = "select bool_and(relrowsecurity) from pg_class where oid in ('domains'::regclass, 'experts'::regclass)"
    assert database.value(closed)


@pytest.mark.parametrize("policies", [False, True], ids=["none of step 4", "half of step 4"])
def test_rights_on_columns_that_were_there_before_outlive_what_step_4_granted(
    make_database: MakeDatabase, policies: bool
) -> None:
    database = make_database()
    paste(database, guide_statements())
    if not policies:
        for table, name in database.query("select tablename, policyname from pg_policies where schemaname = 'public'"):
            if table not in {"clones", "knowledge"}:
                database.execute(sql.SQL("drop policy {} on {}").format(sql.Identifier(name), sql.Identifier(table)))
    database.execute(
        "grant select (id, name), update (name) on experts to authenticated;"
        "grant select (name) on experts to anon, service_role;"
        "grant insert (domain_name), references (domain_name) on domains to authenticated with grant option;"
        "grant insert on domains to authenticated; grant select (domain_name) on domains to public"
    )
    before = database.snapshot()
    operator = Operator(database)

    assert operator.engine.run().ending == "done"
    assert database.value("select has_table_privilege('authenticated', 'experts', 'select, delete')")
    assert operator.engine.rollback().ending == "done"
    operator.engine.forget()

    assert_same(before, database.snapshot())


def test_a_further_policy_on_a_table_that_is_there_is_a_conflict(make_database: MakeDatabase) -> None:
    database = make_database()
    paste(database, guide_statements("1.1"))
    database.execute("create policy everybody on domains using (true)")
    before = database.snapshot()

    with pytest.raises(RefusedError, match='policy "everybody" on domains'):
        Operator(database).engine.run()

    assert_same(before, database.snapshot())


def test_a_table_of_another_owner_cannot_be_completed_and_stops_the_run(make_database: MakeDatabase) -> None:
    database = make_database()
    paste(database, guide_statements("1.1"))
    database.execute("alter table domains owner to supabase_admin", user="supabase_admin")
    before = database.snapshot()

    with pytest.raises(PrerequisiteError, match="owns the existing tables") as stopped:
        Operator(database).engine.run()

    assert "domains belongs to supabase_admin" in stopped.value.why
    assert_same(before, database.snapshot())


def test_a_default_row_that_was_edited_since_stays(partly: Database) -> None:
    operator = Operator(partly)
    operator.engine.run()
    partly.execute("update domains set expert_names = '{Ada}' where domain_name = 'legal-consulting'")

    assert operator.engine.rollback().ending == "done"

    assert partly.query("select domain_name, expert_names from domains order by 1") == [
        ("gardening", []),
        ("legal-consulting", ["Ada"]),
        ("other", ["Ada"]),
    ]


def test_a_default_row_that_somebody_begins_to_refer_to_during_the_rollback_stays(partly: Database) -> None:
    operator = Operator(partly)
    operator.engine.run(last="1.1")
    partly.execute("create table tips (domain text references domains (domain_name) on delete cascade)")
    with partly.connect(autocommit=False) as application:

        def write(event: Event) -> None:
            if isinstance(event, PartStarted) and event.direction == "revert":
                application.execute("insert into tips values ('legal-consulting')")
            if isinstance(event, LockWaited):
                application.commit()

        operator.listen(write)
        assert operator.engine.rollback().ending == "done"

    assert operator.told(LockWaited)
    assert partly.value("select count(*) from tips join domains on domain_name = domain") == 1


def test_a_value_in_a_column_that_somebody_added_is_archived(make_database: MakeDatabase, tmp_path: Path) -> None:
    database = make_database("no_shared_function")
    operator = Operator(database, archives=tmp_path)
    operator.engine.run()
    database.execute("alter table domains add column icon text")
    database.execute(
        "set session_replication_role = replica; update domains set icon = 'star' where domain_name = 'other'",
        user="supabase_admin",
    )

    operator.engine.rollback()

    assert any('"star"' in file.read_text() for file in tmp_path.rglob("*.jsonl"))
