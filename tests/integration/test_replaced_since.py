"""A rollback drops what the rollout made, and nothing that somebody put in its place: that is told before."""

from __future__ import annotations

import pytest

from tests.conftest import MakeDatabase
from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from tests.support.series import sampled
from wizard.console.report import rollback_lines
from wizard.errors import RefusedError
from wizard.ui.screens.rollback import Rollback

FUNCTION = "create or replace function {} returns {} language plpgsql as $$ begin {} end $$"
REPLACED = {
    "index idx_clones_rag_status on clones": "drop index idx_clones_rag_status;"
    " create index idx_clones_rag_status on clones (name)",
    "index idx_experts_domain on experts": "drop index idx_experts_domain;"
    " create view idx_experts_domain as select 1 as one",
    "function map_clone_category_to_domain(text)": FUNCTION.format(
        "map_clone_category_to_domain(category text)", "text", "return lower(category);"
    ),
    "function update_updated_at_column()": FUNCTION.format("update_updated_at_column()", "trigger", "return null;"),
    'policy "Users can read their own experts" on experts': 'alter policy "Users can read their own experts" on experts'
    " using (auth.uid() is not null)",
    "trigger update_experts_updated_at on experts": "drop trigger update_experts_updated_at on experts; create trigger"
    " update_experts_updated_at after update on experts for each row execute function update_updated_at_column()",
    "constraint clones_rag_initialization_status_check on clones": "alter table clones"
    " drop constraint clones_rag_initialization_status_check,"
    " add constraint clones_rag_initialization_status_check check (rag_initialization_status <> '')",
    "constraint assistants_status_check on assistants": "alter table assistants"
    " drop constraint assistants_status_check, add constraint assistants_status_check check (status <> '')",
    "column clones.rag_config": "alter table clones alter column rag_config drop default,"
    " alter column rag_config type text",
    "column vector_stores.vector_id": "alter table vector_stores alter column vector_id type varchar(100)",
    "table clone_rag_mapping": "drop table clone_rag_mapping; create table clone_rag_mapping (clone text, note text)",
    "table assistants": "drop table assistants cascade; create view assistants as select 1 as id",
}
"""What is told, and what somebody did."""


@pytest.fixture
def rolled_out(make_database: MakeDatabase) -> Database:
    """A finished rollout, the shared function made by it."""
    database = make_database("no_shared_function")
    assert Operator(database).engine.run().ending == "done"
    return database


@pytest.mark.parametrize("words", sampled(list(REPLACED), 5))
def test_what_somebody_put_in_the_place_of_ours_stops_the_rollback(rolled_out: Database, words: str) -> None:
    rolled_out.execute(REPLACED[words])
    before = rolled_out.snapshot()
    operator = Operator(rolled_out)

    plan = operator.engine.rollback_plan()
    with pytest.raises(RefusedError) as refused:
        operator.engine.rollback(discard_data=True)

    told = next(one for one in plan.replaced_since if one.words == words)
    assert plan.refused
    assert told.found
    assert told.expected
    assert told.found != told.expected
    assert words in refused.value.what
    assert refused.value.exit_code == 7
    assert all(line in refused.value.why for line in (told.found.splitlines()[-1], told.expected.splitlines()[-1]))
    assert_same(before, rolled_out.snapshot())


def test_all_that_differs_is_told_at_once_and_what_is_kept_is_not(rolled_out: Database) -> None:
    kept = {"column vector_stores.vector_id", "constraint assistants_status_check on assistants"}
    wanted = {words for words in REPLACED if not words.startswith("table ")}
    for words in wanted:
        rolled_out.execute(REPLACED[words])

    engine = Operator(rolled_out).engine

    plan = engine.rollback_plan()
    assert {one.words for one in plan.replaced_since} == wanted
    console = "\n".join(rollback_lines(plan, "acme", statements=False))
    screen = Rollback((plan,), "acme", "rag-wizard", production=False, width=104)._content().plain
    assert "Not as this rollout made it" in console
    assert "Not as this rollout made it: it does not begin" in screen
    assert all(words in console and words in screen for words in wanted)
    # Step 2.1 and what came before stay.
    later = {one.words for one in engine.rollback_plan("2.1").replaced_since}
    assert not later & kept
    assert later == {
        "index idx_experts_domain on experts",
        "function map_clone_category_to_domain(text)",
        'policy "Users can read their own experts" on experts',
    }


def test_once_it_is_out_of_the_way_the_rollback_leaves_it_alone(rolled_out: Database) -> None:
    rolled_out.execute(REPLACED["index idx_clones_rag_status on clones"])
    operator = Operator(rolled_out)
    with pytest.raises(RefusedError):
        operator.engine.rollback()

    rolled_out.execute("alter index idx_clones_rag_status rename to clones_by_name")

    assert operator.engine.rollback().ending == "done"
    assert rolled_out.value("select pg_get_indexdef('clones_by_name'::regclass)").endswith("(name)")


def test_what_is_still_ours_does_not_stop_the_rollback(make_database: MakeDatabase) -> None:
    database = make_database("no_shared_function")
    before = database.snapshot()
    operator = Operator(database)
    operator.engine.run()
    database.execute(
        "alter table experts add column colour text, disable trigger update_experts_updated_at,"
        " alter column context set default '', alter column domain drop not null;"
        "alter table domains disable row level security; grant select on domains to anon;"
        "alter table rag_documents drop column content_preview;"
        "alter table knowledge drop column rag_error_message; drop index idx_assistants_clone_id;"
        "alter table clones drop constraint clones_rag_initialization_status_check;"
        "alter table clones add constraint clones_rag_initialization_status_check check (rag_initialization_status in"
        " ('pending', 'initializing', 'ready', 'error', 'disabled')) not valid"
    )
    # As a DROP INDEX CONCURRENTLY that was cut off leaves it.
    database.execute(
        "update pg_index set indisvalid = false where indexrelid = 'idx_clones_rag_enabled'::regclass",
        user="supabase_admin",
    )

    assert operator.engine.rollback_plan().replaced_since == ()
    assert operator.engine.rollback(discard_data=True).ending == "done"
    operator.engine.forget()
    assert_same(before, database.snapshot())


def test_settings_and_other_names_of_the_applications_columns_make_it_no_other_object(rolled_out: Database) -> None:
    rolled_out.execute(
        "alter function map_clone_category_to_domain(text) immutable set search_path = '';"
        "alter function update_updated_at_column() set search_path = '' set lock_timeout = '1s';"
        "alter index idx_clones_rag_status set (fillfactor = 70);"
        "alter table knowledge alter constraint knowledge_rag_document_id_fkey deferrable initially deferred;"
        "alter table clones rename column creator_id to owner"
    )

    assert Operator(rolled_out).engine.rollback_plan().replaced_since == ()
    assert Operator(rolled_out).engine.rollback(discard_data=True).ending == "done"


def test_a_policy_that_somebody_edited_after_a_rename_is_told(rolled_out: Database) -> None:
    rolled_out.execute(
        "alter table clones rename column creator_id to owner;"
        'alter policy "Users can read their own experts" on experts using (true)'
    )

    (told,) = Operator(rolled_out).engine.rollback_plan().replaced_since

    assert told.words == 'policy "Users can read their own experts" on experts'


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["creator_id_varchar", "partitioned_clones"])
def test_definitions_that_depend_on_the_applications_columns_are_still_ours(
    make_database: MakeDatabase, variant: str
) -> None:
    operator = Operator(make_database(variant))
    operator.engine.run()

    assert operator.engine.rollback_plan().replaced_since == ()


@pytest.mark.slow
def test_a_rollback_to_a_step_and_forward_again_can_still_be_rolled_back(rolled_out: Database) -> None:
    operator = Operator(rolled_out)
    operator.engine.rollback(to="1.6")
    operator.engine.run()

    assert operator.engine.rollback_plan().replaced_since == ()
    assert operator.engine.rollback().ending == "done"


@pytest.mark.slow
def test_a_function_that_we_made_and_somebody_edited_in_a_schema_with_quotes_is_compared_there(
    make_database: MakeDatabase,
) -> None:
    database = make_database("other_schema")
    operator = Operator(database, schema='Clone "AI"')
    operator.engine.run()

    assert operator.engine.rollback_plan().replaced_since == ()
    name = '"Clone ""AI""".map_clone_category_to_domain(category text)'
    database.execute(FUNCTION.format(name, "text", "return lower(category);"))

    (told,) = operator.engine.rollback_plan().replaced_since
    assert "lower" in told.found
    assert "lower" not in told.expected
