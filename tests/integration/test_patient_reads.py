"""What is only read around a part waits for a lock as the part does, and is cancelled as it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.integration.test_backfill_again import COUNTS, RECORD, SLOW
from tests.support.blocking import eventually
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.filling import fill, filling, make_things
from tests.support.rag_rows import write_rows
from wizard.demo.server import SUPERUSER
from wizard.engine.events import (
    BackfillProgressed,
    CheckFinished,
    Event,
    Finished,
    LockWaited,
    Noticed,
    PartCommitted,
    StepStarted,
)
from wizard.errors import LockNotObtainedError
from wizard.rollout.load import load_rollout

CHECK = """
[[check]]
id = "filled"
title = "Filled"
sql = "check.sql"
"""
SLOW_CHECK = "SELECT 'all'::text AS subject, '0'::text AS expected, count(*)::text AS found FROM things WHERE slow(n)"
CHECKS = COUNTS.replace("like 'SET LOCAL search_path = %SELECT count(*) AS number%'", "like '%WHERE slow(n)%COMMIT'")


def hold_from_until(
    operator: Operator, database: Database, lock: str, begins: Callable[[Event], bool], until: type[Event]
) -> psycopg.Connection[tuple[Any, ...]]:
    """Somebody takes a lock at one event and lets it go at another."""
    holder = database.connect(autocommit=False)
    held: list[str] = []

    def hear(event: Event) -> None:
        if begins(event) and not held:
            held.append(lock)
            holder.execute(lock.encode())
        elif held and isinstance(event, until):
            holder.close()

    operator.listen(hear)
    return holder


def counting(event: Event) -> bool:
    return isinstance(event, BackfillProgressed) and event.phase == "counting"


def test_counting_waits_for_whoever_has_the_table(database: Database, tmp_path: Path) -> None:
    make_things(database)
    operator = fill(database, filling(tmp_path), lock_timeout_ms=50)
    hold_from_until(operator, database, "lock table things", counting, LockWaited)

    assert operator.engine.run().ending == "done"

    assert "things" in operator.told(LockWaited)[0].sql


def test_a_done_part_whose_count_never_gets_its_lock_stays_done(database: Database, tmp_path: Path) -> None:
    make_things(database)
    operator = fill(database, filling(tmp_path), lock_timeout_ms=50, lock_patience_s=0.2)
    operator.engine.run()
    before = database.query(RECORD)

    holder = hold_from_until(operator, database, "lock table things", counting, Finished)
    with closing(holder), pytest.raises(LockNotObtainedError, match="in step 1") as gave_up:
        operator.engine.run(first="1", last="1")

    assert "Step 1 is committed." in gave_up.value.why
    assert database.query(RECORD) == before
    assert operator.engine.survey().failure is None


def test_newcomers_that_cannot_be_counted_are_no_failure_of_a_part_that_is_done(
    database: Database, tmp_path: Path
) -> None:
    make_things(database)
    operator = fill(database, filling(tmp_path), lock_timeout_ms=50)
    hold_from_until(operator, database, "lock table things", lambda e: isinstance(e, PartCommitted), Noticed)

    assert operator.engine.run().ending == "done"

    (told,) = [one.text for one in operator.told(Noticed) if "since the last look of 1" in one.text]
    assert told.startswith("how many rows of things came or changed since the last look of 1 could not be counted")
    assert database.query("select state from rag_wizard.part") == [("done",)]


def test_a_check_that_takes_long_can_be_cancelled(database: Database, tmp_path: Path) -> None:
    make_things(database)
    database.execute(SLOW)
    filling(tmp_path)
    with (tmp_path / "steps" / "1.toml").open("a") as step:
        step.write(CHECK)
    (tmp_path / "sql" / "check.sql").write_text(SLOW_CHECK)
    operator = fill(database, load_rollout(tmp_path))

    def cancel() -> None:
        eventually(lambda: database.value(CHECKS, user=SUPERUSER), "it checks")
        operator.engine.cancel()

    cancelling = threading.Thread(target=cancel)

    def hear(event: Event) -> None:
        if isinstance(event, PartCommitted):
            database.execute("insert into slowly values (0.1)")
            cancelling.start()

    operator.listen(hear)
    outcome = operator.engine.run()
    cancelling.join()

    assert outcome.ending == "stopped"
    assert [one for one in operator.told(CheckFinished) if one.result.id == "filled"] == []
    assert operator.states() == {"1": "done"}


def test_looking_for_late_rows_waits_for_whoever_has_the_table(database: Database, tmp_path: Path) -> None:
    operator = Operator(database, archives=tmp_path, lock_timeout_ms=50)
    operator.engine.run()
    write_rows(database)

    def begins(event: Event) -> bool:
        return isinstance(event, StepStarted) and event.step == "2.1"

    hold_from_until(operator, database, "lock table clones", begins, LockWaited)

    assert operator.engine.rollback().ending == "done"


def test_a_rollback_that_the_server_stops_tells_that_its_triggers_stay(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wizard.engine.keeping.capture.LARGE_ROWS", -1)
    operator = Operator(database, archives=tmp_path, lock_timeout_ms=50)
    operator.engine.run()
    holder = database.connect(autocommit=False)

    def hear(event: Event) -> None:
        if isinstance(event, StepStarted) and event.step == "2.1":
            holder.execute("lock table rag_wizard.part in share mode")

    operator.listen(hear)
    with closing(holder), pytest.raises(LockNotObtainedError):
        operator.engine.rollback()

    assert any("go on noting which rows change" in one.text for one in operator.told(Noticed))
