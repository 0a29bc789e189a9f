"""A backfill beside others who write: half of the time is theirs, unless the operator wants otherwise."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from tests.support.database import Database
from tests.support.filling import fill, filling, make_things
from tests.support.polling import Loop
from wizard.engine.events import BackfillProgressed
from wizard.engine.sending import pace
from wizard.engine.sending.pace import Pace
from wizard.engine.steering import Steering

ROWS = 2_000
WORK_S = ROWS * 9 / 10 * 0.002
"""What the server needs for the rows, by `pg_sleep`, and for every other moment a little more."""


SLOW_COMMIT = """
create function linger() returns trigger language plpgsql as 'begin perform pg_sleep(0.002); return null; end';
create constraint trigger linger after update on things deferrable initially deferred
for each row execute function linger();
alter table things enable always trigger linger"""
"""For each row, as long as the server needs for it: a commit waits like that for a disk that is busy."""


@contextmanager
def writing(database: Database, statement: str) -> Iterator[None]:
    """Somebody who sends this about fifty times a second, each time in a transaction of its own."""
    with database.connect() as connection:

        def write() -> None:
            connection.execute(statement.encode())
            time.sleep(0.02)

        with Loop("application", write):
            yield


def filled_slowly(
    database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch, **pace: object
) -> tuple[list[str], list[float]]:
    """Fills the table; why it was slowed down, and every rest of the server, in seconds."""
    rests: list[float] = []
    wait = Steering.wait
    monkeypatch.setattr(Steering, "wait", lambda self, seconds: (rests.append(seconds), wait(self, seconds))[1])
    operator = fill(database, filling(folder, value="pg_sleep(0.002)::text || 'x'"), **{"batch_rows": None, **pace})
    assert operator.engine.run().ending == "done"
    assert database.value("select count(*) from things where filled is null") == 0
    return list(dict.fromkeys(event.slowed for event in operator.told(BackfillProgressed) if event.slowed)), rests


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "beside others"])
def test_a_batch_may_be_longer_while_nobody_writes(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    monkeypatch.setattr(pace, "BATCH_AIM_S", 0.0)
    monkeypatch.setattr(pace, "ALONE_AIM_S", math.inf)
    make_things(database, rows=10_000)
    database.execute("create table orders (id bigint generated always as identity)")

    with nullcontext() if alone else writing(database, "insert into orders default values"):
        assert fill(database, filling(tmp_path), batch_rows=None).engine.run().ending == "done"

    sizes = [rows for (rows,) in database.query("select rows from rag_wizard.batch order by number")]
    assert max(sizes) > 1_000 if alone else max(sizes) < 300


def test_half_of_the_time_is_theirs(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_things(database, rows=ROWS)
    database.execute("create table orders (id bigint generated always as identity)")

    began = time.monotonic()
    with writing(database, "insert into orders default values"):
        slowed, rests = filled_slowly(database, tmp_path, monkeypatch)
    elapsed = time.monotonic() - began

    assert slowed
    assert all(why.startswith("others write ") and why.endswith(" half of the time is theirs") for why in slowed)
    # Not yet in the first second, in which it learns of them; and the way to this server takes a little.
    assert WORK_S / 4 < sum(rests) < 0.6 * elapsed


@pytest.mark.parametrize(
    ("statement", "pace"),
    [("select 1", {}), ("insert into orders default values", {"batch_delay_s": 0.0})],
    ids=["they only read", "the operator said no delay"],
)
def test_else_it_does_not_rest(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str, pace: dict[str, float]
) -> None:
    make_things(database, rows=ROWS)
    database.execute("create table orders (id bigint generated always as identity)")

    with writing(database, statement):
        slowed, rests = filled_slowly(database, tmp_path, monkeypatch, **pace)

    assert (slowed, rests) == ([], [])


@pytest.mark.slow
def test_what_a_commit_waits_for_is_work_of_the_server_and_no_way(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_things(database, rows=1_000)
    database.execute(SLOW_COMMIT)
    database.execute("create table orders (id bigint generated always as identity)")

    with writing(database, "insert into orders default values"):
        _, rests = filled_slowly(database, tmp_path, monkeypatch, batch_rows=100)

    assert sum(rests) > 900 * 0.002, "as long as the commits alone, whose time was once taken for the way"


@pytest.mark.parametrize("busy", [True, False], ids=["others write", "nobody else writes"])
def test_beside_others_each_batch_waits_for_the_disk_by_itself(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, busy: bool
) -> None:
    """What several write would be one long flush, and the others' commits wait for it."""
    # A machine under load sees them too then, and is not taken for one that is far away.
    monkeypatch.setattr(pace, "FIRST_LOOKS_S", 1.0)
    monkeypatch.setattr(pace, "FAR_S", math.inf)
    make_things(database, rows=20_000)
    database.execute("create table orders (id bigint generated always as identity)")
    together: list[int] = []
    several = Pace.batches_a_message
    monkeypatch.setattr(Pace, "batches_a_message", lambda self: (together.append(several(self)), together[-1])[1])
    operator = fill(database, filling(tmp_path), batch_rows=None)

    with writing(database, "insert into orders default values") if busy else nullcontext():
        assert operator.engine.run().ending == "done"

    assert (max(together) == 1) is busy, together
