"""Finds out whether a pooler lies between us and the backend, and of which kind. It sets nothing on any session."""

from __future__ import annotations

import re
import select
import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any, Literal

import psycopg
from psycopg import errors, pq

from wizard.db.fault_words import SESSION_POOL_FULL
from wizard.db.supabase import is_own_host, is_pooler_host, supabase_ref
from wizard.errors import ConnectionUnsuitableError

if TYPE_CHECKING:
    from wizard.db.target import Target

Kind = Literal["direct", "session pooler", "transaction pooler"]

ANSWER_S = 15.0
"""How long a pooler may need until it has a backend for us."""
SECOND_ANSWER_S = 2.0
"""How long the second connection waits before the first is asked whether it still has its backend."""
ROUNDS = 3
ROUNDS_BEFORE_WRITING = 5
ROUNDS_WHEN_SUSPECTED = 8
DRAWS = 2
"""How often the first connection is asked between two rounds: under load each answer is another draw."""
TRANSACTION_PORT = 6543
"""Where Supabase's poolers are in transaction mode: a reason to look closer, no proof."""

_PID = b"SELECT pg_backend_pid()"
_HOLD = b"BEGIN READ ONLY; SELECT pg_backend_pid()"


def find_kind(
    connection: psycopg.Connection[Any], open_second: Callable[[], psycopg.Connection[Any]], *, port: int, writes: bool
) -> Kind:
    """What `connection`, idle and in autocommit mode, leads through.

    A pooler hands out a process id of its own, so the one that the server gives tells whether there is one. If there
    is, a second connection is opened for a moment: in transaction mode both meet on one backend, or the first is moved
    to another while the second holds its own; in session mode neither ever happens. Only process ids are compared, so
    nothing has to be reset on a backend that others use.

    Raises psycopg.OperationalError if the pooler has no backend for us, ConnectionUnsuitableError as `open_second`.
    """
    own = _pid(connection)
    if own == connection.info.backend_pid:
        return "direct"
    try:
        second = open_second()
    except ConnectionUnsuitableError as error:
        if re.search(SESSION_POOL_FULL, error.why):
            return "session pooler"  # its places are counted because each client keeps its backend
        raise
    rounds = ROUNDS_WHEN_SUSPECTED if port == TRANSACTION_PORT else ROUNDS_BEFORE_WRITING if writes else ROUNDS
    with closing(second):
        return _probe(connection, second, own, rounds)


def _probe(first: psycopg.Connection[Any], second: psycopg.Connection[Any], own: int, rounds: int) -> Kind:
    """Several rounds. An idle transaction pool shows itself in the first one: the second connection gets the backend
    that the first has just used. A busy one hands out backends by chance, so that each look is one more draw.
    """
    for _ in range(rounds):
        second.pgconn.send_query(_HOLD)
        other = _read_pid(second, SECOND_ANSWER_S)
        moved = other != own and _pid(first) != own
        if other is None and not moved:
            # The first was served once more. A transaction pool serves in turn, and the second came before it.
            other = _read_pid(second, SECOND_ANSWER_S / 4)
            if other is None:
                return "session pooler"  # the only backend is kept for the first
        if other is not None:
            second.pgconn.send_query(b"COMMIT")
            _results(second, ANSWER_S)
            moved = moved or other == own or any(_pid(first) != own for _ in range(DRAWS))
        if moved:
            return "transaction pooler"
    return "session pooler"


def _pid(connection: psycopg.Connection[Any]) -> int:
    connection.pgconn.send_query(_PID)
    pid = _read_pid(connection, ANSWER_S)
    if pid is None:
        raise psycopg.OperationalError(f"query_wait_timeout: no backend answered within {ANSWER_S:.0f} s")
    return pid


def _read_pid(connection: psycopg.Connection[Any], within_s: float) -> int | None:
    """The process id in the answer to what was sent; None if there was none in time."""
    for result in _results(connection, within_s) or ():
        if result.status == pq.ExecStatus.FATAL_ERROR:
            raise errors.error_from_result(result, encoding="utf-8")
        if result.status == pq.ExecStatus.TUPLES_OK:
            return int(result.get_value(0, 0) or 0)
    return None


def _results(connection: psycopg.Connection[Any], within_s: float) -> list[pq.abc.PGresult] | None:
    """The whole answer to what was sent; None if it did not come in time, and can be read later."""
    pgconn, until = connection.pgconn, time.monotonic() + within_s
    found: list[pq.abc.PGresult] = []
    pgconn.flush()
    while True:
        pgconn.consume_input()
        while not pgconn.is_busy():
            result = pgconn.get_result()
            if result is None:
                return found
            found.append(result)
        left = until - time.monotonic()
        if left <= 0:
            return None
        select.select([pgconn.socket], [], [], left)


def refusal(target: Target) -> ConnectionUnsuitableError:
    """Why nothing is written through a transaction pooler, and where to connect instead."""
    return ConnectionUnsuitableError(
        f"{target.name} is reached through a transaction pooler, which cannot carry a rollout: {target.address}",
        why="Each transaction may get another backend there: the lock that keeps a second operator out, and the"
        " session's settings, would be lost or left to the application. Nothing was changed.",
        fix=session_route(target),
    )


def notice(target: Target) -> str:
    """What somebody who only looks through a transaction pooler is told."""
    return (
        "this connection leads through a transaction pooler: looking works, but run, rollback and forget are refused. "
        + session_route(target)
    )


def session_route(target: Target) -> str:
    """Which host and port serve a session instead, in a sentence."""
    ref = supabase_ref(target.host, target.user)
    if is_own_host(target.host):
        return f"Use port 5432 on the same host: {target.host}:5432 is the database itself."
    if ref:
        pooler = f"{target.host}:5432" if is_pooler_host(target.host) else "the pooler's port 5432"
        return (
            f"Use the pooler in session mode, {pooler}, with the same user;"
            f" or the database itself, db.{ref}.supabase.co:5432, with user postgres (IPv6)."
        )
    return (
        "Connect to PostgreSQL itself, or to a pool in session mode (PgBouncer: pool_mode = session for this database)."
    )
