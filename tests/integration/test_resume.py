"""Interrupted rollouts: any operator, any machine, any order; one operator at a time."""

from __future__ import annotations

import threading
from dataclasses import replace

import psycopg
import pytest

from tests.support.blocking import end_once_it_waits, end_the_wizard, eventually
from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from tests.support.series import sampled
from wizard.engine.events import ConnectionLost, Event, LockWaited, Noticed, PartCommitted, PartStarted, Reconnected
from wizard.engine.session.exclusive import lock_key
from wizard.errors import (
    ConnectionUnsuitableError,
    ExitCode,
    LockNotObtainedError,
    OtherOperatorError,
    RefusedError,
    UsageError,
)
from wizard.rollout.model import Step
from wizard.rollout.render import RenderedStep, Renderer

STEPS = ("1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "2.1", "2.2", "3", "4", "6.1", "6.2")


def test_stopping_after_every_part_and_resuming_elsewhere_ends_the_same(database: Database, twin: Database) -> None:
    Operator(twin).engine.run()
    for number in range(len(STEPS)):
        operator = Operator(database, operator=f"operator-{number}@elsewhere")

        def stop(event: Event, operator: Operator = operator) -> None:
            if isinstance(event, PartCommitted):
                operator.engine.stop()

        operator.listen(stop)
        outcome = operator.engine.run()
        if outcome.ending == "done":
            break
        assert outcome.ending == "stopped"
        assert [step for step, state in Operator(database).states().items() if state == "done"] == list(
            STEPS[: number + 1]
        )
    assert Operator(database).engine.run().ending == "done"
    assert database.dump() == twin.dump()


@pytest.mark.parametrize("step", sampled(STEPS))
def test_a_backend_that_dies_inside_a_part_is_replaced_and_the_truth_asked_for(database: Database, step: str) -> None:
    operator = Operator(database)
    killed: list[str] = []

    def die_once(event: Event) -> None:
        if isinstance(event, PartStarted) and event.step == step and not killed:
            killed.append(step)
            end_once_it_waits(database, "lock table rag_wizard.statement in share mode")

    operator.listen(die_once)
    outcome = operator.engine.run()

    assert outcome.ending == "done"
    assert killed == [step]
    assert len(operator.told(ConnectionLost)) == len(operator.told(Reconnected)) == 1
    assert "left nothing behind" in operator.told(Noticed)[0].text
    assert len(operator.told(PartCommitted)) == len(STEPS)
    told = [entry for entry in operator.engine.statements() if entry.outcome == "rolled back"]
    assert [(entry.step, entry.error) for entry in told] == [
        (step, "the session ended inside this part; it left nothing behind")
    ]


def test_a_connection_that_never_lasts_is_given_up_with_the_state_named(database: Database) -> None:
    operator = Operator(database)

    def die(event: Event) -> None:
        if isinstance(event, PartStarted) and event.step == "1.2":
            end_the_wizard(database)

    operator.listen(die)
    with pytest.raises(ConnectionUnsuitableError, match="lost 4 times in a row") as given_up:
        operator.engine.run()

    assert "Steps 0 to 1.1 are committed" in given_up.value.why
    assert Operator(database).engine.run().ending == "done"


def test_a_part_whose_transaction_is_alive_is_left_alone(database: Database) -> None:
    operator = Operator(database)
    operator.engine.run(last="1.1")
    with database.connect(autocommit=False) as alive:
        alive.execute(
            "insert into rag_wizard.part"
            " (part_id, rollout_id, session_id, step, part, direction, title, digest, strategy, mode, state)"
            " select gen_random_uuid(), rollout_id, session_id, '1.2', 1, 'deploy', '', '', 'atomic', 'transaction',"
            " 'intent'"
            " from rag_wizard.session"
        )
        alive.commit()
        alive.execute("update rag_wizard.part set state = 'done' where state = 'intent'")

        with pytest.raises(OtherOperatorError, match=r"transaction of step 1\.2 .* is still alive"):
            Operator(database).engine.run()
        alive.rollback()

    again = Operator(database)
    assert again.engine.run().ending == "done"
    assert "left nothing behind" in again.told(Noticed)[0].text


def test_the_second_operator_is_told_who_is_at_work(database: Database) -> None:
    Operator(database).engine.run(last="1.1")
    before = database.snapshot()
    with psycopg.connect(database.conninfo(), autocommit=True, application_name="rag-wizard") as first:
        first.execute("select pg_advisory_lock(%s, %s)", lock_key("public"))

        with pytest.raises(OtherOperatorError, match=rf"postgres from 127.0.0.1, pid {first.info.backend_pid}"):
            Operator(database).engine.run()
        assert Operator(database).engine.survey().sentence.startswith("ANOTHER OPERATOR is at work on acme-test")

    assert_same(before, database.snapshot())


def test_a_blocked_table_is_waited_for_and_given_up_within_the_bound(database: Database) -> None:
    operator = Operator(database, lock_timeout_ms=50, lock_patience_s=1.0)
    with database.connect(autocommit=False) as blocker:
        blocker.execute("lock table clones in access share mode")

        with pytest.raises(LockNotObtainedError, match=r"step 2\.1"):
            operator.engine.run()

    tries = operator.told(LockWaited)
    assert len(tries) >= 2
    assert {event.sqlstate for event in tries} == {"55P03"}
    assert operator.states()["2.1"] == "failed"
    assert Operator(database).engine.run().ending == "done"


def test_a_lock_that_becomes_free_in_time_is_no_failure(database: Database) -> None:
    blocker = database.connect(autocommit=False)
    blocker.execute("lock table clones in access share mode")
    operator = Operator(database, lock_timeout_ms=50)

    def release(event: Event) -> None:
        if isinstance(event, LockWaited):
            blocker.rollback()
            blocker.close()

    operator.listen(release)
    assert operator.engine.run().ending == "done"


def test_cancelling_a_running_statement_stops_without_a_failure(database: Database) -> None:
    blocker = database.connect(autocommit=False)
    blocker.execute("lock table clones in access share mode")
    operator = Operator(database, lock_timeout_ms=60_000)
    canceller: list[threading.Thread] = []

    def cancel_once_it_waits() -> None:
        waits = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and application_name like 'rag-wizard%'"
        with database.connect("supabase_admin") as watcher:
            eventually(lambda: watcher.execute(waits.encode()).fetchone(), "it waits for the lock")
        operator.engine.cancel()

    def start(event: Event) -> None:
        if isinstance(event, PartStarted) and event.step == "2.1" and not canceller:
            canceller.append(threading.Thread(target=cancel_once_it_waits))
            canceller[0].start()

    operator.listen(start)
    outcome = operator.engine.run()
    canceller[0].join()
    blocker.close()

    assert outcome.ending == "stopped"
    assert operator.states()["2.1"] == "todo"
    assert operator.engine.run().ending == "done"


def test_pause_waits_after_the_part_until_it_goes_on(database: Database) -> None:
    operator = Operator(database)
    seen: list[dict[str, str]] = []

    def look_and_go_on() -> None:
        try:
            eventually(lambda: operator.engine.resting, "it rests")
            seen.append(operator.states())
        finally:
            operator.engine.go_on()

    looking = threading.Thread(target=look_and_go_on)

    def pause(event: Event) -> None:
        if isinstance(event, PartCommitted) and event.step == "1.2" and not looking.ident:
            operator.engine.pause()
            looking.start()

    operator.listen(pause)

    assert operator.engine.run().ending == "done"
    looking.join()
    assert (seen[0]["1.2"], seen[0]["1.3"]) == ("done", "todo")


def test_an_option_that_contradicts_the_record_is_refused_with_both_values(database: Database) -> None:
    Operator(database).engine.run(last="1.1")

    with pytest.raises(RefusedError, match=r'answered "grant" .* not "skip"'):
        Operator(database, decisions={"grants": "skip"}).engine.run()


@pytest.mark.parametrize(
    ("decisions", "words"), [({"nonsense": "x"}, "no decision"), ({"grants": "maybe"}, "no answer to decision")]
)
def test_unknown_decisions_are_usage_errors(database: Database, decisions: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Operator(database, decisions=decisions).engine.run()


def test_facts_are_recorded_once_and_used_by_every_later_session(database: Database) -> None:
    """The shared function exists after 1.1 made it; a later session still knows that it was absent."""
    database.execute("drop function update_updated_at_column() cascade")
    operator = Operator(database)
    assert operator.engine.survey().facts["shared_function_body"] == "absent"
    operator.engine.run(last="1.1")

    later = Operator(database)

    assert later.engine.survey().facts["shared_function_body"] == "absent"
    later.engine.run()
    later.engine.rollback()
    assert database.value("select to_regproc('update_updated_at_column')::text") is None


def test_a_begun_step_whose_sql_was_edited_is_refused_and_rolling_back_works(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step of one part is never half done, so a later version is given two parts for it."""
    before = database.snapshot()
    Operator(database).engine.run(last="1.1")
    render = Renderer._render

    def edited(self: Renderer, step: Step) -> RenderedStep:
        rendered = render(self, step)
        return replace(rendered, parts=rendered.parts * 2, digest="edited") if step.id == "1.1" else rendered

    monkeypatch.setattr(Renderer, "_render", edited)
    later = Operator(database)
    assert later.states()["1.1"] == "partly"

    words = r"step 1\.1 was begun by version 0\.1\.0 from other SQL"
    with pytest.raises(RefusedError, match=words):
        later.engine.run()
    with pytest.raises(RefusedError, match=words):
        later.engine.plan()
    foreseen = later.engine.dry_run()
    assert foreseen.exit_code == ExitCode.REFUSED
    assert "from other SQL" in foreseen.refused

    assert later.engine.rollback().ending == "done"
    later.engine.forget()
    assert_same(before, database.snapshot())
