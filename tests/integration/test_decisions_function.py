"""The decision about the shared function: kept only if it works on the new tables, replaced and put back."""

from __future__ import annotations

import pytest

from tests.conftest import MakeDatabase
from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from tests.support.rollout_sql import deploy, facts_of
from tests.support.series import sampled
from wizard.engine.events import Noticed
from wizard.engine.words import object_lines
from wizard.errors import ExitCode, PrerequisiteError

ADMIN = "supabase_admin"
REPLACE = {"shared_function": "replace"}
NOTE = "insert into audit.note values (tg_table_name); perform pg_notify('notes', tg_table_name);"
NOTES = (
    "create schema audit authorization postgres; create table audit.note (table_name text);"
    " alter table audit.note owner to postgres"
)
AS_IT_IS = """
    select pg_get_functiondef(p.oid), pg_get_userbyid(p.proowner), p.proacl::text, p.proconfig::text,
           obj_description(p.oid, 'pg_proc'), p.oid
    from pg_proc as p where p.proname = 'update_updated_at_column'
"""


def with_body(make_database: MakeDatabase, body: str) -> Database:
    """A database whose shared function has this body, and a table in another schema that it may write to."""
    database = make_database()
    database.execute(
        f"{NOTES}; set role postgres; create or replace function public.update_updated_at_column() returns trigger"
        f" language plpgsql as $$ begin {body} end $$",
        user=ADMIN,
    )
    return database


def test_a_function_that_works_is_kept_and_its_trial_leaves_no_trace(make_database: MakeDatabase) -> None:
    database = with_body(make_database, f"{NOTE} new.updated_at = clock_timestamp(); return new;")
    kept = database.query(AS_IT_IS)
    with database.connect() as listening:
        listening.execute("listen notes")
        operator = Operator(database)
        assert operator.engine.run(last="1.1").ending == "done"
        assert any("$trial$" in entry.sql for entry in operator.engine.statements())
        assert list(listening.notifies(timeout=0)) == []

    assert database.value("select count(*) from audit.note") == 0
    assert database.value("select count(*) from domains where updated_at <> created_at or expert_names <> '{}'") == 0
    assert database.query(AS_IT_IS) == kept
    database.execute("update domains set expert_names = '{Ada}' where domain_name = 'other'")
    assert database.query("select * from audit.note") == [("domains",)]


def test_a_function_that_needs_the_applications_schemas_is_tried_as_the_application_calls_it(
    make_database: MakeDatabase,
) -> None:
    """The engine's own search_path is the target schema alone; the API's has extensions too."""
    database = with_body(make_database, "new.updated_at = wall_clock(); return new;")
    database.execute(
        "create function extensions.wall_clock() returns timestamptz language sql as 'select clock_timestamp()'",
        user=ADMIN,
    )

    assert Operator(database).engine.run(last="1.2").ending == "done"


@pytest.mark.parametrize(
    ("body", "words"),
    sampled(
        [
            # A text that asks for the table's name may spare the new tables its columns: reading it cannot tell.
            ("if tg_table_name <> '' then new.version = 1; end if; return new;", 'record "new" has no field "version"'),
            ("new.updated_at = now(); return null;", "it lost the update without a word"),
            (
                "new.expert_names = old.expert_names /* tg_table_name */; return new;",
                "it lost the update without a word",
            ),
            ("raise exception 'undo' using hint = 'updated_at'; return new;", "undo"),
            ("assert false, 'never updated_at'; return new;", "never updated_at"),
        ]
    ),
)
def test_a_kept_function_that_does_not_work_fails_step_1_1_and_leaves_nothing_behind(
    make_database: MakeDatabase, body: str, words: str
) -> None:
    database = with_body(make_database, f"{NOTE} {body}")
    before = database.snapshot()
    operator = Operator(database)

    outcome = operator.engine.run()

    assert outcome.ending == "failed"
    failure = operator.engine.survey().failure
    assert failure is not None
    assert failure.step == "1.1"
    assert "does not work on the new tables" in failure.message
    assert words in failure.message
    assert "--decide shared_function=replace" in failure.hint
    assert database.value("select to_regclass('public.domains')::text") is None
    assert operator.engine.rollback().ending == "done"
    operator.engine.forget()
    assert_same(before, database.snapshot())


def test_a_lock_that_the_function_waits_for_is_no_verdict_about_it(make_database: MakeDatabase) -> None:
    """It is what the engine retries, and says so."""
    database = with_body(make_database, f"{NOTE} new.updated_at = now(); return new;")
    with database.connect(autocommit=False) as blocker:
        blocker.execute("lock table audit.note in access exclusive mode")
        operator = Operator(database, lock_timeout_ms=50, lock_patience_s=0.2)
        with pytest.raises(Exception, match="lock") as stopped:
            operator.engine.run(last="1.1")
        assert "does not work" not in str(stopped.value)
    assert Operator(database).engine.run(last="1.1").ending == "done"


def test_kept_with_columns_that_the_new_tables_lack_it_stops_before_anything_changes(
    make_database: MakeDatabase,
) -> None:
    database = make_database("hostile_shared_function")
    before = database.snapshot()

    assert Operator(database).engine.dry_run().exit_code == ExitCode.PREREQUISITES
    with pytest.raises(PrerequisiteError, match="names no column that the new tables lack") as stopped:
        Operator(database).engine.run()
    assert "do not have: version" in stopped.value.why
    assert "--decide shared_function=replace" in stopped.value.fix
    assert_same(before, database.snapshot())


def test_only_its_owner_is_let_replace_it(make_database: MakeDatabase) -> None:
    database = make_database("other_shared_function")
    database.execute("alter function public.update_updated_at_column() owner to supabase_admin", user=ADMIN)
    before = database.snapshot()

    assert Operator(database, decisions=REPLACE).engine.dry_run().exit_code == ExitCode.PREREQUISITES
    with pytest.raises(PrerequisiteError, match="ours to replace") as stopped:
        Operator(database, decisions=REPLACE).engine.run()
    assert "belongs to supabase_admin; this session is postgres" in stopped.value.why
    assert "--decide shared_function=keep" in stopped.value.fix
    assert_same(before, database.snapshot())
    assert Operator(database).engine.run(last="1.2").ending == "done"


@pytest.mark.parametrize("variant", ["other_shared_function", "hostile_shared_function"])
def test_replaced_it_has_the_guides_body_and_no_trial_is_made(make_database: MakeDatabase, variant: str) -> None:
    database = make_database(variant)

    facts = facts_of(database, answers=REPLACE)
    deploy(database, facts)

    assert "NEW.updated_at = NOW();" in database.value(AS_IT_IS)
    database.execute("update clones set bio = 'x'; update domains set expert_names = '{}'")


@pytest.mark.parametrize("variant", ["other_shared_function", "hostile_shared_function"])
def test_replaced_it_is_put_back_as_it_was_by_rolling_back(make_database: MakeDatabase, variant: str) -> None:
    database = make_database(variant)
    database.execute(
        "set search_path = public; revoke execute on function update_updated_at_column() from public;"
        " grant execute on function update_updated_at_column() to authenticated with grant option;"
        " comment on function update_updated_at_column() is 'ours: see \"wiki\"';"
        " alter function update_updated_at_column() set work_mem = '8MB' cost 7"
    )
    before, there = database.snapshot(), database.query(AS_IT_IS)
    operator = Operator(database, decisions=REPLACE)

    assert operator.engine.dry_run().exit_code == ExitCode.DONE
    assert operator.engine.run().ending == "done"
    assert database.query(AS_IT_IS) != there
    assert database.value("select decisions ->> 'shared_function' from rag_wizard.rollout") == "replace"
    assert operator.engine.rollback().ending == "done"
    assert database.query(AS_IT_IS) == there
    operator.engine.forget()
    assert_same(before, database.snapshot())


def test_a_rollout_that_failed_in_the_trial_can_begin_again_with_the_function_replaced(
    make_database: MakeDatabase,
) -> None:
    database = with_body(make_database, "if tg_table_name <> '' then new.version = 1; end if; return new;")
    before = database.snapshot()
    operator = Operator(database)
    assert operator.engine.run().ending == "failed"
    assert operator.engine.rollback().ending == "done"

    again = Operator(database, decisions=REPLACE)

    assert again.engine.run(last="1.2").ending == "done"
    assert again.engine.rollback().ending == "done"
    again.engine.forget()
    assert_same(before, database.snapshot())


@pytest.mark.parametrize(
    ("done", "since", "words"),
    [
        (
            "create or replace function update_updated_at_column() returns trigger language plpgsql"
            " as $$ begin new.updated_at = 'it''s \\ now'; return new; end $$",
            "edited",
            "stays as it is now, edited since the run: function update_updated_at_column()",
        ),
        ("", "", "is put back as it was: function update_updated_at_column()"),
    ],
    ids=["edited", "untouched"],
)
def test_a_replaced_function_that_somebody_edited_since_stays_and_the_plan_says_so(
    make_database: MakeDatabase, done: str, since: str, words: str
) -> None:
    database = make_database("other_shared_function")
    operator = Operator(database, decisions=REPLACE)
    operator.engine.run(last="1.1")
    if done:
        database.execute(done)
    body = "select prosrc from pg_proc where proname = 'update_updated_at_column'"
    left = database.value(body)

    plan = operator.engine.rollback_plan()
    assert operator.engine.rollback().ending == "done"

    (step,) = plan.steps
    assert [one.since for one in step.objects if one.kind == "function"] == [since]
    assert words in object_lines(step)
    assert [event.text.partition("; ")[0] for event in operator.told(Noticed)] == ([words] if done else [])
    assert (database.value(body) == left) == bool(done)
