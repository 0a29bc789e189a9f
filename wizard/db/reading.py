"""Runs a rollout's own read-only queries: each in a READ ONLY transaction of its own, in one message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from wizard.db.connect import Connection

_MOMENT = sql.SQL("SET LOCAL rag_wizard.xid = {}; SET LOCAL rag_wizard.horizon = {}{}")
_TRANSACTION = ("BEGIN READ ONLY", "COMMIT", "ROLLBACK")
_SAVEPOINT = ("SAVEPOINT looking", "RELEASE SAVEPOINT looking", "ROLLBACK TO SAVEPOINT looking")
"""Behind a transaction pooler the whole session is one READ ONLY transaction already."""


@dataclass(frozen=True)
class Moment:
    """When something ran, as transactions; empty where unknown."""

    xid: str = ""
    """The transaction it ran in."""
    horizon: str = ""
    """The oldest transaction that was still running then."""


NEVER = Moment()


def read_rows(
    connection: Connection, select: str, *, moment: Moment = NEVER, timeout_ms: int | None = None
) -> list[dict[str, Any]]:
    """The rows of one SELECT, which may read `moment` as current_setting('rag_wizard.xid', true) and '...horizon'.

    The server refuses anything that would write, whatever the session allows, and ends it after `timeout_ms`.

    Raises psycopg.Error as the server gave it; the session is idle again then.
    """
    begin, end, undo = _SAVEPOINT if connection.kind == "transaction pooler" else _TRANSACTION
    cursor = connection.cursor()
    try:
        # The text comes from the rollout's own files, not from data.
        cursor.execute(
            f"{begin}; {_MOMENT.format(moment.xid, moment.horizon, _limit(timeout_ms)).as_string()}; {select}\n; {end}"
        )
    except psycopg.OperationalError:
        if connection.broken:
            raise
        connection.execute(undo)
        raise
    except psycopg.Error:
        connection.execute(undo)
        raise
    for _ in range(3 if timeout_ms is None else 4):
        cursor.nextset()
    return cursor.fetchall()


def _limit(timeout_ms: int | None) -> sql.Composable:
    return sql.SQL("") if timeout_ms is None else sql.SQL("; SET LOCAL statement_timeout = {}").format(timeout_ms)
