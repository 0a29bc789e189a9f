"""Strategy online, interrupted at every kind of seam: it goes on behind what is committed; nothing is done twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.blocking import end_once_it_waits, end_the_wizard, eventually
from tests.support.database import SUPERUSER, Database, assert_same
from tests.support.engine import Operator
from wizard.engine.events import BackfillProgressed, ConnectionLost, Event, Noticed, PartStarted
from wizard.rollout.load import load_rollout

THINGS = Path(__file__).parent.parent / "rollouts" / "things"

FILLED = "select count(*) from clones where rag_domain_mapping is not null"
BATCHES = """
select count(*), coalesce(sum(b.rows), 0)::int from rag_wizard.batch as b join rag_wizard.part using (part_id)
where step = '6.2'"""


def _stop_after(operator: Operator, rows: int, direction: str = "deploy") -> None:
    def stop(event: Event) -> None:
        if not isinstance(event, BackfillProgressed) or (event.step, event.direction) != ("6.2", direction):
            return
        if event.rows >= rows:
            operator.engine.stop()

    operator.listen(stop)


def _online(database: Database, **settings: object) -> Operator:
    # The events of a fast backfill are told a few times a second: with a delay each batch is.
    return Operator(database, strategy="online", **{"batch_rows": 100, "batch_delay_s": 0.3, **settings})


def test_a_backfill_stopped_between_two_batches_goes_on_behind_the_last_one(
    make_database: Callable[..., Database],
) -> None:
    database = make_database(rows=1000)
    operator = _online(database)
    _stop_after(operator, 100)

    assert operator.engine.run().ending == "stopped"

    done = database.value(FILLED)
    assert 0 < done < 1000
    assert operator.states()["6.2"] == "partly"
    assert "6.2 has 1 of 2 parts" in operator.engine.survey().sentence
    again = Operator(database)
    assert again.engine.run().ending == "done"
    assert database.value(FILLED) == 1000
    assert database.query(BATCHES)[0][1] == 1000
    assert database.value("select rows from rag_wizard.part where step = '6.2' and mode = 'batches'") == 1000


def test_what_is_filled_after_a_pause_or_for_newcomers_is_null_again_after_a_rollback(
    make_database: Callable[..., Database],
) -> None:
    database = make_database(rows=1000)
    database.execute("alter table clones add column rag_domain_mapping text")
    operator = _online(database)
    _stop_after(operator, 100)
    assert operator.engine.run().ending == "stopped"
    assert Operator(database).engine.run().ending == "done"
    database.execute("insert into clones (creator_id, name, category) values ('new', 'new', 'medical')")
    assert Operator(database).engine.run(first="6.2", last="6.2").ending == "done"
    assert database.value(FILLED) == 1001

    assert Operator(database).engine.rollback().ending == "done"

    assert database.value(FILLED) == 0


def test_a_backfill_done_in_part_is_rolled_back_to_the_start(make_database: Callable[..., Database]) -> None:
    database = make_database(rows=1000)
    before = database.snapshot()
    operator = _online(database)
    _stop_after(operator, 100)
    operator.engine.run()

    assert Operator(database).engine.rollback("6.1").ending == "done"
    assert database.value(FILLED) == 0
    assert Operator(database).engine.rollback().ending == "done"
    Operator(database).engine.forget()
    assert_same(before, database.snapshot())


@pytest.mark.slow
def test_a_rollback_stopped_between_two_batches_goes_on_or_forward(make_database: Callable[..., Database]) -> None:
    database = make_database(rows=1000)
    operator = _online(database, batch_delay_s=0.0)
    operator.engine.run()
    backward = _online(database)
    _stop_after(backward, 100, "revert")

    assert backward.engine.rollback("6.1").ending == "stopped"

    left = database.value(FILLED)
    assert 0 < left < 1000
    assert backward.states()["6.2"] == "partly"
    assert Operator(database).engine.run().ending == "done"
    assert database.value(FILLED) == 1000
    assert Operator(database).engine.rollback("6.1").ending == "done"
    assert database.value(FILLED) == 0


def test_a_lost_connection_in_mid_backfill_is_resumed_and_every_row_is_changed_once(
    make_database: Callable[..., Database],
) -> None:
    database = make_database(rows=1000)
    operator = _online(database)
    lost: list[int] = []

    def cut(event: Event) -> None:
        if isinstance(event, BackfillProgressed) and event.step == "6.2" and event.rows >= 200 and not lost:
            lost.append(event.rows)
            end_the_wizard(database)

    operator.listen(cut)

    assert operator.engine.run().ending == "done"

    assert lost
    assert database.query(BATCHES)[0][1] == 1000
    assert any("committed" in notice.text and "batches" in notice.text for notice in operator.told(Noticed))


def test_an_index_that_was_built_though_nobody_saw_it_end_is_taken_for_ours(database: Database) -> None:
    before = database.snapshot()
    operator = _online(database)

    def hold_the_checkpoint(event: Event) -> None:
        built = isinstance(event, PartStarted) and event.title == "idx_clones_rag_status"
        if built and not operator.told(ConnectionLost):
            end_once_it_waits(database, "select from rag_wizard.part where state = 'intent' for update")

    operator.listen(hold_the_checkpoint)
    assert operator.engine.run().ending == "done"

    assert len(operator.told(ConnectionLost)) == 1
    made = database.query("select origin from rag_wizard.object where name = 'idx_clones_rag_status'")
    assert {row[0] for row in made} == {"made"}
    built = [one for one in operator.engine.statements() if "CONCURRENTLY idx_clones_rag_status" in one.sql]
    assert [one.outcome for one in built] == ["committed"]
    assert Operator(database).engine.rollback().ending == "done"
    Operator(database).engine.forget()
    assert_same(before, database.snapshot())


def test_an_index_that_somebody_else_made_meanwhile_is_adopted_and_stays(
    make_database: Callable[..., Database],
) -> None:
    database = make_database("things")
    rollout = load_rollout(THINGS)
    operator = Operator(database, rollout, strategy="online")

    def a_colleague_is_faster(event: Event) -> None:
        if isinstance(event, PartStarted) and event.title == "idx_things_n":
            database.execute("create index idx_things_n on things (n)")

    operator.listen(a_colleague_is_faster)
    outcome = operator.engine.run()
    assert outcome.failure is not None
    assert outcome.failure.sqlstate == "42P07"
    theirs = "select to_regclass('idx_things_n')::oid::int"
    made = database.value(theirs)

    again = Operator(database, rollout)
    assert again.engine.run().ending == "done"

    assert "adopted: everything is there already" in [event.title for event in again.told(PartStarted)]
    origins = "select distinct origin from rag_wizard.object join rag_wizard.part using (part_id) where state = 'done'"
    assert database.query(f"{origins} and name = 'idx_things_n'") == [("adopted",)]
    assert Operator(database, rollout).engine.rollback().ending == "done"
    assert database.value(theirs) == made


def test_an_invalid_index_is_built_anew(database: Database, twin: Database) -> None:
    Operator(twin).engine.run()
    Operator(database, strategy="online").engine.run(last="1.6")
    database.execute("alter table clones add column rag_enabled boolean default false")
    database.execute("create index idx_clones_rag_enabled on clones (rag_enabled)")
    database.execute(
        "update pg_index set indisvalid = false where indexrelid = 'idx_clones_rag_enabled'::regclass", user=SUPERUSER
    )

    outcome = Operator(database, strategy="online").engine.run()

    assert outcome.ending == "done"
    assert database.value("select indisvalid from pg_index where indexrelid = 'idx_clones_rag_enabled'::regclass")
    assert database.dump(rooms=False) == twin.dump(rooms=False)


def test_an_index_that_somebody_else_is_building_is_not_touched(database: Database) -> None:
    Operator(database, strategy="online").engine.run(last="1.6")
    database.execute("alter table clones add column rag_enabled boolean default false")
    with database.connect() as old, database.connect() as builder:
        old.execute("begin isolation level repeatable read; select 1")
        building = threading.Thread(
            target=lambda: builder.execute("create index concurrently idx_clones_rag_enabled on clones (rag_enabled)")
        )
        building.start()
        there = "select count(*) from pg_class where relname = 'idx_clones_rag_enabled'"
        eventually(lambda: database.value(there), "the other builds")
        conflicts = [one for step in Operator(database).engine.survey().steps for one in step.conflicts]
        old.execute("rollback")
        building.join()

    assert [one.words for one in conflicts] == ["index idx_clones_rag_enabled on clones"]
    assert "being built by pid" in conflicts[0].found
    assert Operator(database, strategy="online").engine.run().ending == "done"


@pytest.mark.slow
def test_rows_that_come_meanwhile_are_filled_or_told_and_it_ends(make_database: Callable[..., Database]) -> None:
    database = make_database(rows=1000)
    operator = _online(database)
    insert = (
        "insert into clones (id, creator_id, name, category)"
        " select gen_random_uuid(), creator_id, name, category from clones limit 1"
    )
    came: list[str] = []

    def application(event: Event) -> None:
        if isinstance(event, BackfillProgressed) and event.step == "6.2":
            database.execute(insert)
            came.append(event.phase)

    operator.listen(application)

    assert operator.engine.run().ending == "done"

    assert came
    unmapped = database.value("select count(*) from clones where rag_domain_mapping is null")
    assert unmapped < len(came)
    told = [notice.text for notice in operator.told(Noticed) if "run --from 6.2 --to 6.2" in notice.text]
    assert bool(told) == bool(unmapped)
    assert Operator(database).engine.run(first="6.2", last="6.2").ending == "done"
    assert database.value("select count(*) from clones where rag_domain_mapping is null") == 0
