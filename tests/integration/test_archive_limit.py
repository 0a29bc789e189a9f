"""Whose word ended a block under the lock: its own time limit, or somebody who cancelled it."""

from __future__ import annotations

import threading

import psycopg
import pytest
from psycopg import errors, sql

from tests.support.blocking import eventually
from tests.support.database import Database
from wizard.engine.parts.guard import OUT_OF_TIME, TOO_SLOW, limited, limiting

SLEEPS = "BEGIN\n    PERFORM pg_sleep(60);\n"


def test_the_time_that_the_server_takes_to_read_a_block_counts(database: Database) -> None:
    """As the server counts it: the block's first line runs when a good part of the limit is over."""
    long_to_read = SLEEPS.replace("    PERFORM", "    PERFORM 1;\n" * 5_000 + "    PERFORM")
    with database.connect(autocommit=False) as conn:
        conn.execute(limiting(2_000).encode())
        with pytest.raises(psycopg.Error, match=TOO_SLOW) as ended:
            conn.execute(limited(sql.SQL(long_to_read), "experts", 2_000).encode())
    assert ended.value.sqlstate == OUT_OF_TIME


def test_what_somebody_cancels_is_not_called_slow(database: Database) -> None:
    with database.connect(autocommit=False) as conn:
        conn.execute(limiting(60_000).encode())
        pid = conn.info.backend_pid

        def cancel() -> None:
            asleep = "select wait_event = 'PgSleep' from pg_stat_activity where pid = %s"
            eventually(lambda: database.value(asleep, [pid]), "the block sleeps")
            database.execute("select pg_cancel_backend(%s)", [pid])

        other = threading.Thread(target=cancel)
        other.start()
        with pytest.raises(errors.QueryCanceled):
            conn.execute(limited(sql.SQL(SLEEPS), "experts", 60_000).encode())
        other.join()
