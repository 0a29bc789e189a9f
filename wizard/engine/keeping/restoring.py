"""Commits the parts of a restore: intent, checkpoint, statement log and lock waits, as every part has them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import errors

from wizard.db.connect import Connection
from wizard.db.copying import Copied, copy_in, copy_in_psql, fixed_settings
from wizard.db.message import MessageError, send_message
from wizard.db.queries import query
from wizard.engine.events import PartCommitted, PartStarted, StatementCommitted
from wizard.engine.parts.paths import setting, wide_path
from wizard.engine.parts.source import Line, PartMessage, PartSource
from wizard.engine.sending.commit import etiquette_of, lock_not_obtained
from wizard.engine.sending.etiquette import LOCK_CODES, Etiquette
from wizard.engine.sending.send import StoppedError, send_intent
from wizard.engine.session.registry import record_failure
from wizard.engine.sitting import Sitting
from wizard.engine.words import committed
from wizard.errors import RefusedError, WizardError
from wizard.rollout.statements import terminated

RESTORE = "restore"
"""The step that a restore's parts are recorded under: it is none of the rollout's."""


@dataclass
class Script:
    """Sends statements one by one and remembers those that belong in the log."""

    connection: Connection
    sent: list[tuple[str, int | None, bool]] = field(default_factory=list)
    """Text, rows, whether triggers were held back."""
    now: str = ""
    """The statement that was sent last."""

    def run(self, text: str, *, held: bool = False) -> int:
        """Sends a statement and logs it; the rows that it changed."""
        self.now = text
        count = self.connection.execute(text.encode()).rowcount
        self.sent.append((text, count if count >= 0 else None, held))
        return max(count, 0)

    def number(self, text: str) -> int:
        """The one number that a SELECT returns; not logged."""
        self.now = text
        row = self.connection.execute(text.encode()).fetchone()
        return int(next(iter(row.values()))) if row is not None else 0

    def words(self, text: str) -> list[str]:
        """The first column of a SELECT as text; not logged."""
        self.now = text
        return [str(next(iter(row.values()))) for row in self.connection.execute(text.encode())]

    def unlogged(self, text: str) -> None:
        """Sends what changes nothing: a lock, a setting."""
        self.now = text
        self.connection.execute(text.encode())

    def load(self, table: str, path: Path) -> Copied:
        r"""Copies a file into a temporary table; the log holds it as psql's \copy."""
        self.now = copy_in_psql(table, path)
        copied = copy_in(self.connection, table, path)
        self.sent.append((self.now, copied.rows, False))
        return copied


@dataclass(frozen=True)
class RestorePart:
    """One part: a title, its number, and what it sends."""

    number: int
    title: str
    digest: str
    work: Callable[[Script], None]
    before: tuple[tuple[str, int | None, bool], ...] = ()
    """Statements sent before it, on temporary tables, that its log begins with."""


def commit_restore_part(here: Sitting, part: RestorePart) -> None:
    """Sends a part of a restore and reports it.

    Raises StoppedError, LockNotObtainedError, RefusedError for what the server or the part's own check refuses; it is
    rolled back then.
    """
    source = PartSource(RESTORE, part.number, "deploy", part.title, part.digest, ())
    message = here.composer.revert(here.situation, source)
    here.composer.used(message)
    began = time.monotonic()
    send_intent(here.connection, message)
    here.emit(PartStarted(step=RESTORE, part=part.number, parts=part.number, title=part.title, sql=""))
    with etiquette_of(here, source) as etiquette:
        while not _tried(here, message, part, etiquette):
            continue
    here.emit(PartCommitted(step=RESTORE, part=part.number, parts=part.number, seconds=time.monotonic() - began))
    for row in here.connection.execute(query("part_statements"), {"part_id": message.part_id}):
        here.emit(
            StatementCommitted(
                step=RESTORE, part=part.number, ordinal=row["ordinal"], sql=row["sql"], rows=row["rows"],
                duration_ms=row["duration_ms"], xid=row["xid"],
            )
        )  # fmt: skip
    here.look_again()


def _tried(here: Sitting, message: PartMessage, part: RestorePart, etiquette: Etiquette) -> bool:
    """True once the part is committed; False if it shall be tried again, after the time that this took is over."""
    script = Script(here.connection)
    try:
        with here.steering.cancellable(here.connection):
            _transaction(here.connection, etiquette.next_try(message), part, script, here.settings.schema)
    except psycopg.Error as error:
        if here.connection.broken:
            raise
        pause = etiquette.let_go(error.sqlstate or "", script.now)
        if pause is None:
            raise _failed(here, message, script, error, etiquette) from None
        if here.steering.wait(pause):
            _interrupted(here, message)
            raise StoppedError from None
        return False
    except WizardError:
        _interrupted(here, message)
        raise
    return True


def _transaction(connection: Connection, message: PartMessage, part: RestorePart, script: Script, schema: str) -> None:
    """Begin and checkpoint as every part has them, the work, its log, commit. Rolled back after any error."""
    head, tail = message.lines[:-2], message.lines[-2:]
    try:
        _send(connection, head)
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = '60s'")
        connection.execute(fixed_settings())
        # Its statements name every table with its schema.
        connection.execute(setting(wide_path(schema)).encode())
        part.work(script)
        for ordinal, (text, rows, held) in enumerate((*part.before, *script.sent), start=1):
            connection.execute(
                "INSERT INTO rag_wizard.statement"
                " (part_id, ordinal, sql, outcome, rows, hold_triggers, finished_at, file, line)"
                " VALUES (%s, %s, %s, 'committed', %s, %s, clock_timestamp(), '', 0)",
                (message.part_id, ordinal, text, rows, held),
            )
        _send(connection, tail)
    except BaseException:
        if not connection.broken:
            connection.execute("ROLLBACK")
        raise


def _send(connection: Connection, lines: tuple[Line, ...]) -> None:
    try:
        send_message(connection, "".join(terminated(line.sql) + "\n" for line in lines))
    except MessageError as fault:
        raise fault.error from None


def _interrupted(here: Sitting, message: PartMessage) -> None:
    here.connection.execute(
        "UPDATE rag_wizard.part SET state = 'interrupted' WHERE part_id = %s AND state IN ('intent', 'failed')",
        (message.part_id,),
    )
    here.look_again()


def _failed(
    here: Sitting, message: PartMessage, script: Script, error: psycopg.Error, etiquette: Etiquette
) -> Exception:
    """Logs the statement that failed. The part counts as interrupted: nothing of the rollout waits for it."""
    if isinstance(error, errors.QueryCanceled) and here.steering.cancelled:
        _interrupted(here, message)
        return StoppedError()
    diag = error.diag
    with here.connection.transaction():
        record_failure(
            here.connection, message.part_id,
            {
                "ordinal": len(script.sent) + 1, "sql": script.now, "file": "", "line": 0, "column": 0,
                "sqlstate": error.sqlstate, "message": diag.message_primary or str(error),
                "detail": diag.message_detail, "hint": diag.message_hint, "context": diag.context,
            },
        )  # fmt: skip
        _interrupted(here, message)
    if error.sqlstate in LOCK_CODES:
        state_now = f"This part of the restore left nothing behind. {committed(here.situation)}."
        return lock_not_obtained(here, "in the restore", etiquette.seen, state_now=state_now)
    return refused_by_server(error, here)


def refused_by_server(error: psycopg.Error, here: Sitting) -> RefusedError:
    """The server's own words for rows that it does not take."""
    diag = error.diag
    said = "\n".join(filter(None, (diag.message_detail, diag.message_hint)))
    return RefusedError(
        f"the database does not take the archived rows: {error.sqlstate} {diag.message_primary or error}",
        why=f"{said}\nThis part of the restore left nothing behind. {committed(here.situation)}.".lstrip(),
        fix="Correct the cause in the database; then restore again: rows that are back already are left as they are.",
    )
