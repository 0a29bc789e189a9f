"""Sends several statements as one message of the simple query protocol and tells which of them failed."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import errors, generators, pq

from wizard.db.connect import Connection


@dataclass(frozen=True)
class Reply:
    """The server's answer to one statement of a message."""

    tag: str
    """Command tag, for example "INSERT 0 8"."""
    row: tuple[str | None, ...] = ()
    """The first row as text, of a statement that returned rows."""

    @property
    def rows(self) -> int | None:
        """Rows that the statement changed or returned; None for commands that do not count."""
        word = self.tag.rpartition(" ")[2]
        return int(word) if word.isdigit() else None


class MessageError(Exception):
    """A statement of a message failed; those behind it were not executed."""

    def __init__(self, index: int, error: psycopg.Error) -> None:
        super().__init__(str(error))
        self.index = index
        """Of the failing statement in the message, from 0."""
        self.error = error


def send_message(connection: Connection, text: str) -> tuple[Reply, ...]:
    """Sends `text` as one message and returns a reply for each statement.

    Raises MessageError when a statement failed: inside an explicit transaction the session then waits for ROLLBACK.
    A lost connection raises psycopg.OperationalError.
    """
    pgconn = connection.pgconn
    with connection.lock:
        pgconn.send_query(text.encode())
        results = connection.wait(generators.execute(pgconn))
    replies = []
    for index, result in enumerate(results):
        if result.status in {pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE}:
            error = errors.error_from_result(result, encoding="utf-8")
            if pgconn.status == pq.ConnStatus.BAD:
                # A time limit of the server ends the session too, but has a class of its own.
                raise error if isinstance(error, psycopg.OperationalError) else psycopg.OperationalError(str(error))
            raise MessageError(index, error)
        row = [result.get_value(0, column) for column in range(result.nfields)] if result.ntuples else []
        texts = tuple(None if value is None else value.decode() for value in row)
        replies.append(Reply((result.command_status or b"").decode(), texts))
    return tuple(replies)
