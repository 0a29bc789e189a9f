"""Runs a rollout's own read-only queries: each in a READ ONLY transaction of its own, in one message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.rows import dict_row

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
Rows = list[dict[str, Any]]


def read_rows(connection: Connection, select: str, *, moment: Moment = NEVER, timeout_ms: int | None = None) -> Rows:
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
    return _behind(cursor, 3 if timeout_ms is None else 4)


def read_all(
    connection: Connection, asked: Sequence[tuple[str, Moment]], *, before: str = ""
) -> list[Rows | psycopg.Error]:
    """The rows of several SELECTs, each with its moment, or why the server gave none; where it can be, in one message.

    `before`: a statement of ours that is sent in front of them. Raises psycopg.OperationalError if the connection is
    lost, or QueryCanceled if somebody does not want them to go on.
    """
    if connection.kind != "transaction pooler":
        texts = (
            f"{_MOMENT.format(at.xid, at.horizon, _limit(None)).as_string()}; {select}\n; " for select, at in asked
        )
        cursor = connection.cursor()
        try:
            cursor.execute(f"BEGIN READ ONLY; {before or 'SELECT'}; {''.join(texts)}COMMIT".encode())
            cursor.nextset()
        except psycopg.Error as error:
            if connection.broken:
                raise
            connection.execute("ROLLBACK")
            if isinstance(error, errors.QueryCanceled):
                raise
        else:
            return [_behind(cursor, 3) for _ in asked]
    # Which of them the server refuses, and what it says of the others, each tells by itself.
    if before:
        connection.execute(before.encode())
    return [_rows_or_error(connection, select, at) for select, at in asked]


def all_rows(connection: Connection, texts: Sequence[str], values: Mapping[str, Any]) -> list[Rows]:
    """The rows of several statements of ours, sent as one message and so in one transaction; none of one without rows.

    Raises psycopg.Error as the server gave it.
    """
    # A message of several statements carries no parameters: they are put in on this side.
    cursor = psycopg.ClientCursor(connection, row_factory=dict_row)
    cursor.execute("\n;\n".join(texts).encode(), values)
    found = []
    while True:
        found.append(cursor.fetchall() if cursor.description else [])
        if not cursor.nextset():
            return found


def _behind(cursor: psycopg.Cursor[dict[str, Any]], results: int) -> Rows:
    for _ in range(results):
        cursor.nextset()
    return cursor.fetchall()


def _rows_or_error(connection: Connection, select: str, moment: Moment) -> Rows | psycopg.Error:
    try:
        return read_rows(connection, select, moment=moment)
    except psycopg.Error as error:
        if connection.broken or isinstance(error, errors.QueryCanceled):
            raise
        return error


def _limit(timeout_ms: int | None) -> sql.Composable:
    return sql.SQL("") if timeout_ms is None else sql.SQL("; SET LOCAL statement_timeout = {}").format(timeout_ms)
