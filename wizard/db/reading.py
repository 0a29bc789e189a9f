"""Runs a rollout's own read-only queries: each in a READ ONLY transaction of its own, in one message."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from wizard.db.connect import Connection

_XID = sql.SQL("SET LOCAL rag_wizard.xid = {}")


def read_rows(connection: Connection, select: str, *, xid: str = "") -> list[dict[str, Any]]:
    """The rows of one SELECT, which may read `xid` as current_setting('rag_wizard.xid', true).

    The server refuses anything that would write, whatever the session allows.

    Raises psycopg.Error as the server gave it; the session is idle again then.
    """
    cursor = connection.cursor()
    try:
        # The text comes from the rollout's own files, not from data.
        cursor.execute(f"BEGIN READ ONLY; {_XID.format(xid).as_string()}; {select}\n; COMMIT")
    except psycopg.OperationalError:
        if connection.broken:
            raise
        connection.execute("ROLLBACK")
        raise
    except psycopg.Error:
        connection.execute("ROLLBACK")
        raise
    cursor.nextset()
    cursor.nextset()
    return cursor.fetchall()
