"""A part that is nothing but a checkpoint fails or is cancelled as every other part: in words, and to be resumed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.support.blocking import eventually, holding
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.typescript import GENERATED
from wizard.demo.server import SUPERUSER
from wizard.engine.events import Event, StepFinished
from wizard.errors import LockNotObtainedError, WizardError

WAITS = (
    "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and application_name like 'rag-wizard 0%'"
    " and datname = current_database()"
)


def in_the_checkpoint(database: Database, step: str, statement: str) -> None:
    """Runs a statement of plpgsql inside the checkpoint of a step."""
    database.execute(
        f"create function hinder() returns trigger language plpgsql as $$ begin {statement}; return new; end $$;"
        " create trigger hinder before update on rag_wizard.part for each row"
        f" when (new.step = '{step}' and new.state = 'done') execute function hinder()"
    )


def let_go(database: Database) -> None:
    database.execute("drop trigger hinder on rag_wizard.part; drop function hinder()")


def test_a_verification_whose_checkpoint_the_server_refuses_ends_as_a_failed_step(database: Database) -> None:
    operator = Operator(database)
    operator.engine.run(last="6.2")
    in_the_checkpoint(database, "V", "raise exception 'not today'")

    outcome = operator.engine.run()

    assert outcome.ending == "failed"
    assert outcome.failure is not None
    assert (outcome.failure.step, outcome.failure.message) == ("V", "not today")
    let_go(database)
    assert operator.engine.run().sentence.startswith("FINISHED and verified")


def test_a_verification_that_is_cancelled_in_its_checkpoint_ends_as_stopped(database: Database) -> None:
    operator = Operator(database, lock_timeout_ms=60_000)
    operator.engine.run(last="6.2")
    in_the_checkpoint(database, "V", "perform pg_advisory_xact_lock(7)")

    def cancel_once_it_waits() -> None:
        eventually(lambda: database.value(WAITS, user=SUPERUSER), "the checkpoint waits")
        operator.engine.cancel()

    canceller = threading.Thread(target=cancel_once_it_waits)

    def start(event: Event) -> None:
        if isinstance(event, StepFinished) and event.step == "V":
            canceller.start()

    operator.listen(start)
    with holding(database, "select pg_advisory_xact_lock(7)"):
        outcome = operator.engine.run()
        canceller.join()

    assert outcome.ending == "stopped"
    let_go(database)
    operator.listen(lambda _: None)
    assert operator.engine.run().ending == "done"


def test_a_lock_that_its_checkpoint_never_gets_is_told_as_one(database: Database) -> None:
    operator = Operator(database, lock_timeout_ms=50, lock_patience_s=0.2)
    operator.engine.run(last="6.2")
    in_the_checkpoint(database, "V", "perform pg_advisory_xact_lock(7)")

    with (
        holding(database, "select pg_advisory_xact_lock(7)"),
        pytest.raises(LockNotObtainedError, match="in step V"),
    ):
        operator.engine.run()


def test_a_types_file_that_is_written_but_not_recorded_is_told_so(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "database.ts"
    path.write_text(GENERATED, encoding="utf-8")
    operator = Operator(database)
    operator.engine.run()
    in_the_checkpoint(database, "5", "raise exception 'not today'")

    with pytest.raises(WizardError, match="is written, but step 5 is not recorded as done: not today"):
        operator.engine.write_types(path, operator.engine.types_plan(path).result)

    assert path.read_text(encoding="utf-8") != GENERATED
    let_go(database)
    operator.engine.write_types(path, operator.engine.types_plan(path).result)
    assert operator.states()["5"] == "done"
