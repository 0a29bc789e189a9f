"""Strategy online: the same end as atomic, reached by moves that do not block, and exactly undone."""

from __future__ import annotations

import pytest

from tests.conftest import MakeDatabase
from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from wizard.engine.events import BackfillProgressed, PartStarted

VOLATILE = {"id", "created_at", "updated_at"}
PARTS = {
    "2.1": ["add 5 columns", "check, NOT VALID", "validate check", "idx_clones_rag_status", "idx_clones_rag_enabled"],
    "2.2": [
        "add 4 columns", "foreign key, NOT VALID", "check, NOT VALID", "validate foreign key", "validate check",
        "idx_knowledge_rag_status",
    ],
    "6.2": ["1 statement, one transaction", "fill clones.rag_domain_mapping in batches"],
}  # fmt: skip


def test_online_ends_like_atomic_and_rolls_back_to_exactly_the_start(database: Database, twin: Database) -> None:
    before = database.snapshot()
    Operator(twin, strategy="atomic").engine.run()
    operator = Operator(database, strategy="online", batch_rows=10)

    outcome = operator.engine.run()

    assert outcome.ending == "done"
    assert database.dump_with_every_room() == twin.dump_with_every_room()
    assert database.digest(VOLATILE, schemas=["public"]) == twin.digest(VOLATILE, schemas=["public"])
    started = operator.told(PartStarted)
    assert {step: [e.title for e in started if e.step == step] for step in PARTS} == PARTS
    assert [e.rows for e in operator.told(BackfillProgressed) if e.step == "6.2"][-1] == 40
    assert operator.engine.rollback().ending == "done"
    operator.engine.forget()
    assert_same(before, database.snapshot())


def test_what_is_small_or_new_stays_atomic_and_the_reason_is_said(database: Database) -> None:
    survey = Operator(database).engine.survey()

    told = {step.id: step.strategy for step in survey.steps if step.parts}
    assert told["2.1"] == "atomic: clones is small"
    assert told["3"] == "atomic: its tables are new"


def test_a_large_table_is_changed_online_and_the_reason_is_said(make_database: MakeDatabase) -> None:
    database = make_database(rows=12_000)
    database.execute("analyze clones")

    survey = Operator(database).engine.survey()

    told = {step.id: step.strategy for step in survey.steps if step.parts}
    assert told["2.1"] == "online: clones has ~12,000 rows"
    assert told["6.2"] == "online: clones has ~12,000 rows"


def test_a_step_goes_on_with_the_strategy_that_it_began_with(database: Database) -> None:
    Operator(database, strategy="online").engine.run(last="2.1")

    survey = Operator(database).engine.survey()

    told = {step.id: step.strategy for step in survey.steps if step.parts}
    assert told["2.1"] == "online: as it began"


@pytest.mark.slow
def test_psql_runs_the_online_plan_to_the_same_end_and_the_wizard_rolls_it_back(
    database: Database, twin: Database
) -> None:
    before = database.snapshot()
    Operator(twin, strategy="atomic").engine.run()
    operator = Operator(database, strategy="online")

    database.psql(operator.engine.plan())

    assert database.dump_with_every_room() == twin.dump_with_every_room()
    assert database.digest(VOLATILE, schemas=["public"]) == twin.digest(VOLATILE, schemas=["public"])
    assert operator.engine.verify().passed
    assert Operator(database).engine.rollback().ending == "done"
    Operator(database).engine.forget()
    assert_same(before, database.snapshot())


def test_the_online_plan_without_registry_ends_alike(database: Database, twin: Database) -> None:
    database.psql(Operator(database, strategy="online").engine.plan(registry=False))
    operator = Operator(twin)
    operator.engine.run()
    operator.engine.forget(keep_objects=True)

    assert database.dump() == twin.dump()
    assert database.digest(VOLATILE, schemas=["public"]) == twin.digest(VOLATILE, schemas=["public"])


def test_the_online_plan_for_another_schema_leaves_tables_of_the_same_names_alone(make_database: MakeDatabase) -> None:
    database = make_database("other_schema")
    database.execute(
        'drop table public.clones; create table public.clones (like "Clone ""AI""".clones);'
        'alter table public.clones add rag_domain_mapping text; insert into public.clones table "Clone ""AI""".clones'
    )
    operator = Operator(database, strategy="online", schema='Clone "AI"')

    database.psql(operator.engine.plan())

    assert operator.engine.verify().passed
    assert database.value("select count(*) from public.clones where rag_domain_mapping is null") == 40


def test_columns_that_were_there_before_are_null_again_where_they_were(make_database: MakeDatabase) -> None:
    database = make_database("unset_columns_before")
    before = database.snapshot()
    operator = Operator(database, strategy="online", batch_rows=10)
    assert operator.engine.run().ending == "done"

    assert operator.engine.rollback().ending == "done"

    operator.engine.forget()
    assert_same(before, database.snapshot())


@pytest.mark.slow
@pytest.mark.parametrize("step", ["1.6", "2.1", "2.2", "6.1"])
def test_back_to_a_step_and_forward_again_ends_alike(database: Database, twin: Database, step: str) -> None:
    Operator(twin).engine.run()
    Operator(database, strategy="online", batch_rows=100).engine.run()

    Operator(database).engine.rollback(step)
    Operator(database, strategy="online", batch_rows=100).engine.run()

    assert database.dump_with_every_room() == twin.dump_with_every_room()
    assert database.digest(VOLATILE, schemas=["public"]) == twin.digest(VOLATILE, schemas=["public"])
