"""Sends one part: intent, transaction, and on failure the truth about it. How it asks for locks is in etiquette.py.

The intent travels in front of the part, in a transaction of its own: the server commits it before it looks at the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors

from wizard.db.connect import Connection
from wizard.db.message import MessageError, send_message
from wizard.db.prepared import ANSWER, STATEMENTS, Question
from wizard.db.reading import Rows
from wizard.engine.parts.message import ROW_COUNT
from wizard.engine.parts.source import Line, PartMessage
from wizard.engine.sending.etiquette import Etiquette
from wizard.engine.session.blockers import Seen
from wizard.engine.session.registry import record_failure, require_room
from wizard.engine.steering import CancelledError, Steering
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


@dataclass(frozen=True)
class Sent:
    """A part that is committed."""

    seconds: float
    answers: tuple[Rows, ...]
    """To what was asked behind it."""


def require_rooms(connection: Connection, message: PartMessage) -> None:
    """Makes the tables of the registry that the part needs and that are not there yet."""
    for room in message.source.rooms:
        require_room(connection, room)


def send_intent(connection: Connection, message: PartMessage) -> None:
    """Commits by itself that the part is about to be sent: from here on its row says what became of it."""
    try:
        send_message(connection, message_text(message.intent))
    except MessageError as fault:
        connection.execute("ROLLBACK")
        raise fault.error from None


def send_part(
    connection: Connection,
    message: PartMessage,
    *,
    steering: Steering,
    etiquette: Etiquette,
    intended: bool = False,
    behind: Sequence[Question] = (),
    again: Callable[[PartMessage], PartMessage] = lambda message: message,
) -> Sent:
    """Sends the part with its intent and checkpoint, and questions behind it in the same message.

    `intended`: its intent is committed already, as it has to be where the part travels alone. `again` makes the next
    message of one that did not get its lock: outside of a transaction that leaves something behind.

    Raises PartFailedError (recorded in the registry; for a lock never obtained too, with its SQLSTATE),
    StoppedError, or psycopg.OperationalError when the connection was lost and only the registry knows the outcome.
    """
    began = time.monotonic()
    intent = () if intended else message.intent
    while True:
        try:
            with steering.cancellable(connection):
                answers = _with_resets(connection, etiquette.next_try(message), intent, behind, steering.look)
        except errors.QueryCanceled:
            if not steering.cancelled:
                raise
            interrupt(connection, message.part_id)
            raise StoppedError from None
        except PartFailedError as failure:
            intent = ()
            if failure.sqlstate == CANCELLED and steering.cancelled:
                interrupt(connection, message.part_id)
                raise StoppedError from None
            pause = etiquette.let_go(failure.sqlstate, failure.line.sql if failure.line else "")
            if pause is None:
                failure.seen = etiquette.seen
                record_failure(connection, message.part_id, failure.facts())
                raise
            if not steering.wait(pause):
                message = again(message)
                continue
            interrupt(connection, message.part_id)
            raise StoppedError from None
        return Sent(time.monotonic() - began, answers)


def interrupt(connection: Connection, part_id: str) -> None:
    """Records that the operator ended an attempt."""
    connection.execute(
        "UPDATE rag_wizard.part SET state = 'interrupted' WHERE part_id = %s AND state = 'intent'", (part_id,)
    )


def send_once(
    connection: Connection,
    message: PartMessage,
    intent: tuple[Line, ...] = (),
    behind: Sequence[Question] = (),
    look: Callable[[], None] = lambda: None,
) -> tuple[Rows, ...]:
    """Sends the part's messages, the first behind `intent`, the last before `behind`; returns the answers to that.

    `look` is called between two of them and may raise CancelledError. After that, and after a PartFailedError, the
    session is out of the transaction again. What fails before or behind the part is raised as the server gave it.
    """
    asked = "; ".join(question.text(connection) for question in behind)
    rows: int | None = None
    messages = message.messages
    for number, lines in enumerate(messages, start=1):
        # A checkpoint is not kept from following what it is about.
        if number > 1 and any(line.statement for line in lines):
            _look_between(connection, look)
        sent = (*intent, *lines) if number == 1 else lines
        # Only the first line of a message can ask for the rows of the statement before it.
        text = message_text(sent, rows) + (asked if number == len(messages) else "")
        try:
            replies = send_message(connection, text)
        except MessageError as fault:
            connection.execute("ROLLBACK")
            if not len(sent) - len(lines) <= fault.index < len(sent):
                raise fault.error from None
            raise PartFailedError(fault.error, *_locate(sent, rows, fault)) from None
        rows = replies[len(sent) - 1].rows
    return tuple(replies[len(sent) + number * STATEMENTS + ANSWER].records(connection) for number in range(len(behind)))


def _look_between(connection: Connection, look: Callable[[], None]) -> None:
    try:
        look()
    except CancelledError:
        connection.execute("ROLLBACK")
        raise


def _with_resets(
    connection: Connection,
    message: PartMessage,
    intent: tuple[Line, ...],
    behind: Sequence[Question],
    look: Callable[[], None],
) -> tuple[Rows, ...]:
    """The part, then the session's own settings again, whatever became of it."""
    try:
        return send_once(connection, message, intent, behind, look)
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
        before, _, after = sql.rpartition(ROW_COUNT)
        sql = f"{before}{'NULL' if rows is None else rows}{after}"
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
