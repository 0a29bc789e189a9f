"""A session that holds the lock as a wizard would leave it behind."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.support.database import Database
from tests.support.engine import Operator
from wizard.engine.session.exclusive import lock_key


@contextmanager
def held(database: Database, *, os_pid: int, host: str = "", age: str = "0 s") -> Iterator[int]:
    """A session of the registry that holds the lock, as a wizard would leave it; gives its backend's pid."""
    Operator(database).engine.run(last="1.1")
    with psycopg.connect(database.conninfo(), autocommit=True, application_name="rag-wizard") as holder:
        holder.execute("select pg_advisory_lock(%s, %s)", lock_key("public"))
        holder.execute(
            "insert into rag_wizard.session"
            " (session_id, rollout_id, operator, wizard_version, host, os_pid, backend_pid, backend_start,"
            " heartbeat_at)"
            " select gen_random_uuid(), rollout_id, 'grace@elsewhere', '0.1.0', %s, %s, pid, backend_start,"
            " clock_timestamp() - %s::interval from rag_wizard.rollout, pg_stat_activity"
            " where pid = pg_backend_pid()",
            (host or socket.gethostname(), os_pid, age),
        )
        yield holder.info.backend_pid


def dead_pid() -> int:
    """A process id that was alive and is not any more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid
