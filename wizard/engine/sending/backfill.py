"""Sends a part that goes in batches: page after page of a table, then what was left over, then the checkpoint.

Every batch commits with its place in the registry, so that whatever dies, the next session goes on behind the last one
that the database has. What is composed for it is in batch.py, how fast it may go in pace.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import psycopg
from psycopg import errors, sql

from wizard.db.message import MessageError, Reply, send_message
from wizard.db.queries import query
from wizard.engine.parts import batch as batches
from wizard.engine.parts.batch import counting, with_values
from wizard.engine.parts.pages import Work, pages, turns_of
from wizard.engine.parts.source import Line, PartMessage
from wizard.engine.sending.backfilled import offer_vacuum, tell_newcomers
from wizard.engine.sending.commit import (
    announce,
    committed_part,
    etiquette_of,
    failed_part,
    lock_not_obtained,
    outcome_now,
)
from wizard.engine.sending.etiquette import LOCK_CODES, Etiquette
from wizard.engine.sending.pace import Pace, Phase
from wizard.engine.sending.reading import read_patiently, read_widely, wait_in_turn
from wizard.engine.sending.send import (
    CANCELLED,
    PartFailedError,
    StoppedError,
    interrupt,
    message_text,
    require_rooms,
    send_intent,
)
from wizard.engine.session.record import PartRecord
from wizard.engine.session.registry import load_ended_passes, record_failure
from wizard.engine.sitting import Sitting
from wizard.engine.steering import CancelledError
from wizard.engine.views import Outcome
from wizard.engine.words import committed
from wizard.errors import RefusedError, WizardError


def run_batches(here: Sitting, message: PartMessage, going_on: PartRecord | None, *, parts: int) -> Outcome | None:
    """Sends all batches that are left; an Outcome if it failed or was stopped between two of them.

    `going_on` is the attempt whose batches are committed already, forward or back as the message. One that is done is
    gone through again from its beginning. Raises LockNotObtainedError if somebody keeps the last rows locked,
    PrerequisiteError before anything is sent if the server was made read-only.
    """
    here.require_writable()
    here.composer.used(message)
    require_rooms(here.connection, message)
    if going_on is None:
        send_intent(here.connection, message)
    else:
        message = here.composer.going_on(here.situation, message, going_on.part_id)
    announce(here, message, parts=parts)
    began = time.monotonic()
    try:
        with etiquette_of(here, message.source) as etiquette:
            backfill = _Backfill(here, message, parts, etiquette)
            try:
                backfill.look(going_on)
            except PartFailedError as failed:
                if going_on is None:
                    raise
                raise _could_not_look(here, message, failed) from None
            # Only now: who cancels the counting leaves a part that is done as it was.
            if going_on is not None:
                send_intent(here.connection, message)
            backfill.run()
    except StoppedError:
        interrupt(here.connection, message.part_id)
        here.look_at_parts()
        return outcome_now(here, "stopped")
    except PartFailedError as failed:
        record_failure(here.connection, message.part_id, failed.facts())
        here.composer.failed(message.source.step)
        here.look_at_parts()
        return failed_part(here, failed)
    committed_part(here, message, parts=parts, seconds=time.monotonic() - began)
    tell_newcomers(here, message)
    offer_vacuum(here, message, backfill.rows)
    return None


def _could_not_look(here: Sitting, message: PartMessage, failed: PartFailedError) -> WizardError:
    """Why a backfill that is done, or begun, does not begin again. What is committed of it stays as it was recorded."""
    where, state_now = f"in step {message.source.step}", f"{committed(here.situation)}."
    if failed.sqlstate in LOCK_CODES:
        return lock_not_obtained(here, where, failed.seen, state_now=state_now)
    diag = failed.error.diag
    said = (diag.message_detail, f"Nothing was sent of the backfill. {state_now}")
    return RefusedError(
        f"the backfill {where} cannot begin: {failed.sqlstate} {diag.message_primary or failed.error}".rstrip(),
        why="\n".join(filter(None, said)),
        fix=diag.message_hint or "Correct the cause in the database; then run the same command again.",
    )


class _Backfill:
    """One part while its batches are sent."""

    def __init__(self, here: Sitting, message: PartMessage, parts: int, etiquette: Etiquette) -> None:
        assert message.source.batch is not None
        self._here = here
        self._message = message
        self._batch = message.source.batch
        self._key = {"part_id": message.part_id}
        self._pace = Pace(here, message, parts)
        self._number = 0
        self._reached: Mapping[str, Any] = {}
        self._etiquette = etiquette

    def look(self, going_on: PartRecord | None) -> None:
        """How far it is and how many rows there are in all; changes nothing. Raises PartFailedError, StoppedError."""
        if self._message.ahead:
            self._send(self._message.ahead, message_text(self._message.ahead))
        batches = rows = 0
        if going_on is not None:
            self._number = going_on.batches
            self._reached = (going_on.reached if going_on.state != "done" else None) or {}
            before = load_ended_passes(self._here.connection, going_on.part_id)
            batches, rows = going_on.batches - before[0], going_on.rows - before[1]
        total = going_on.total if going_on is not None and self._reached else None
        self._pace.begin(batches=batches, rows=rows, total=self._count() if total is None else total)

    @property
    def rows(self) -> int:
        """Changed by this pass, by earlier sessions too."""
        return self._pace.changed

    def run(self) -> None:
        """Everything up to the checkpoint. Raises PartFailedError, StoppedError or psycopg.OperationalError."""
        # So that a later session shows the same total.
        self._here.connection.execute(
            "UPDATE rag_wizard.part SET total = %(total)s WHERE part_id = %(part_id)s",
            {**self._key, "total": self._pace.total},
        )
        if self._pace.total and self._reached.get("phase") != "sweeping":
            self._pace.see_others()
            self._fill(self._reached)
        # Also where an earlier session noted what was left over: a partition may be gone since, or have another name.
        self._send(self._message.snapshot, message_text(self._message.snapshot))
        self._sweep()
        self._send(self._message.lines, message_text(self._message.lines))
        self._pace.tell("sweeping", last=True)

    def _count(self) -> int:
        """Rows to be changed, counted without a lock. What the server has against it is a failure of the part."""
        self._pace.tell("counting")
        here, select = self._here, counting(self._batch)
        try:
            rows = read_patiently(here, self._etiquette, select, lambda: read_widely(here, select))
        except psycopg.Error as error:
            if here.connection.broken:
                raise
            raise PartFailedError(error, Line(select), (0, 0)) from None
        return int(rows[0]["number"])

    def _leaves(self) -> list[dict[str, Any]]:
        here, update, text = self._here, self._batch.update, query("leaves")
        names = {"schema": here.settings.schema, "table": update.table, "columns": list(update.columns)}
        return read_patiently(here, self._etiquette, text, lambda: here.connection.execute(text, names).fetchall())

    def _fill(self, reached: Mapping[str, Any]) -> None:
        leaves = self._leaves()
        names = [leaf["name"] for leaf in leaves]
        begin = names.index(reached["relation"]) if reached.get("relation") in names else 0
        blocks = sum(leaf["blocks"] for leaf in leaves)
        self._pace.expect(blocks)
        for leaf in leaves[begin:]:
            turns = turns_of(leaf["blocks"], self._pace.total / max(blocks, 1))
            self._fill_relation(pages(leaf, reached, turns, self._pace.blocks))

    def _fill_relation(self, left: Iterator[Work]) -> None:
        waiting: list[Work] = []
        while waiting := waiting or list(islice(left, self._pace.batches_a_message())):
            done = self._commit_quickly(waiting)
            if done < len(waiting):
                self._commit("filling", self._message.page, waiting[done])
            waiting = waiting[done + 1 :]

    def _sweep(self) -> None:
        """Goes through what the snapshot noted until nothing of it is left."""
        attempt = 0
        while True:
            self._sweep_once()
            left = self._left()
            if not left:
                return
            attempt += 1
            self._pace.locked_out(left, self._holders(), attempt)

    def _left(self) -> int:
        row = self._here.connection.execute(
            "SELECT count(*) AS number FROM rag_wizard.leftover WHERE part_id = %(part_id)s", self._key
        ).fetchone()
        return int(row["number"]) if row else 0

    def _sweep_once(self) -> None:
        after, key_columns = 0, self._key_columns()
        while True:
            limit = {**self._key, "after": after, "limit": self._pace.rows}
            page = self._here.connection.execute(query("leftover_page"), limit).fetchone()
            if page is None:
                return
            name = page["relation"]
            values = {
                batches.RELATION: name, batches.NAME: sql.Literal(name).as_string(),
                batches.AFTER: str(after), batches.UP_TO: str(page["last"]),
                batches.KEY_COLUMNS: key_columns.as_string(),
            }  # fmt: skip
            self._commit("sweeping", self._message.sweep, Work(values, {"phase": "sweeping"}))
            after = page["last"]

    def _key_columns(self) -> sql.Composable:
        names = {
            "schema": self._here.settings.schema, "table": self._batch.update.table, "key": list(self._batch.key)
        }  # fmt: skip
        rows = self._here.connection.execute(query("key_columns"), names)
        return sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(r["name"]), sql.SQL(r["type"])) for r in rows)

    def _holders(self) -> str:
        """Who has the rows locked that are left, as far as the server tells."""
        try:
            rows = self._holder_rows()
        except errors.LockNotAvailable:
            return "somebody, who has the whole table"
        return ", ".join(f"pid {row['pid']} ({row['application'] or row['user']})" for row in rows) or "somebody"

    def _holder_rows(self) -> list[dict[str, Any]]:
        update = self._batch.update
        pairs = (sql.SQL("t.{0} = typed.{0}").format(sql.Identifier(column)) for column in self._batch.key)
        select = sql.SQL(
            "SELECT DISTINCT a.pid, a.usename::text AS user, a.application_name AS application\n"
            "FROM (SELECT key FROM rag_wizard.leftover WHERE part_id = {part} LIMIT 100) AS leftover\n"
            "CROSS JOIN LATERAL jsonb_to_record(leftover.key) AS typed ({key_columns})\n"
            "JOIN {table} AS t ON {matches}\n"
            "JOIN pg_locks AS l ON l.locktype = 'transactionid' AND l.granted AND l.transactionid = t.xmax\n"
            "JOIN pg_stat_activity AS a ON a.pid = l.pid\n"
            "LIMIT 5"
        ).format(
            part=sql.Literal(self._message.part_id), table=sql.Identifier(update.table),
            matches=sql.SQL(" AND ").join(pairs), key_columns=self._key_columns(),
        )  # fmt: skip
        return read_widely(self._here, select.as_string())

    def _commit_quickly(self, works: Sequence[Work]) -> int:
        """Pages in one message, each a transaction; how many got through before somebody was in the way of one."""
        self._pace.wait()
        lines, began = self._message.quick, time.monotonic()
        # Nothing is told before the answer to the last of them, so it is enough if that one waits for the disk.
        text = "".join(
            self._text(lines, work, ahead, durably=ahead == len(works)) for ahead, work in enumerate(works, start=1)
        )
        self._etiquette.begin_anew()
        self._etiquette.next_try(self._message)
        try:
            replies = self._send_cancellably(text)
        except MessageError as fault:
            self._failed(lines, fault)
            # A page is through when its last line is, which is COMMIT.
            replies = fault.replies[: fault.index // len(lines) * len(lines)]
        answers = [reply.row for reply in replies if reply.row]
        held_s = sum(self._committed("filling", work, row) for work, row in zip(works, answers, strict=False))
        if len(answers) == len(works):
            self._pace.travelled(time.monotonic() - began - held_s)
        return len(answers)

    def _commit(self, phase: Phase, lines: tuple[Line, ...], work: Work) -> None:
        """One batch, in one message. Tries again while somebody is in the way."""
        self._pace.wait()
        replies = self._send(lines, self._text(lines, work))
        self._committed(phase, work, next(reply.row for reply in replies if reply.row))

    def _text(self, lines: tuple[Line, ...], work: Work, ahead: int = 1, *, durably: bool = True) -> str:
        """The message of the batch that is `ahead` of the last one."""
        reached = sql.SQL("{}::jsonb").format(sql.Literal(json.dumps(work.place))).as_string()
        values = {**work.values, batches.NUMBER: str(self._number + ahead), batches.REACHED: reached}
        values[batches.DURABLY] = "on" if durably else "off"
        return with_values(message_text(lines), values)

    def _committed(self, phase: Phase, work: Work, row: tuple[str | None, ...]) -> float:
        """A batch got through: its rows, and the seconds it held them by the server's clock, which are returned."""
        rows, seconds = int(row[0] or 0), float(row[1] or 0)
        self._number += 1
        self._pace.committed(phase, rows, seconds, blocks=work.blocks)
        return seconds

    def _send(self, lines: tuple[Line, ...], text: str) -> tuple[Reply, ...]:
        """One message. While somebody is in its way it lets go and comes again, as every part does."""
        self._etiquette.begin_anew()
        while True:
            self._etiquette.next_try(self._message)
            try:
                return self._send_cancellably(text)
            except MessageError as fault:
                failed = self._failed(lines, fault)
            wait_in_turn(self._here, self._etiquette, failed, failed.line.sql if failed.line else "")

    def _send_cancellably(self, text: str) -> tuple[Reply, ...]:
        """Raises MessageError, or StoppedError if it was cancelled before it was sent."""
        try:
            with self._here.steering.cancellable(self._here.connection):
                return send_message(self._here.connection, text)
        except CancelledError:
            raise StoppedError from None

    def _failed(self, lines: tuple[Line, ...], fault: MessageError) -> PartFailedError:
        """Leaves the transaction. Returns only what somebody's lock is the reason of; raises everything else."""
        self._here.connection.execute("ROLLBACK")
        failed = PartFailedError(fault.error, lines[fault.index % len(lines)], (0, 0))
        if failed.sqlstate == CANCELLED and self._here.steering.cancelled:
            raise StoppedError from None
        if failed.sqlstate not in LOCK_CODES:
            raise failed from None
        self._pace.rolled_back()
        return failed
