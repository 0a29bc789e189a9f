"""A backfill that is done and asked for again, and is cancelled while it counts: it stays done."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.support.blocking import eventually
from tests.support.database import SUPERUSER, Database
from tests.support.filling import fill, filling, make_things
from wizard.engine.events import BackfillProgressed, Event
from wizard.engine.state import StepState
from wizard.errors import RefusedError
from wizard.rollout.load import load_rollout

SLOW = """
create table slowly (s float);
create function slow(n int) returns boolean language sql volatile
as 'select coalesce((select pg_sleep(s)::text from slowly), '''') is not null'"""
COUNTS = (
    "select count(*) from pg_stat_activity where datname = current_database() and state = 'active'"
    " and query like 'SET LOCAL search_path = %SELECT count(*) AS number%'"
)
RECORD = "select state, batches, rows::int, total::int from rag_wizard.part"
LOGGED = "select count(*) from rag_wizard.statement"


def test_cancelling_the_count_is_no_error_and_leaves_a_done_part_done(database: Database, tmp_path: Path) -> None:
    make_things(database)
    database.execute(SLOW)
    filling(tmp_path)
    (tmp_path / "sql" / "fill.sql").write_text("UPDATE things SET filled = 'x' WHERE filled IS NULL AND slow(n)")
    operator = fill(database, load_rollout(tmp_path))
    assert operator.engine.run().ending == "done"
    before = database.query(RECORD), database.value(LOGGED)
    assert before[0][0][0] == "done"
    database.execute("insert into things (id, n) select g, g from generate_series(2001, 2300) as g")
    database.execute("insert into slowly values (0.1)")

    def cancel() -> None:
        eventually(lambda: database.value(COUNTS, user=SUPERUSER), "it counts")
        operator.engine.cancel()

    def hear(event: Event) -> None:
        if isinstance(event, BackfillProgressed) and event.phase == "counting" and not cancelling.ident:
            cancelling.start()

    cancelling = threading.Thread(target=cancel)
    operator.listen(hear)
    outcome = operator.engine.run(first="1", last="1")
    cancelling.join()

    assert outcome.ending == "stopped"
    assert (database.query(RECORD), database.value(LOGGED)) == before
    assert operator.engine.survey().steps[0].state is StepState.DONE
    database.execute("delete from slowly")
    assert operator.engine.run(first="1", last="1").ending == "done"
    assert database.value("select count(*) from things where filled is null") == 0


def test_a_table_that_is_gone_is_no_lock_and_leaves_a_done_part_done(database: Database, tmp_path: Path) -> None:
    make_things(database)
    operator = fill(database, filling(tmp_path))
    assert operator.engine.run().ending == "done"
    before = database.query(RECORD), database.value(LOGGED)
    database.execute("alter table things rename to others")

    with pytest.raises(RefusedError, match="42P01 schema public has no table things") as refused:
        operator.engine.run(first="1", last="1")

    assert "Nothing was sent of the backfill" in refused.value.why
    assert (database.query(RECORD), database.value(LOGGED)) == before
