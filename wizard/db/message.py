"""Sends several statements as one message of the simple query protocol and tells which of them failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors, generators, pq
from psycopg.adapt import Transformer
from psycopg.pq.abc import PGresult

from wizard.db.connect import Connection


@dataclass(frozen=True)
class Reply:
    """The server's answer to one statement of a message."""

    tag: str
    """Command tag, for example "INSERT 0 8"."""
    result: PGresult

    @property
    def row(self) -> tuple[str | None, ...]:
        """The first row as text; empty for a statement that returned none."""
        if not self.result.ntuples:
            return ()
        values = (self.result.get_value(0, column) for column in range(self.result.nfields))
        return tuple(None if value is None else value.decode() for value in values)

    def records(self, connection: Connection) -> list[dict[str, Any]]:
        """All rows, as a cursor of this connection would give them."""
        transformer = Transformer(connection)
        transformer.set_pgresult(self.result)
        names = [(self.result.fname(column) or b"").decode() for column in range(self.result.nfields)]
        return transformer.load_rows(0, self.result.ntuples, lambda values: dict(zip(names, values, strict=True)))

    @property
    def rows(self) -> int | None:
        """Rows that the statement changed or returned; None for commands that do not count."""
        word = self.tag.rpartition(" ")[2]
        return int(word) if word.isdigit() else None


class MessageError(Exception):
    """A statement of a message failed; those behind it were not executed."""

    def __init__(self, replies: Sequence[Reply], error: psycopg.Error) -> None:
        super().__init__(str(error))
        self.replies = tuple(replies)
        """To the statements before the failing one."""
        self.index = len(replies)
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
    replies: list[Reply] = []
    for result in results:
        if result.status in {pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE}:
            error = errors.error_from_result(result, encoding="utf-8")
            if pgconn.status == pq.ConnStatus.BAD:
                # A time limit of the server ends the session too, but has a class of its own.
                raise error if isinstance(error, psycopg.OperationalError) else psycopg.OperationalError(str(error))
            raise MessageError(replies, error)
        replies.append(Reply((result.command_status or b"").decode(), result))
    return tuple(replies)
