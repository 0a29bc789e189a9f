"""Sends one part: intent, transaction, and on failure the truth about it. How it asks for locks is in etiquette.py."""

from __future__ import annotations

import time
from typing import Any

import psycopg

from wizard.db.connect import Connection
from wizard.db.message import MessageError, send_message
from wizard.engine.parts.etiquette import Etiquette
from wizard.engine.parts.message import ROW_COUNT
from wizard.engine.parts.source import Line, PartMessage
from wizard.engine.session.blockers import Seen
from wizard.engine.session.registry import record_failure
from wizard.engine.steering import Steering
from wizard.rollout.statements import terminated

CANCELLED = "57014"


class PartFailedError(Exception):
    """A statement of the part failed; the part is rolled back and left nothing behind."""

    def __init__(self, error: psycopg.Error, line: Line | None, place: tuple[int, int]) -> None:
        super().__init__(str(error))
        self.error = error
        self.line = line
        self.place = place
        """Line and column in the statement's file, from 1; column 0 when the server gave no position."""
        self.seen = Seen()
        """Who was in the way, if it gave up waiting for a lock."""

    @property
    def in_words(self) -> bool:
        """The error is the engine's own and says everything; the server refused nothing."""
        return self.error.diag.sqlstate is None

    @property
    def sqlstate(self) -> str:
        """The server's five characters; empty if the server did not say."""
        return self.error.sqlstate or ""

    def facts(self) -> dict[str, Any]:
        """What the registry keeps of the failure."""
        diag, statement = self.error.diag, self.line.statement if self.line else None
        return {
            "ordinal": self.line.ordinal if self.line else 0,
            "sql": self.line.sql if self.line else "",
            "file": statement.file if statement else "",
            "line": self.place[0],
            "column": self.place[1],
            "sqlstate": self.sqlstate,
            "message": diag.message_primary or str(self.error),
            "detail": diag.message_detail,
            "hint": diag.message_hint,
            "context": diag.context,
        }


class StoppedError(Exception):
    """The operator cancelled the part; it is rolled back."""


def send_intent(connection: Connection, message: PartMessage) -> None:
    """Commits that the part is about to be sent: from here on its row says what became of it."""
    try:
        send_message(connection, message_text(message.intent))
    except MessageError as fault:
        connection.execute("ROLLBACK")
        raise fault.error from None


def send_part(connection: Connection, message: PartMessage, *, steering: Steering, etiquette: Etiquette) -> float:
    """Sends the part, whose intent is committed, with its checkpoint; returns the seconds it took.

    Raises PartFailedError (recorded in the registry; for a lock never obtained too, with its SQLSTATE),
    StoppedError, or psycopg.OperationalError when the connection was lost and only the registry knows the outcome.
    """
    began = time.monotonic()
    while True:
        try:
            with steering.cancellable(connection):
                _with_resets(connection, etiquette.next_try(message))
        except PartFailedError as failure:
            if failure.sqlstate == CANCELLED and steering.cancelled:
                interrupt(connection, message.part_id)
                raise StoppedError from None
            pause = etiquette.let_go(failure.sqlstate, failure.line.sql if failure.line else "")
            if pause is None:
                failure.seen = etiquette.seen
                record_failure(connection, message.part_id, failure.facts())
                raise
            if not steering.wait(pause):
                continue
            interrupt(connection, message.part_id)
            raise StoppedError from None
        return time.monotonic() - began


def interrupt(connection: Connection, part_id: str) -> None:
    """Records that the operator ended an attempt."""
    connection.execute(
        "UPDATE rag_wizard.part SET state = 'interrupted' WHERE part_id = %s AND state = 'intent'", (part_id,)
    )


def send_once(connection: Connection, message: PartMessage) -> None:
    """Sends the part's messages; after an error, a PartFailedError, the session is out of the transaction again."""
    rows: int | None = None
    for lines in message.messages:
        # Only the first line of a message can ask for the rows of the statement before it.
        text = message_text(lines, rows)
        try:
            replies = send_message(connection, text)
        except MessageError as fault:
            connection.execute("ROLLBACK")
            raise PartFailedError(fault.error, *_locate(lines, rows, fault)) from None
        rows = replies[-1].rows


def _with_resets(connection: Connection, message: PartMessage) -> None:
    """The part, then the session's own settings again, whatever became of it."""
    try:
        send_once(connection, message)
    finally:
        if not connection.broken:
            for line in message.resets:
                connection.execute(line.sql.encode())


def message_text(lines: tuple[Line, ...], rows: int | None = None) -> str:
    """The lines as they travel together."""
    return "".join(_sql(line, rows) for line in lines)


def _sql(line: Line, rows: int | None) -> str:
    """The line as it travels, with its terminator."""
    sql = line.sql
    if line.counts_rows:
        sql = sql.replace(ROW_COUNT, "NULL" if rows is None else str(rows))
    return terminated(sql) + "\n"


def _locate(lines: tuple[Line, ...], rows: int | None, fault: MessageError) -> tuple[Line | None, tuple[int, int]]:
    """The line that failed, and the place of the fault in its file."""
    if fault.index >= len(lines):
        return None, (0, 0)
    failed = lines[fault.index]
    statement = failed.statement
    if statement is None:
        return failed, (0, 0)
    position = fault.error.diag.statement_position
    if not position:
        return failed, (statement.line, 0)
    # The server counts characters from 1 over the whole message.
    begin = sum(len(_sql(line, rows)) for line in lines[: fault.index]) + len(statement.before)
    before = statement.sql[: max(int(position) - 1 - begin, 0)]
    return failed, (statement.line + before.count("\n"), len(before) - (before.rfind("\n") + 1) + 1)
