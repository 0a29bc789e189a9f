"""A backfill beside a real standby that is behind: it waits, can be paused meanwhile, and not for ever."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.blocking import eventually
from tests.support.cluster import Cluster
from tests.support.database import Database
from tests.support.filling import fill, filling, make_things
from tests.support.polling import Loop
from tests.support.standby import hot_standby
from wizard.demo.server import SUPERUSER
from wizard.engine.events import BackfillProgressed
from wizard.engine.sending import pace

pytestmark = pytest.mark.slow

LEFT = "select count(*) from things where filled is null"


@pytest.fixture
def standby(cluster: Cluster, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The test's database on a standby. A few kilobytes count as far behind, and are looked at before every message."""
    make_things(database)
    monkeypatch.setattr(pace, "MOST_LAG", 8 << 10)
    monkeypatch.setattr(pace, "LOOK_S", 0.05)
    with hot_standby(cluster) as server:
        yield Database(server, database.name)


def test_a_standby_that_applies_late_is_waited_for_only_so_long(
    standby: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "APPLY_PATIENCE_S", 1.0)
    monkeypatch.setattr(pace, "TELL_S", 0.0)
    standby.execute("select pg_wal_replay_pause()", user=SUPERUSER)
    operator = fill(database, filling(tmp_path))

    began = time.monotonic()
    assert operator.engine.run().ending == "done"

    assert time.monotonic() - began > 1.0
    assert database.value(LEFT) == 0
    slowed = {event.slowed for event in operator.told(BackfillProgressed)}
    waits = [why for why in slowed if why.startswith("waits: replica walreceiver has received everything and applies ")]
    goes_on = [why for why in slowed if why.endswith("; waited 1 s for it, goes on")]
    assert waits, slowed
    assert goes_on, slowed


def test_a_pause_holds_while_it_waits_for_a_standby(standby: Database, database: Database, tmp_path: Path) -> None:
    standby.execute("select pg_wal_replay_pause()", user=SUPERUSER)
    operator = fill(database, filling(tmp_path))

    def waiting() -> bool:
        return any(event.slowed.startswith("waits: replica ") for event in operator.told(BackfillProgressed))

    with Loop("run", operator.engine.run):
        eventually(waiting, "it waits for the standby")
        operator.engine.pause()
        eventually(lambda: operator.engine.resting, "it rests")
        left = database.value(LEFT)
        assert left > 0
        operator.engine.go_on()
        standby.execute("select pg_wal_replay_resume()", user=SUPERUSER)
        eventually(lambda: database.value(LEFT) == 0, "it goes on once the standby has caught up")
