"""How long the application waits for the part that drops columns of a large table: captured, beside looked through."""

from __future__ import annotations

import math
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import MakeDatabase
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.stalls import Stalls
from wizard.engine.events import Event, PartCommitted, PartStarted

ROWS = 250_000
ROUNDS = 3
"""At most: another one only where those before did not show it."""
MORE = """
set session_replication_role = replica;
insert into clones (creator_id, name, category, bio, settings)
select 'app', 'n' || n, 'medical', repeat(md5(n::text), 8), '{"a": 1}' from generate_series(1, %s) as n;
set session_replication_role = origin;
"""


class Prober:
    """Reads and writes one clone without a pause, and remembers how long each statement took."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._over = threading.Event()
        self._stalls = Stalls()
        self.turns: list[tuple[float, float]] = []
        """When each began, and its seconds."""
        self._thread = threading.Thread(target=self._run, name="prober", daemon=True)

    def __enter__(self) -> Prober:
        self._stalls.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *about: Any) -> None:
        self._over.set()
        self._thread.join(60)
        self._stalls.__exit__(*about)

    def _run(self) -> None:
        with psycopg.connect(self._database.conninfo(), autocommit=True) as conn:
            key = conn.execute("select id from clones limit 1").fetchone()
            while not self._over.is_set():
                began = time.monotonic()
                conn.execute("update clones set bio = bio where id = %s", key)
                self.turns.append((began, time.monotonic() - began))

    def settled(self) -> None:
        """Waits until it has been at work for a while."""
        while len(self.turns) < 50:
            self._over.wait(0.01)

    def longest(self, since: float, until: float) -> float:
        """The longest statement that was under way between the two, without what the machine itself stood still."""
        under_way = [(began, began + took) for began, took in self.turns if began + took >= since and began <= until]
        return max(self._stalls.without(*span) for span in under_way)


def stall(database: Database, archives: Path) -> tuple[float, float]:
    """Longest statement of the application while the columns were dropped, and in the whole rollback, in ms."""
    operator = Operator(database, archives=archives, lock_patience_s=60.0, lock_budget_ms=60_000)
    operator.engine.run()
    database.execute("update clones set rag_expert_name = 'own' where creator_id <> 'app'")
    span = [0.0, 0.0]

    def watch(event: Event) -> None:
        if isinstance(event, PartStarted | PartCommitted) and (event.step, event.direction) == ("2.1", "revert"):
            span[isinstance(event, PartCommitted)] = time.monotonic()

    operator.listen(watch)
    began = time.monotonic()
    with Prober(database) as prober:
        prober.settled()
        assert operator.engine.rollback().ending == "done"
        ended = time.monotonic()
    return 1000 * prober.longest(*span), 1000 * prober.longest(began, ended)


@pytest.mark.slow
def test_the_application_waits_for_a_moment_however_large_the_table(
    make_database: MakeDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both ways in one run on one server, since only their ratio says something on a busy machine.

    The shortest of a few rounds is what a way costs by itself; what the machine adds comes and goes.
    """
    database = make_database()
    database.execute(MORE % ROWS)
    database.execute("vacuum (analyze) clones")
    captured = looked_through = math.inf
    for number in range(ROUNDS):
        one, whole = stall(database, tmp_path / f"captured {number}")
        with monkeypatch.context() as small:
            small.setattr("wizard.engine.keeping.capture.LARGE_ROWS", 10 * ROWS)
            small.setattr("wizard.engine.keeping.capture.LARGE_BYTES", 1 << 50)
            other, _ = stall(database, tmp_path / f"looked through {number}")
        captured, looked_through = min(captured, one), min(looked_through, other)
        print(f"captured {one:.1f} ms (all {whole:.1f}), looked through {other:.1f} ms")
        if captured < looked_through / 3:
            break

    assert captured < looked_through / 3
