"""DROP INDEX CONCURRENTLY of a rollback that did not come to its end: going on, forward or back, asks the catalog."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from tests.support.blocking import eventually, holding
from tests.support.database import SUPERUSER, Database, assert_same
from tests.support.engine import Operator
from wizard.engine.events import Event, PartStarted
from wizard.engine.views import Outcome

INDEX = "idx_clones_rag_status"
VALID = f"select indisvalid from pg_index where indexrelid = to_regclass('{INDEX}')"
OID = f"select to_regclass('{INDEX}')::oid::int"
WAITS = (
    "select count(*) from pg_stat_activity where application_name like 'rag-wizard 0%' and wait_event_type = 'Lock'"
    " and query like '% INDEX CONCURRENTLY%' and datname = current_database()"
)
LEFT = {
    # As the server leaves it when the statement ends while it waits for writers of the table.
    "invalid": "",
    # It was through, and only the checkpoint is missing.
    "gone": f"drop index {INDEX}",
    # It was cancelled before it began.
    "whole": f"update pg_index set indisvalid = true where indexrelid = '{INDEX}'::regclass",
}


def roll_back_half(database: Database) -> Operator:
    """The rollback of 2.1, cancelled while it drops the index."""
    operator = Operator(database)
    assert interrupted(database, operator, f"undo: {INDEX}", operator.engine.cancel).ending == "stopped"
    assert database.value(VALID) is False
    return operator


def interrupted(database: Database, operator: Operator, title: str, end: Callable[[], object]) -> Outcome:
    """Rolls back to 1.6, or runs, and calls `end` while the part `title` waits for a writer of the table."""
    backward = title.startswith("undo")

    def watch() -> None:
        try:
            eventually(lambda: database.value(WAITS, user=SUPERUSER), "it waits for the writer")
            end()
        finally:
            writer.rollback()

    def hear(event: Event) -> None:
        if isinstance(event, PartStarted) and event.title == title:
            writer.execute("lock table clones in row exclusive mode")
            watching.start()

    watching = threading.Thread(target=watch)
    operator.listen(hear)
    with holding(database) as writer:
        outcome = operator.engine.rollback("1.6") if backward else operator.engine.run()
        watching.join()  # before the writer's connection is closed, which it still uses
    return outcome


def run_online(database: Database, **settings: object) -> None:
    assert Operator(database, strategy="online", **settings).engine.run().ending == "done"


@pytest.mark.parametrize("left", LEFT)
def test_a_run_repairs_what_is_left_and_a_rollback_still_ends_at_the_start(
    database: Database, twin: Database, left: str
) -> None:
    before = database.snapshot()
    run_online(database)
    run_online(twin)
    roll_back_half(database)
    if LEFT[left]:
        database.execute(LEFT[left], user=SUPERUSER)
    was = database.value(OID)

    survey = Operator(database).engine.survey()
    assert {step.id: step.state.value for step in survey.steps}["2.1"] == "partly"
    assert "2.1 has " in survey.sentence
    part = next(one for step in survey.steps if step.id == "2.1" for one in step.parts if INDEX in one.title)
    assert part.state.value == "partly"
    outcome = Operator(database).engine.run()

    assert outcome.sentence.startswith("FINISHED and verified")
    assert database.value(VALID) is True
    assert (database.value(OID) == was) == (left == "whole")
    assert database.dump(rooms=False) == twin.dump(rooms=False)
    assert Operator(database).engine.run().changed is False
    made = "select distinct origin from rag_wizard.object where name = %s"
    assert database.query(made, [INDEX]) == [("made",)]
    assert Operator(database).engine.rollback().ending == "done"
    Operator(database).engine.forget()
    assert_same(before, database.snapshot())


@pytest.mark.parametrize("left", LEFT)
def test_rolling_back_again_goes_on(database: Database, left: str) -> None:
    before = database.snapshot()
    run_online(database)
    roll_back_half(database)
    if LEFT[left]:
        database.execute(LEFT[left], user=SUPERUSER)

    assert Operator(database).engine.rollback().ending == "done"

    Operator(database).engine.forget()
    assert_same(before, database.snapshot())


def test_what_a_run_could_not_repair_either_is_rolled_back_once(database: Database) -> None:
    before = database.snapshot()
    run_online(database)
    roll_back_half(database)
    operator = Operator(database)
    assert interrupted(database, operator, INDEX, operator.engine.cancel).ending == "stopped"
    plan = Operator(database).engine.rollback_plan()

    drops = [one.sql for step in plan.steps for one in step.statements if INDEX in one.sql and not one.ours]
    assert len(drops) == 1
    assert Operator(database).engine.rollback().ending == "done"
    Operator(database).engine.forget()
    assert_same(before, database.snapshot())


def test_a_drop_that_fails_is_not_said_to_have_left_all_there(database: Database) -> None:
    run_online(database)
    by_somebody = WAITS.replace("count(*)", "pg_cancel_backend(pid)")

    outcome = interrupted(
        database, Operator(database), f"undo: {INDEX}", lambda: database.value(by_somebody, user=SUPERUSER)
    )

    assert outcome.ending == "failed"
    assert "whole" not in outcome.sentence
    assert "an index may be left invalid, which rolling back drops and running builds anew" in outcome.sentence
    assert Operator(database).engine.run().sentence.startswith("FINISHED and verified")
    assert database.value(VALID) is True
