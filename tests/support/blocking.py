"""Sessions that get in the way of a rollout; an application beside it that notices how long it waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import psycopg

from tests.support.database import SUPERUSER, Database
from tests.support.polling import Loop
from tests.support.stalls import Stalls

PATIENCE_S = 30.0


def eventually(holds: Callable[[], object], what: str) -> None:
    """Asks until `holds` does; an AssertionError when it never does."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, f"never happened: {what}"
        time.sleep(0.005)  # the processor is for those that it waits for


def end_once_it_waits(database: Database, lock: str) -> None:
    """Takes a lock; as soon as a wizard waits for it, its session is ended from outside, then the lock is let go."""
    holder = psycopg.connect(database.conninfo())
    holder.execute(lock.encode())
    waiting = (
        "select count(*) from pg_stat_activity where application_name like 'rag-wizard 0%'"
        # A concurrent build waits like that for old snapshots, ours among them.
        " and wait_event_type = 'Lock' and wait_event <> 'virtualxid' and datname = current_database()"
    )

    def end() -> None:
        with closing(holder):
            eventually(lambda: database.value(waiting, user=SUPERUSER), "the wizard waits")
            end_the_wizard(database)

    threading.Thread(target=end).start()


def end_the_wizard(database: Database) -> None:
    """Its sessions on this database, from outside."""
    database.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where application_name like 'rag-wizard%' and datname = current_database()",
        user=SUPERUSER,
    )


@contextmanager
def holding(
    database: Database, *statements: str, user: str = "postgres", application: str = "nightly report"
) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A session that ran `statements` in a transaction and thinks; it may be ended from outside."""
    with closing(psycopg.connect(database.conninfo(user), application_name=application)) as connection:
        for statement in statements:
            connection.execute(statement.encode())
        yield connection


def assert_cancelled(database: Database) -> None:
    """The wizard's sessions are gone since it cancelled its statement, not since the server lost sight of it."""
    ours = (
        "select count(*) from pg_stat_activity"
        " where application_name like 'rag-wizard%' and datname = current_database()"
    )
    eventually(lambda: not database.value(ours, user=SUPERUSER), "no session of the wizard is left")
    said = [line for line in database.server.log_text().splitlines() if f"@{database.name} rag-wizard" in line]
    assert [line for line in said if "canceling statement due to user request" in line]
    assert not [line for line in said if "connection to client lost" in line]


class Application:
    """Asks for one clone after the other while the block runs, or sends another statement."""

    def __init__(self, database: Database, sql: str = "select name from clones order by id limit 1") -> None:
        self._sql = sql
        self._took: list[tuple[float, float]] = []
        """When each of its queries began and ended."""
        self._connection = database.connect()
        self._stalls = Stalls()
        self._loop: Loop[None] = Loop("application", self._ask)
        self._beside = ExitStack()

    def _ask(self) -> None:
        began = time.monotonic()
        self._connection.execute(self._sql.encode())
        self._took.append((began, time.monotonic()))

    def answered(self) -> None:
        """Returns once a query that begins now has its answer."""
        self._loop.full_turn()

    @property
    def worst_s(self) -> float:
        """The longest that one of its queries took, without the machine's own stalls; ask after the block."""
        return max(self._stalls.without(*span) for span in self._took)

    @property
    def queries(self) -> int:
        """How many were answered."""
        return self._loop.turns

    def __enter__(self) -> Application:
        self._beside.enter_context(self._stalls)
        self._beside.enter_context(self._connection)
        self._beside.enter_context(self._loop)
        return self

    def __exit__(self, *about: Any) -> None:
        self._beside.__exit__(*about)
