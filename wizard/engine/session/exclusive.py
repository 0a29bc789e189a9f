"""One operator at a time: the advisory lock, who holds it, and what to do when its holder seems to be dead."""

from __future__ import annotations

import os
import socket
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from wizard.db.connect import Connection
from wizard.db.queries import query
from wizard.engine.session.heartbeat import BEAT_S
from wizard.engine.session.registry import registry_exists
from wizard.errors import OtherOperatorError

LockKey = tuple[int, int]
LOCK_CLASS = 0x52414757
"""First half of every lock key of ours."""

PATIENCE_S = 1.0
"""How long a session that is just ending may still hold the lock."""
DEAD_PATIENCE_S = 12.0
"""How long the server may need to notice that a client is gone: it looks every 5 s while a statement runs."""
ORPHAN_S = 30.0
"""A heartbeat older than this is that of a suspected orphan."""
POLL_S = 0.2
UNCHANGED = "Nothing was changed by this command."


@dataclass(frozen=True)
class Holder:
    """Who holds the lock, as far as the registry tells and this role may see."""

    pid: int
    """Of the backend, as the server gives it."""
    backend_start: datetime | None
    who: str
    since: datetime | None
    heartbeat_age_s: float | None = None
    """Seconds since the session last said that it is alive; None: the registry knows nothing of it."""
    process_gone: bool = False
    """The process that opened it ran on a machine of this name, and is not here."""

    @property
    def words(self) -> str:
        """Who, which backend, since when."""
        since = f", since {self.since:%Y-%m-%d %H:%M:%S} UTC" if self.since else ""
        return f"{self.who}, pid {self.pid}{since}"

    @property
    def is_silent(self) -> bool:
        """Two beats were left out."""
        return self.heartbeat_age_s is not None and self.heartbeat_age_s > 2 * BEAT_S

    @property
    def seems_dead(self) -> bool:
        """Nobody may be behind it any more."""
        return self.process_gone or self.is_silent

    @property
    def is_orphan(self) -> bool:
        """Nobody has been behind it for so long that the operator should be asked.

        That its process is not here says nothing while it beats: machines share a name, as containers do.
        """
        if self.process_gone:
            return self.is_silent
        return self.heartbeat_age_s is not None and self.heartbeat_age_s > ORPHAN_S


def lock_key(schema: str) -> LockKey:
    """Key of the advisory lock: ours, and the target schema. Advisory locks are per database already."""
    signed = zlib.crc32(schema.encode())
    return LOCK_CLASS, signed - (1 << 32) if signed >= 1 << 31 else signed


def find_holder(connection: Connection, schema: str) -> Holder | None:
    """Who else holds the lock right now; None if nobody does."""
    key = lock_key(schema)
    row = connection.execute(
        query("lock_holder"), {"class": key[0] & 0xFFFFFFFF, "object": key[1] & 0xFFFFFFFF}
    ).fetchone()
    if row is None:
        return None
    pid, backend_start = row["pid"], row["backend_start"]
    session = None
    if registry_exists(connection):
        keys = {"pid": pid, "backend_start": backend_start}
        session = connection.execute(query("holder_session"), keys).fetchone()
    if session is None:
        who = str(row["role"] or "not visible to this role") + (f" from {row['address']}" if row["address"] else "")
        return Holder(pid, backend_start, who, backend_start)
    here = session["host"] == socket.gethostname()
    return Holder(
        pid,
        backend_start,
        session["operator"],
        session["started_at"],
        session["heartbeat_age_s"],
        process_gone=here and not _is_alive(session["os_pid"]),
    )


def _is_alive(os_pid: int) -> bool:
    try:
        os.kill(os_pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def take_lock(
    connection: Connection,
    schema: str,
    target: str,
    *,
    end_orphan: bool,
    wait: Callable[[float], bool],
    told: Callable[[str], None],
    own_backend: int = 0,
    patience_s: float = 0.0,
    state_now: str = UNCHANGED,
) -> None:
    """Takes the lock for this session; polls, never waits inside the server.

    A holder that seems dead, or is `own_backend` (our session before the connection was lost), is waited for up to
    `patience_s`, until the server notices; a suspected orphan is ended only if `end_orphan`.
    `wait` sleeps and returns True if the operator wants to stop. Raises OtherOperatorError, which says `state_now`.
    """
    began, announced = time.monotonic(), False
    while not _try(connection, schema):
        holder = find_holder(connection, schema)
        elapsed = time.monotonic() - began
        if holder is not None and holder.is_orphan and end_orphan:
            told(f"ending the abandoned session of {holder.words}")
            _end(connection, holder)
            end_orphan, began = False, time.monotonic()
            continue
        dead = holder is not None and (holder.seems_dead or holder.pid == own_backend)
        if dead and holder is not None and not announced:
            told(f"waiting for a session that may be gone, until the server notices: {holder.words}")
            announced = True
        if elapsed > (max(DEAD_PATIENCE_S, patience_s) if dead else PATIENCE_S) or wait(POLL_S):
            raise lock_refusal(holder, target, state_now)


def server_pid(connection: Connection) -> int:
    """The backend's pid as the server gives it: behind a pooler the client library knows an invented one."""
    row = connection.execute("SELECT pg_backend_pid() AS pid").fetchone()
    assert row is not None
    return int(row["pid"])


def _try(connection: Connection, schema: str) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s, %s) AS taken", lock_key(schema)).fetchone()
    return bool(row and row["taken"])


def _end(connection: Connection, holder: Holder) -> None:
    """Ends exactly that backend: a pid that was given to somebody else since is left alone."""
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND backend_start = %s",
        (holder.pid, holder.backend_start),
    )


def lock_refusal(holder: Holder | None, target: str, state_now: str = UNCHANGED) -> OtherOperatorError:
    """Why nothing is written while `holder` has the lock, and what to do."""
    who = holder.words if holder is not None else "a session that has just ended"
    if holder is not None and holder.is_orphan:
        age = f"its last sign of life is {holder.heartbeat_age_s:.0f} s old" if holder.heartbeat_age_s else "silent"
        refusal = OtherOperatorError(
            f"an abandoned session seems to hold {target}: {who}; {age}",
            why=f"Its wizard is gone, but the server still works for it. {state_now}",
            fix="Wait until the server ends it, or end it with your word: --end-orphan",
        )
        refusal.abandoned = True
    else:
        refusal = OtherOperatorError(
            f"another operator is rolling out on {target}: {who}",
            why=state_now,
            fix="Wait until that session ends, or talk to its operator; then run the same command again.",
        )
    refusal.pid = holder.pid if holder is not None else 0
    return refusal


def require_alone(connection: Connection, *, besides: int | None = None) -> None:
    """Raises OtherOperatorError while another session rolls out in this database, in whatever schema.

    `besides`: the backend of one that will be ended first.
    """
    busy = connection.execute(query("other_holders"), {"class": LOCK_CLASS, "besides": besides}).fetchone()
    if busy is not None and busy["number"]:
        raise OtherOperatorError(
            "another session is rolling out in another schema of this database, and needs the registry",
            why="Nothing was changed.",
            fix="Wait until it ends; then run the same command again.",
        )
