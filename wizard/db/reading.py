"""Runs a rollout's own read-only queries: each in a READ ONLY transaction of its own, in one message."""

from __future__ import annotations

from typing import Any

import psycopg

from wizard.db.connect import Connection


def read_rows(connection: Connection, select: str) -> list[dict[str, Any]]:
    """The rows of one SELECT. The server refuses anything that would write, whatever the session allows.

    Raises psycopg.Error as the server gave it; the session is idle again then.
    """
    cursor = connection.cursor()
    try:
        # The text comes from the rollout's own files, not from data.
        cursor.execute(f"BEGIN READ ONLY; {select}\n; COMMIT")
    except psycopg.OperationalError:
        if connection.broken:
            raise
        connection.execute("ROLLBACK")
        raise
    except psycopg.Error:
        connection.execute("ROLLBACK")
        raise
    cursor.nextset()
    return cursor.fetchall()
