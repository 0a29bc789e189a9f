"""Rolling back: exactly to the start, step by step, never over rows that nobody saved."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import MakeDatabase
from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from tests.support.filling import fill, filling, make_things
from tests.support.series import sampled
from wizard.engine.events import BackfillProgressed, Event, StepFinished
from wizard.engine.parts.undone import ARCHIVE_ID, HORIZON
from wizard.errors import RefusedError, UsageError
from wizard.rollout.load import load_rollout

TINY = Path(__file__).parent.parent / "rollouts" / "tiny"
STEPS = ("1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "2.1", "2.2", "3", "4", "6.1", "6.2")


@pytest.mark.parametrize("variants", [(), ("old_grants",)])
def test_run_roll_back_and_forget_leave_schema_and_rows_as_they_were(
    make_database: MakeDatabase, variants: tuple[str, ...]
) -> None:
    database = make_database(*variants)
    before = database.snapshot()
    operator = Operator(database)

    operator.engine.run()
    outcome = operator.engine.rollback()
    operator.engine.forget()

    assert outcome.sentence.startswith("ROLLED BACK to the start. Schema rag_wizard remains")
    assert_same(before, database.snapshot())


IDS = re.compile(rf"{ARCHIVE_ID}|{HORIZON}|[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}|:ROW_COUNT")
"""What differs between a text that is shown and one that is sent."""


@pytest.mark.parametrize("discard", [False, True])
def test_the_preview_of_a_rollback_is_what_the_server_receives(
    database: Database, tmp_path: Path, discard: bool
) -> None:
    operator = Operator(database, archives=tmp_path)
    operator.engine.run()
    database.execute("insert into domains (domain_name) values ('made by the application')")
    plan = operator.engine.rollback_plan(discard_data=discard)
    shown = [statement.sql for step in plan.steps for statement in step.statements]
    database.log_statements()

    operator.engine.rollback(discard_data=discard)

    sent = "\n".join(database.logged())
    position = 0
    for sql in shown:
        for piece in IDS.split(sql):
            position = sent.find(piece, position)
            assert position >= 0, f"shown, but not sent in this order: {sql}"
    assert any(sql == "BEGIN" for sql in shown)
    assert any("SET state = 'done'" in sql for sql in shown)
    assert any('LOCK TABLE "public"."domains" IN ACCESS EXCLUSIVE MODE' in sql for sql in shown) is not discard
    assert any("INSERT INTO rag_wizard.late_row" in sql for sql in shown) is not discard


def test_the_page_of_a_step_shows_what_a_rollback_sends_for_it(database: Database, tmp_path: Path) -> None:
    operator = Operator(database, archives=tmp_path)
    before = {step.id: step.revert for step in operator.engine.survey().steps}
    operator.engine.run(last="2.1")
    after = {step.id: step.revert for step in operator.engine.survey().steps}

    for step in operator.engine.rollback_plan().steps:
        sent = [IDS.sub("", one.sql) for one in step.statements]
        assert [IDS.sub("", one.sql) for one in after[step.id]] == sent
        assert [one.ours for one in before[step.id]] == [one.ours for one in step.statements]


def test_steps_are_undone_newest_first(database: Database) -> None:
    operator = Operator(database)
    operator.engine.run()
    operator.events.clear()

    operator.engine.rollback()

    assert [event.step for event in operator.told(StepFinished)] == ["V", *reversed(STEPS)]


@pytest.mark.parametrize("step", sampled(STEPS[:-1], 2))
def test_rolling_back_to_a_step_and_forward_again_ends_the_same(database: Database, step: str) -> None:
    operator = Operator(database)
    operator.engine.run()
    volatile = {"id", "created_at", "updated_at"}
    before = database.digest(volatile, schemas=["public"])
    schema = operator.engine.verify()

    operator.engine.rollback(to=step)
    states = operator.states()
    assert all(states[other] == "done" for other in STEPS[: STEPS.index(step) + 1])
    assert all(states[other] == "rolled_back" for other in STEPS[STEPS.index(step) + 1 :])
    operator.engine.run()

    assert database.digest(volatile, schemas=["public"]) == before
    assert operator.engine.verify() == schema


def test_rolling_back_to_a_step_that_is_not_done_is_a_usage_error(database: Database) -> None:
    operator = Operator(database)
    operator.engine.run(last="1.2")

    with pytest.raises(UsageError, match="not done"):
        operator.engine.rollback(to="2.1")
    with pytest.raises(UsageError, match='no step "9"'):
        operator.engine.rollback(to="9")


def test_with_nothing_rolled_out_nothing_is_changed(database: Database) -> None:
    before = database.snapshot()

    outcome = Operator(database).engine.rollback()

    assert (outcome.ending, outcome.changed) == ("done", False)
    assert_same(before, database.snapshot())


@pytest.mark.parametrize(
    ("written", "lost"),
    [
        ("insert into domains (domain_name) values ('astrology')", "domains"),
        ("update domains set expert_names = '{Ada}' where domain_name = 'other'", "domains"),
        ("insert into experts (name, domain, context) values ('Ada', 'other', '')", "experts"),
        ("insert into rag_documents (name, document_link, domain) values ('a', 'b', 'other')", "rag_documents"),
        ("insert into vector_stores (vector_id, domain_name) values ('v', 'other')", "vector_stores"),
        ("insert into assistants (assistant_id, domain_name, expert_name) values ('a', 'other', 'Ada')", "assistants"),
        (
            "insert into clone_rag_mapping (clone_id, expert_name, domain_name)"
            " select id, 'Ada', 'other' from clones limit 1",
            "clone_rag_mapping",
        ),
        ("update clones set rag_expert_name = 'Ada' where id = (select id from clones limit 1)", "clones"),
        ("update clones set rag_domain_mapping = 'mine' where id = (select id from clones limit 1)", "clones"),
        ("update knowledge set openai_file_id = 'f' where id = (select id from knowledge limit 1)", "knowledge"),
    ],
)
def test_rows_go_only_after_they_were_archived(database: Database, tmp_path: Path, written: str, lost: str) -> None:
    operator = Operator(database)
    operator.engine.run()
    database.execute(written)
    before = database.snapshot()

    plan = operator.engine.rollback_plan()
    with pytest.raises(UsageError, match="no folder for the rows that would be lost"):
        operator.engine.rollback()

    assert [(loss.table, loss.rows) for loss in plan.losses] == [(lost, 1)]
    assert_same(before, database.snapshot())
    assert operator.engine.rollback(archive=tmp_path / "archive").ending == "done"
    (file,) = (tmp_path / "archive").glob("*.jsonl")
    assert file.name.endswith(f"-{lost}.jsonl")
    assert len(file.read_text().splitlines()) == 1


def test_discarding_rows_takes_a_word_of_its_own(database: Database) -> None:
    before = database.snapshot()
    operator = Operator(database)
    operator.engine.run()
    database.execute("insert into experts (name, domain, context) values ('Ada', 'other', '')")

    assert operator.engine.rollback(discard_data=True).ending == "done"

    operator.engine.forget()
    assert_same(before, database.snapshot())


def test_objects_of_others_that_depend_on_ours_stop_the_rollback_and_survive(database: Database) -> None:
    operator = Operator(database)
    operator.engine.run()
    database.execute("create view reports as select name from rag_documents")

    before = database.snapshot()

    with pytest.raises(RefusedError, match="one object that this rollout did not make depends on") as refused:
        operator.engine.rollback()

    assert "DROP VIEW public.reports;" in refused.value.why
    assert [one.name for one in operator.engine.rollback_plan().dependents] == ["public.reports"]
    assert_same(before, database.snapshot())
    assert database.value("select count(*) from reports") == 0
    database.execute("drop view reports")
    assert operator.engine.rollback().ending == "done"


def test_rolling_back_uses_what_was_recorded_and_not_todays_files(database: Database) -> None:
    before = database.snapshot()
    operator = Operator(database)
    operator.engine.run()
    later = Operator(database)
    rollout = later.engine.rollout
    rollout._steps = tuple(step.model_copy(update={"revert": ()}) for step in rollout.steps)

    later.engine.rollback()

    later.engine.forget()
    assert_same(before, database.snapshot())


def test_forget_is_refused_while_anything_is_rolled_out(database: Database) -> None:
    operator = Operator(database)
    operator.engine.run(last="1.1")
    before = database.snapshot()

    with pytest.raises(RefusedError, match="still rolled out: phase-1 in schema public"):
        operator.engine.forget()

    assert_same(before, database.snapshot())
    operator.engine.forget(keep_objects=True)
    assert database.value("select to_regnamespace('rag_wizard')::text") is None
    assert database.value("select count(*) from domains") == 8


def test_forget_is_refused_while_only_some_batches_of_a_backfill_stand(database: Database, tmp_path: Path) -> None:
    make_things(database)
    rollout = filling(tmp_path)
    filled = "select count(*) from things where filled = 'x'"

    def stop(event: Event) -> None:
        if isinstance(event, BackfillProgressed) and event.rows:
            operator.engine.stop()

    def count() -> int:
        return int(database.value(filled))

    operator = fill(database, rollout, batch_delay_s=0.3)
    operator.listen(stop)
    assert operator.engine.run().ending == "stopped"
    done = count()
    assert 0 < done < 900

    with pytest.raises(RefusedError, match="still rolled out: fill in schema public"):
        Operator(database, rollout).engine.forget()

    assert count() == done
    assert Operator(database, rollout).engine.rollback().ending == "done"
    assert count() == 0
    Operator(database, rollout).engine.forget()


def test_forget_names_the_command_that_rolls_each_rollout_back(database: Database) -> None:
    database.execute('create schema app; create schema "My App"')
    Operator(database).engine.run(last="1.1")
    Operator(database, load_rollout(TINY), schema="My App").engine.run()
    command = "rag-wizard --dsn service=acme --schema app --decide grants=skip"

    with pytest.raises(RefusedError) as refused:
        Operator(database, schema="app", command=command).engine.forget()

    assert refused.value.fix is not None
    assert refused.value.fix.splitlines() == [
        "Roll back first:",
        "rag-wizard --dsn service=acme rollback",
        "rag-wizard --dsn service=acme --schema 'My App' --rollout DIR rollback   (DIR: the folder of rollout tiny)",
        f"Or keep what was made: {command} forget --keep-objects",
    ]
    tiny = f"rag-wizard --rollout {TINY}"
    with pytest.raises(RefusedError) as refused:
        Operator(database, load_rollout(TINY), command=tiny).engine.forget()
    assert refused.value.fix is not None
    assert refused.value.fix.splitlines()[1:3] == [
        "rag-wizard rollback",
        f"rag-wizard --schema 'My App' --rollout {TINY} rollback",
    ]


def test_a_new_rollout_can_begin_after_the_old_one_was_rolled_back(database: Database) -> None:
    operator = Operator(database)
    operator.engine.run()
    operator.engine.rollback()

    assert operator.engine.run().sentence.startswith("FINISHED and verified")
    assert Operator(database).engine.rollback().ending == "done"


def test_a_sitting_whose_rollout_a_colleague_rolled_back_begins_a_new_one(database: Database) -> None:
    operator = Operator(database)
    operator.engine.run(last="1.1")
    Operator(database).engine.rollback()

    assert operator.engine.run(last="1.2").ending == "done"

    Operator(database).engine.rollback()
    Operator(database).engine.run(last="1.1")
    Operator(database).engine.rollback()
    assert operator.engine.run(last="1.1").ending == "done"
    assert database.value("select count(distinct rollout_id) from rag_wizard.rollout") == 4
