"""Makes, drains and takes away the triggers of one rollback's captures, and keeps the registry and people informed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

import psycopg
from psycopg import errors

from wizard.db.connect import Connection
from wizard.db.copying import fixed_settings
from wizard.engine.events import Noticed
from wizard.engine.keeping.archive import Archive
from wizard.engine.keeping.capture import (
    BY_INDEX,
    CAPTURE,
    Batch,
    Capture,
    Place,
    StandingCapture,
    find_captures,
    moving,
    saving_captured,
    standing_captures,
)
from wizard.engine.keeping.late import close_all
from wizard.engine.parts.guard import Guard
from wizard.engine.parts.message import compose
from wizard.engine.parts.source import PartMessage, PartSettings, PartSource
from wizard.engine.sending.commit import send_reported
from wizard.engine.sending.etiquette import LOCK_CODES
from wizard.engine.sending.send import PartFailedError, StoppedError, send_once
from wizard.engine.session.registry import has_room, require_room
from wizard.engine.sitting import Sitting
from wizard.engine.words import committed
from wizard.errors import LockNotObtainedError, RefusedError, WizardError
from wizard.rollout.render import Group

BATCH = 5000
"""Keys that are moved in one transaction."""
FEW = 500
"""So few captured rows may be left for the part that holds the lock: a few milliseconds."""
ROUNDS = 20
"""So often the last few are moved once more while the application goes on changing rows."""
VACUUM_AFTER = 50_000
"""After so many keys were moved the place that they took is given back: looking for the rest would read it."""


class Captures:
    """The captures of one rollback: which of its guards have triggers, and which need some."""

    def __init__(self, here: Sitting, guards: Sequence[Guard]) -> None:
        self._here = here
        self._wanted = find_captures(here.connection, here.settings.schema, guards)
        self._guards = {guard.place for guard in guards}
        self._part = 0
        self._read()
        self._noting = bool(self._standing or self._wanted)

    def _read(self, archive_id: str | None = None) -> None:
        here = self._here
        active = here.situation.active
        assert active is not None
        self._standing = standing_captures(here.connection, active.rollout_id, archive_id)

    # Making and taking away -----------------------------------------------------------------------------------------

    def make(self) -> bool:
        """Before an archive's snapshot: every large table of the rollback has triggers; False if cancelled.

        What earlier triggers noted is forgotten: whoever wrote it is over, so the snapshot will see it. Archives of
        earlier tries lack it from then on, so they are closed. Raises LockNotObtainedError or RefusedError if triggers
        cannot be made.
        """
        here = self._here
        if not self._wanted:
            return True
        require_room(here.connection, "archives")
        for place, capture in self._wanted.items():
            there = self._standing.get(place)
            if there is None or not there.intact:
                here.begin()
                group, notes = making(capture, there)
                if not self._commit(capture.title, group, notes, capture.guard.table):
                    return False
                self._standing[place] = capture.standing()
                here.emit(
                    Noticed(
                        text=f"triggers on {capture.guard.table} note which rows change from here on, until its "
                        "columns go: it is large, and must not be looked through under a lock"
                    )
                )
        self._forget_notes()
        return True

    def _forget_notes(self) -> None:
        connection, active = self._here.connection, self._here.situation.active
        assert active is not None
        with connection.transaction():
            close_all(connection, active.rollout_id)
            connection.cursor().executemany(
                "DELETE FROM rag_wizard.captured WHERE part_id = %s AND ordinal = %s", list(self._wanted)
            )

    def clear(self, *, keep: bool = False) -> bool:
        """Takes away what stands; with `keep` only what this rollback has no use for. False if cancelled."""
        for place, there in tuple(self._standing.items()):
            if keep and place in self._guards:
                continue
            self._here.begin()
            title = f"note no more which rows of {there.table} change"
            if not self._commit(title, Group(tuple(there.removing())), (there.forgetting(),), there.table):
                return False
            del self._standing[place]
        if not self._noting or not has_room(self._here.connection, "archives"):
            return True
        # What was noted until the very moment that triggers went.
        self._here.connection.execute(
            "DELETE FROM rag_wizard.captured AS noted WHERE NOT EXISTS (SELECT FROM rag_wizard.capture AS standing"
            " WHERE (standing.part_id, standing.ordinal) = (noted.part_id, noted.ordinal))"
        )
        return True

    def give_up(self) -> None:
        """After an archive that came to nothing: takes away what can be; the next command finds what is left."""
        with suppress(WizardError, psycopg.Error), self._here.steering.tidying():
            self.clear()

    def _commit(self, title: str, group: Group, notes: tuple[str, ...], table: str) -> bool:
        """A part of its own, with everything that parts have. Its failure is not one of the rollout."""
        here = self._here
        self._part += 1
        message = here.composer.revert(here.situation, capture_source(self._part, title, group, notes, table))
        try:
            send_reported(here, message, parts=1)
        except StoppedError:
            return False
        except PartFailedError as failed:
            here.connection.execute(
                "UPDATE rag_wizard.part SET state = 'interrupted' WHERE part_id = %s", (message.part_id,)
            )
            here.look_at_parts()
            raise _in_words(here, failed, title, table) from None
        return True

    # While it goes on -----------------------------------------------------------------------------------------------

    def tell(self) -> None:
        """The rollback ends before its end: its triggers stay, so that it can go on with the same archive."""
        if self._standing:
            tables = ", ".join(dict.fromkeys(there.table for there in self._standing.values()))
            self._here.emit(
                Noticed(
                    text=f"triggers on {tables} go on noting which rows change, so that the rollback can go on with "
                    "the same archive; `run` or `forget` takes them away"
                )
            )

    def removal(self, guards: Sequence[Guard]) -> tuple[tuple[Group, ...], tuple[str, ...]]:
        """What goes before the statements that drop these guards' columns, which the triggers would keep from going."""
        return removal(self._standing, guards)

    def dropped(self, guards: Sequence[Guard]) -> None:
        """The part that took them away is committed."""
        for guard in guards:
            self._standing.pop(guard.place, None)

    def trusted(self, archive: Archive) -> dict[Place, Capture]:
        """Captures that noted everything which the archive lacks."""
        self._read(archive.archive_id)
        return {
            place: self._wanted[place]
            for place, there in self._standing.items()
            if place in self._wanted and there.intact and there.before_archive
        }

    def saving(
        self, trusted: dict[Place, Capture], archive: Archive, guards: Sequence[Guard], budget_ms: int
    ) -> tuple[tuple[Place, str], ...]:
        """For each captured guard the statement that saves what is left of it."""
        return tuple(
            (
                guard.place,
                saving_captured(
                    trusted[guard.place], guard, _names(archive, guard), archive.archive_id, budget_ms
                ),
            )
            for guard in guards
            if guard.place in trusted
        )  # fmt: skip

    def drain(self, trusted: dict[Place, Capture], archive: Archive, guards: Sequence[Guard]) -> bool:
        """Moves what was noted into late_row, without a lock, until few are left; False if cancelled."""
        for guard in guards:
            if guard.place in trusted and not self._drain(trusted[guard.place], archive, guard):
                return False
        return True

    def _drain(self, capture: Capture, archive: Archive, guard: Guard) -> bool:
        here = self._here
        for _ in range(ROUNDS):
            try:
                with here.steering.cancellable(here.connection):
                    moved = self._once(capture, archive, guard)
            except errors.QueryCanceled:
                if not here.steering.cancelled:
                    raise
                return False
            except errors.LockNotAvailable:
                # Somebody holds the whole table: what is noted stays noted.
                if here.steering.wait(0.5):
                    return False
                continue
            if moved < FEW:
                break
        return not here.steering.cancelled

    def _once(self, capture: Capture, archive: Archive, guard: Guard) -> int:
        """Moves all that is noted, in batches; how many keys. Numbers that are committed late are left for the next."""
        connection, names = self._here.connection, _names(archive, guard)
        count = after = 0
        while True:
            text = moving(capture, guard, names, archive.archive_id, batch=Batch(BATCH, after))
            moved, last = _move(connection, text, archive.archive_id, guard)
            count, after = count + moved, last or after
            if moved < BATCH or self._here.steering.cancelled:
                break
        if count >= VACUUM_AFTER:
            # Without giving disk back, which would need a lock that the application's writers wait for.
            connection.execute("VACUUM (TRUNCATE false) rag_wizard.captured")
        return count


def making(capture: Capture, there: StandingCapture | None) -> tuple[Group, tuple[str, ...]]:
    """The statements that make triggers, in the place of some that are not whole, and what the registry is told."""
    before = tuple(there.removing()) if there is not None else ()
    notes = (*((there.forgetting(),) if there is not None else ()), capture.noting())
    return Group((*before, *capture.making())), notes


def capture_source(part: int, title: str, group: Group, notes: tuple[str, ...], table: str) -> PartSource:
    """Making or taking away triggers, as a part of its own."""
    return PartSource(CAPTURE, part, "revert", title, "", (group,), notes=notes, tables=(table,))


def _names(archive: Archive, guard: Guard) -> tuple[str, ...]:
    return tuple(column.name for column in archive.entries[guard.place].columns)


def _move(connection: Connection, text: str, archive_id: str, guard: Guard) -> tuple[int, int | None]:
    """One batch: how many keys it took, and the number of the last."""
    with connection.transaction():
        connection.execute(fixed_settings())
        connection.execute(BY_INDEX)
        row = connection.execute(text.encode()).fetchone()
        assert row is not None
        connection.execute(
            "UPDATE rag_wizard.archive_file SET late = coalesce(late, 0) + %s, captured = true"
            " WHERE archive_id = %s AND part_id = %s AND ordinal = %s",
            (row["saved"], archive_id, guard.part_id, guard.ordinal),
        )
    return row["moved"], row["last"]


def removal(
    standing: dict[Place, StandingCapture], guards: Sequence[Guard]
) -> tuple[tuple[Group, ...], tuple[str, ...]]:
    """The statements that take the guards' triggers away, and what the registry is told with them."""
    found = [standing[guard.place] for guard in guards if guard.place in standing]
    groups = tuple(Group(tuple(one.removing())) for one in found)
    return groups, tuple(one.forgetting() for one in found)


def _in_words(here: Sitting, failed: PartFailedError, title: str, table: str) -> WizardError:
    said = failed.error.diag.message_primary or str(failed.error)
    if failed.sqlstate in LOCK_CODES:
        return LockNotObtainedError(
            f"gave up waiting for a lock on {table} after {here.settings.lock_patience_s:.0f} s",
            why=f"It was to {title}. {committed(here.situation)}.",
            fix="End or wait for the transaction that holds the table; then run the same command again.",
        )
    return RefusedError(
        f"the database does not let the wizard {title}: {failed.sqlstate} {said}",
        why=f"Without it changes could be lost, or the application held up. {committed(here.situation)}.",
        fix="Correct the cause in the database; then run the same command again.",
    )


def take_down(here: Sitting) -> None:
    """Before a run: an interrupted rollback's triggers go, since nothing is to be dropped now.

    Raises LockNotObtainedError or RefusedError.
    """
    if here.situation.active is not None:
        Captures(here, ()).clear()


def take_down_all(here: Sitting) -> None:
    """Before the registry goes: the triggers of every rollout, with the manners of a part but without a record.

    Raises LockNotObtainedError, or psycopg.Error for what the server refuses.
    """
    for there in standing_captures(here.connection, None).values():
        source = PartSource(CAPTURE, 1, "revert", "", "", (Group(tuple(there.removing())),))
        settings = PartSettings(
            here.settings.schema, here.settings.lock_timeout_ms, here.situation.server["version_num"]
        )
        message = compose(source, settings, session_id="", rollout_id="", registry=False)
        _send_unrecorded(here, message, there.table)


def _send_unrecorded(here: Sitting, message: PartMessage, table: str) -> None:
    began = time.monotonic()
    while True:
        try:
            send_once(here.connection, message)
        except PartFailedError as failed:
            stop = failed.sqlstate not in LOCK_CODES or here.steering.wait(0.5)
            if stop or time.monotonic() - began > here.settings.lock_patience_s:
                raise _in_words(here, failed, f"note no more which rows of {table} change", table) from None
        else:
            return
