"""The log of an online rollout: psql replays it on a twin to the same schema and rows; it says what went in batches."""

from __future__ import annotations

import json

import pytest

from tests.conftest import MakeDatabase
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.filling import steady
from wizard.engine.events import BackfillProgressed, Event
from wizard.export.log import LogFormat, LogHeader, export_log

VOLATILE = {"id", "created_at", "updated_at"}
HEADER = LogHeader("acme-test", "", "phase-1", "public")


def exported(database: Database, format_: LogFormat = "sql") -> str:
    return export_log(Operator(database).engine.statements(), format_, HEADER)


def assert_replayed(database: Database, twin: Database) -> None:
    """The log of `database`, replayed on `twin` as it was before; the registry is not part of it."""
    log = exported(database)
    Operator(database).engine.forget(keep_objects=True)

    twin.psql(log)

    assert database.dump() == twin.dump()
    assert database.digest(VOLATILE, schemas=["public"]) == twin.digest(VOLATILE, schemas=["public"])


def online(database: Database) -> Operator:
    return Operator(database, strategy="online", batch_rows=100)


@pytest.mark.parametrize("back_to", [None, "6.1", "2.1", "1.6"])
def test_psql_replays_it_forward_and_with_a_rollback(make_database: MakeDatabase, back_to: str | None) -> None:
    database, twin = make_database(rows=240), make_database(rows=240)
    online(database).engine.run()
    if back_to is not None:
        Operator(database, batch_rows=100).engine.rollback(back_to)

    assert_replayed(database, twin)


def test_psql_replays_a_run_that_filled_columns_which_were_there_before(make_database: MakeDatabase) -> None:
    database, twin = make_database("unset_columns_before"), make_database("unset_columns_before")
    online(database).engine.run()

    assert_replayed(database, twin)


@pytest.mark.parametrize(("strategy", "back_to"), [("atomic", None), ("online", None), ("online", "6.1")])
def test_psql_replays_a_rollback_that_empties_only_what_was_filled(
    make_database: MakeDatabase, strategy: str, back_to: str | None
) -> None:
    database, twin = make_database("unset_columns_before"), make_database("unset_columns_before")
    operator = Operator(database, strategy=strategy, batch_rows=10)
    for step in ("2.2", back_to):
        assert operator.engine.run().ending == "done"
        assert operator.engine.rollback(step).ending == "done"
    kept = "select count(*) from clones where rag_domain_mapping = 'finance-investment'"
    assert database.value(kept)

    assert_replayed(database, twin)


def test_psql_replays_a_backfill_that_was_interrupted_and_went_on(make_database: MakeDatabase) -> None:
    database, twin = make_database(rows=1000), make_database(rows=1000)
    operator = Operator(database, strategy="online", batch_rows=100, batch_delay_s=0.3)

    def stop(event: Event) -> None:
        if isinstance(event, BackfillProgressed) and event.step == "6.2" and event.rows >= 100:
            operator.engine.stop()

    operator.listen(stop)
    operator.engine.run()
    assert "batches of it" in exported(database)
    Operator(database).engine.run()

    assert_replayed(database, twin)


def test_every_format_says_what_went_in_batches_and_what_outside_of_a_transaction(
    make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    steady(monkeypatch)
    database = make_database(rows=240)
    online(database).engine.run()

    script, report = exported(database), exported(database, "md")
    lines = [json.loads(line) for line in exported(database, "jsonl").splitlines()[1:]]

    filled = next(line for line in lines if line["mode"] == "batches" and line["step"] == "6.2")
    assert (filled["batches"], filled["rows"]) == (3, 240)
    assert {line["step"] for line in lines if line["mode"] == "concurrently"} == {"2.1", "2.2"}
    assert "**committed**, 240 rows, 3 batches" in report
    assert "-- sent in 3 batches, a transaction each" in script
    before, after = script.split("CREATE INDEX CONCURRENTLY idx_clones_rag_status")
    assert before.count("\nBEGIN;") == before.count("\nCOMMIT;")
    assert after.index("\nBEGIN;") < after.index("\nCOMMIT;")
