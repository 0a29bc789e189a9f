"""Several passes of one backfill: each has its own operator, time, transaction, rows and progress."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.blocking import end_the_wizard
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.filling import fill, filling, make_things
from wizard.engine.events import (
    BackfillProgressed,
    ConnectionLost,
    Event,
    Noticed,
    PartCommitted,
    PartStarted,
    StatementCommitted,
)
from wizard.engine.progress import backfill_doing
from wizard.engine.views import LoggedStatement
from wizard.rollout.model import Rollout

DAYS = timedelta(days=4)
AGED = """
do $$ declare one record; begin
    for one in select table_name, string_agg(format('%1$I = %1$I - interval ''4 days''', column_name), ', ') as moved
               from information_schema.columns
               where table_schema = 'rag_wizard' and data_type = 'timestamp with time zone' group by 1
    loop execute format('update rag_wizard.%I set %s', one.table_name, one.moved); end loop;
end $$"""
"""Everything that the registry has happened four days ago."""
EMPTIED = "update things set filled = null where filled = 'x'"
"""The application has work for another pass: 900 rows again."""
VALUE = """
create table broken (n int);
create function value(n int) returns text language plpgsql volatile
as 'begin if exists (select from broken where broken.n = value.n) then raise ''broken''; end if; return ''x''; end'"""
PART = "select rows::int, total::int, batches from rag_wizard.part"


@pytest.fixture
def rollout(database: Database, tmp_path: Path) -> Rollout:
    """Fills 900 rows of a column with what a function says, which fails where the test wants it to."""
    make_things(database)
    database.execute(VALUE)
    return filling(tmp_path, value="value(n)")


def by(name: str, database: Database, rollout: Rollout, **settings: object) -> Operator:
    return fill(database, rollout, **{"operator": name, "batch_delay_s": 0.05, **settings})


def again(operator: Operator) -> str:
    return operator.engine.run(first="1", last="1").ending


def passes(operator: Operator) -> list[LoggedStatement]:
    """What the log has of the backfill."""
    return [one for one in operator.engine.statements() if one.mode == "batches"]


def stop_in_the_middle(operator: Operator) -> None:
    """Begins the next pass, and stops after the first batch that had a row."""

    def hear(event: Event) -> None:
        if isinstance(event, BackfillProgressed) and 0 < event.rows < 900:
            operator.engine.stop()

    operator.engine.set_delay(0.3)  # so that each batch is told
    operator.listen(hear)
    assert again(operator) == "stopped"
    operator.listen(lambda _: None)


def now() -> datetime:
    return datetime.now(UTC)


def progress(operator: Operator) -> list[BackfillProgressed]:
    """What is told of rows, counting left out."""
    return [event for event in operator.told(BackfillProgressed) if event.phase != "counting"]


def test_the_log_has_of_each_pass_who_made_it_and_when_and_where(database: Database, rollout: Rollout) -> None:
    assert by("alice", database, rollout).engine.run().ending == "done"
    database.execute(AGED)
    [monday] = passes(by("alice", database, rollout))
    database.execute(EMPTIED)
    began = now()
    bob = by("bob", database, rollout)

    assert again(bob) == "done"

    first, second = passes(bob)
    assert first == monday
    assert (first.operator, first.rows, second.operator, second.rows) == ("alice", 900, "bob", 900)
    assert second.started_at is not None
    assert began <= second.started_at <= now()
    for one in ("session", "xid", "lsn"):
        assert getattr(first, one) != getattr(second, one)
    assert first.batches is not None
    assert second.batches is not None
    assert [(first.batches + second.batches,)] == database.query("select batches from rag_wizard.part")


def test_a_pass_takes_its_own_time_and_not_that_since_the_first(database: Database, rollout: Rollout) -> None:
    assert by("alice", database, rollout).engine.run().ending == "done"
    database.execute(AGED)
    database.execute(EMPTIED)
    began = now()
    bob = by("bob", database, rollout)

    assert again(bob) == "done"

    most = (now() - began).total_seconds()
    [part] = bob.engine.survey().steps[0].parts
    took = [passes(bob)[-1].duration_ms, bob.told(StatementCommitted)[-1].duration_ms, (part.seconds or 0.0) * 1000]
    assert all(one is not None and 0 < one <= most * 1000 for one in took), took


def test_a_pass_that_was_interrupted_keeps_its_beginning_when_it_goes_on(database: Database, rollout: Rollout) -> None:
    assert by("alice", database, rollout).engine.run().ending == "done"
    database.execute(AGED)
    database.execute(EMPTIED)
    bob = by("bob", database, rollout)
    began = now()
    stop_in_the_middle(bob)
    [part] = bob.engine.survey().steps[0].parts
    assert part.seconds is None
    interrupted = passes(bob)[-1]
    assert (interrupted.outcome, interrupted.operator) == ("interrupted", "bob")
    assert interrupted.batches == progress(bob)[-1].batches
    assert f"; {interrupted.batches} batches of it ({interrupted.rows} rows)" in interrupted.error
    assert interrupted.xid is None
    database.execute(AGED)

    assert by("bob", database, rollout).engine.run().ending == "done"

    first, second = passes(bob)
    assert (first.operator, second.operator) == ("alice", "bob")
    assert second.started_at is not None
    assert began - DAYS <= second.started_at <= now() - DAYS
    assert second.duration_ms is not None
    assert second.duration_ms > DAYS.total_seconds() * 1000


def test_a_pass_that_was_stopped_before_its_first_batch_claims_nothing_of_the_one_before(
    database: Database, rollout: Rollout
) -> None:
    assert by("alice", database, rollout).engine.run().ending == "done"
    database.execute(AGED)
    began = now()
    database.execute(EMPTIED)
    bob = by("bob", database, rollout)
    bob.listen(lambda event: bob.engine.stop() if isinstance(event, PartStarted) else None)
    assert again(bob) == "stopped"

    first, second = passes(bob)
    assert (first.operator, first.outcome, first.rows) == ("alice", "committed", 900)
    assert (second.operator, second.outcome, second.batches) == ("bob", "rolled back", 0)
    assert "it left nothing behind" in second.error
    assert second.started_at is not None
    assert began <= second.started_at <= now()


def test_a_failure_stays_with_whom_it_happened_to(database: Database, rollout: Rollout) -> None:
    assert by("alice", database, rollout).engine.run().ending == "done"
    database.execute(AGED)
    database.execute(EMPTIED)
    database.execute("insert into broken values (699)")
    bob = by("bob", database, rollout)
    assert again(bob) == "failed"
    database.execute(AGED)
    database.execute("delete from broken")
    carol = by("carol", database, rollout)

    assert carol.engine.run().ending == "done"

    [failure] = [one for one in passes(carol) if one.outcome == "failed"]
    assert [one.operator for one in passes(carol) if one.outcome == "committed"] == ["alice", "carol"]
    assert (failure.operator, failure.xid, failure.lsn) == ("bob", None, None)
    assert failure.duration_ms is not None
    assert failure.duration_ms < DAYS.total_seconds() * 1000


@pytest.mark.parametrize("lost_at", [PartCommitted, StatementCommitted], ids=["unread", "read"])
def test_a_pass_that_is_through_is_not_begun_again_by_a_lost_connection(
    database: Database, rollout: Rollout, lost_at: type[Event]
) -> None:
    assert by("alice", database, rollout).engine.run().ending == "done"
    database.execute(EMPTIED)
    bob = by("bob", database, rollout)

    def lose(event: Event) -> None:
        if isinstance(event, lost_at) and not bob.told(ConnectionLost):
            end_the_wizard(database)

    bob.listen(lose)
    outcome = bob.engine.run(first="1", last="1")

    assert (outcome.ending, outcome.changed) == ("done", True)
    assert len(bob.told(ConnectionLost)) == 1
    assert [(one.operator, one.rows) for one in passes(bob)] == [("alice", 900), ("bob", 900)]
    bob.listen(lambda _: None)
    assert again(bob) == "done"
    assert [one.rows for one in passes(bob)] == [900, 900, 0]


def test_progress_is_that_of_the_pass_and_the_record_counts_all(
    database: Database, rollout: Rollout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wizard.engine.sending.backfilled.MANY_ROWS", 1500)
    alice = by("alice", database, rollout)
    assert alice.engine.run().ending == "done"
    [(_, _, batches)] = database.query(PART)
    database.execute(EMPTIED)
    bob = by("bob", database, rollout)
    stop_in_the_middle(bob)
    carol = by("carol", database, rollout)

    assert carol.engine.run().ending == "done"

    assert progress(bob)[0].rows < 900
    assert progress(bob)[-1].rows <= progress(carol)[0].rows
    assert {event.total for event in (*progress(bob), *progress(carol))} == {900}
    last = progress(carol)[-1]
    assert backfill_doing(last) == "BACKFILLING 1: 900 of ~900 rows committed"
    assert database.query(PART) == [(1800, 900, batches + last.batches)]
    assert not [one for one in (*bob.told(Noticed), *carol.told(Noticed)) if one.text.startswith("VACUUM")]
