"""Sessions that get in the way of a rollout; an application beside it that notices how long it waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg

from tests.support.database import SUPERUSER, Database
from tests.support.polling import Loop

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


class Application:
    """Asks for one clone after the other while the block runs."""

    def __init__(self, database: Database) -> None:
        self.worst_s = 0.0
        """The longest that one of its queries took."""
        self._connection = database.connect()
        self._loop: Loop[None] = Loop("application", self._ask)

    def _ask(self) -> None:
        began = time.monotonic()
        self._connection.execute("select name from clones order by id limit 1").fetchall()
        self.worst_s = max(self.worst_s, time.monotonic() - began)

    @property
    def queries(self) -> int:
        """How many were answered."""
        return self._loop.turns

    def __enter__(self) -> Application:
        self._loop.__enter__()
        return self

    def __exit__(self, *about: Any) -> None:
        with self._connection:
            self._loop.__exit__(*about)
