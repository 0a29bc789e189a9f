"""Keeps the rows of one rollback: which archive it goes on with or makes, and each part that destroys rows after it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from psycopg import errors, sql

from wizard.db.connect import Connection
from wizard.engine.events import Noticed
from wizard.engine.keeping.archive import Archive, archive_folder, as_registered, make_archive, readable, registered
from wizard.engine.keeping.capture import TOO_MUCH, find_captures, standing_captures
from wizard.engine.keeping.capturing import Captures
from wizard.engine.keeping.keyless import missing_key, require_no_value
from wizard.engine.keeping.late import complete, export_late, require_registered
from wizard.engine.keeping.manifest import read_archive, require_free
from wizard.engine.looking.situation import Situation
from wizard.engine.parts.guard import OUT_OF_TIME, Guard, counting, counting_texts, late_rows
from wizard.engine.parts.source import PartSource
from wizard.engine.sending.commit import commit_part, etiquette_of, lock_not_obtained, outcome_now
from wizard.engine.sending.etiquette import Etiquette
from wizard.engine.sending.failure import pending_failure
from wizard.engine.sending.reading import read_patiently
from wizard.engine.sending.send import PartFailedError, StoppedError
from wizard.engine.session.record import PartRecord
from wizard.engine.sitting import Sitting
from wizard.engine.views import Failure, Outcome
from wizard.engine.words import committed
from wizard.errors import LockNotObtainedError, WizardError
from wizard.rollout.render import Group
from wizard.text import plural

LATE_ROWS = 20_000
"""So many late rows are archived anew before the lock instead of saved under it."""
TRIES = 3
LESS_BUSY = (
    "Run the same command again when the database is less busy: it goes on with the same archive. If the table is too "
    "large for that, keep what changed since the archive yourself, for example with pg_dump --table; then roll back "
    "with --discard-data, which does not look for it."
)
"""What can be done if saving takes longer than the application may wait."""


@dataclass(frozen=True)
class Undo:
    """One recorded part and what rolling it back sends."""

    record: PartRecord
    groups: tuple[Group, ...]
    guards: tuple[Guard, ...]


def guards_with_steps(undos: Sequence[Undo]) -> list[tuple[str, Guard]]:
    """Everything that could be lost, with the step it belongs to."""
    return [(undo.record.step, guard) for undo in undos for guard in undo.guards]


def unfinished(
    connection: Connection, situation: Situation, undos: Sequence[Undo], folder: Path | None
) -> Archive | None:
    """The archive that an interrupted rollback goes on with, if it holds all that is left to undo and lies here.

    However long ago it was made, it stays exact: each part saves what changed since its snapshot. Of a large table that
    takes triggers which have noted every change since; without them it is archived anew. What they noted belongs to
    the newest archive, so that one or none: not an older one, wherever the newest lies. Raises RefusedError if there
    are values that no archive could hold.
    """
    assert situation.active is not None
    guards = [guard for _, guard in guards_with_steps(undos)]
    now = list(_with_keys(connection, guards, situation.schema))
    wanted = find_captures(connection, situation.schema, guards)
    row = next(iter(registered(connection, situation.active.rollout_id)), None)
    if row is None or not _goes_on_here(row, folder):
        return None
    archive = as_registered(connection, row)
    standing = standing_captures(connection, situation.active.rollout_id, archive.archive_id)
    noted = {place for place, one in standing.items() if one.intact and one.before_archive}
    if not archive.covers(now) or not wanted.keys() <= noted:
        return None
    if row["sha256"]:
        try:
            require_registered(read_archive(Path(row["path"])), row, unfinished=True)
        except WizardError:
            return None
    return archive


def _goes_on_here(row: Mapping[str, Any], folder: Path | None) -> bool:
    """It is open, of this machine, and in the folder that was asked for, if one was."""
    is_here = row["completed_at"] is None and row["host"] == socket.gethostname()
    return is_here and (folder is None or Path(row["path"]) == folder)


def _with_keys(connection: Connection, guards: Sequence[Guard], schema: str) -> Iterator[Guard]:
    """The guards as they can be read now, in which one without a key finds nothing. Raises RefusedError if one does."""
    for guard in guards:
        if not guard.columns or not missing_key(connection, guard, schema):
            yield guard
            continue
        with connection.transaction():
            now, columns = readable(connection, guard, schema)
            if columns:
                require_no_value(connection, now, guard, schema)
        yield now


def _gave_up(failure: Failure) -> LockNotObtainedError:
    return LockNotObtainedError(
        f"gave up step {failure.step}: {failure.message}", why=failure.state_now, fix=LESS_BUSY
    )  # fmt: skip


class Keeper:
    """The archive of one rollback."""

    def __init__(self, here: Sitting, undos: Sequence[Undo], folder: Path | None, captures: Captures) -> None:
        self._here = here
        self._captures = captures
        self._left = list(undos)
        self._folder = folder
        self._archive: Archive | None = None
        self._told: list[str] = []

    def begin(self) -> bool:
        """Before the first part: goes on with an archive or makes one; False if the operator cancelled."""
        if not guards_with_steps(self._left):
            return True
        here = self._here
        self._archive = unfinished(here.connection, here.situation, self._left, self._folder)
        if self._archive is not None:
            return True
        folder = self._folder or archive_folder(here.settings, here.target.name)
        if folder is not None:
            require_free(folder)
        made = False
        try:
            made = self._captures.make() and self._make(folder)
        finally:
            if not made and not here.connection.broken:
                self._captures.give_up()
        return made

    def _make(self, folder: Path | None) -> bool:
        self._archive = make_archive(self._here, guards_with_steps(self._left), folder)
        if self._archive is None:
            return False
        if self._archive.rows:
            self._here.emit(Noticed(text=f"{plural(self._archive.rows, 'row')} archived in {folder}"))
        return True

    def destroy(self, source: PartSource, undo: Undo, *, parts: int) -> Outcome | None:
        """Commits a part that destroys rows, with what changed since the archive; then writes that to the archive."""
        here = self._here
        for attempt in range(1, TRIES + 1):
            assert self._archive is not None
            archive = self._archive
            guards = archive.guards(undo.guards)
            trusted = self._captures.trusted(archive)
            with self._asking(source) as etiquette:
                late = sum(self._measure(guard, archive, etiquette) for guard in guards if guard.place not in trusted)
            if here.steering.cancelled:
                return outcome_now(here, "stopped")
            if late > LATE_ROWS and attempt < TRIES:
                if not self._again():
                    return outcome_now(here, "stopped")
                continue
            drain = partial(self._captures.drain, trusted, archive, guards)
            if not drain():
                return outcome_now(here, "stopped")
            budget = here.settings.lock_budget_ms
            saving = archive.saving(budget, self._captures.saving(trusted, archive, guards, budget))
            message = here.composer.revert(
                here.situation, replace(source, guards=guards, saving=saving, one_message=True)
            )
            try:
                outcome = commit_part(here, message, parts=parts, before_retry=drain).outcome
            except LockNotObtainedError as error:
                raise self._in_words(error) from None
            if outcome is not None and outcome.failure is not None and outcome.failure.sqlstate == OUT_OF_TIME:
                raise _gave_up(outcome.failure)
            if outcome is None:
                self._left.remove(undo)
                self._export(archive)
            return outcome
        raise AssertionError("unreachable")

    def _again(self) -> bool:
        """Too much has changed: a new archive of all that is left, and the old one gets nothing more."""
        archive = self._archive
        assert archive is not None
        if self._folder is not None:
            self._folder = self._folder.with_name(f"{self._folder.name}-again")
        made = self._make(self._folder or archive_folder(self._here.settings, self._here.target.name))
        if made:
            self._remember(archive)
            complete(self._here.connection, archive.archive_id)
        return made

    @contextmanager
    def _asking(self, source: PartSource) -> Iterator[Etiquette]:
        """Questions about the part's tables, as patient as the part. Raises LockNotObtainedError."""
        try:
            with etiquette_of(self._here, source) as etiquette:
                yield etiquette
        except PartFailedError as failed:
            now = f"{committed(self._here.situation)}."
            raise lock_not_obtained(self._here, f"in step {source.step}", failed.seen, state_now=now) from None

    def _measure(self, guard: Guard, archive: Archive, etiquette: Etiquette) -> int:
        """How many rows would be saved under the lock, counted without one, by reading all that would be read then.

        Raises LockNotObtainedError if only that takes longer than the application may wait.
        """
        select = late_rows(guard, archive.entries[guard.place].horizon)
        late, looking = self._timed(counting(select), etiquette)
        _, counting_all = self._timed(counting(guard.select), etiquette)
        self._require_in_time(guard, looking + counting_all)
        if 0 < late <= LATE_ROWS:
            _, reading = self._timed(counting_texts(select), etiquette)
            self._require_in_time(guard, reading + counting_all)
        return late

    def _timed(self, select: str, etiquette: Etiquette) -> tuple[int, float]:
        """The number that it selects, and its seconds; nothing if the table is gone or the operator cancelled."""
        here, connection = self._here, self._here.connection
        began = time.monotonic()

        def read() -> tuple[int, float]:
            nonlocal began
            with connection.transaction():
                connection.execute(
                    sql.SQL("SET LOCAL statement_timeout = {}").format(f"{10 * here.settings.lock_budget_ms}ms")
                )
                # Saving writes, so it has none: https://www.postgresql.org/docs/current/when-can-parallel-query-be-used.html
                connection.execute("SET LOCAL max_parallel_workers_per_gather = 0")
                began = time.monotonic()
                row = connection.execute(select.encode()).fetchone()
                assert row is not None
                return int(row["number"]), time.monotonic() - began

        try:
            return read_patiently(here, etiquette, select, read)
        except (errors.UndefinedTable, StoppedError):
            return 0, 0.0
        except errors.QueryCanceled:
            return 0, time.monotonic() - began

    def _require_in_time(self, guard: Guard, seconds: float) -> None:
        budget = self._here.settings.lock_budget_ms / 1000
        if seconds > budget:
            raise LockNotObtainedError(
                f"looking for rows of {guard.table} that changed since the archive takes {seconds:.1f} s, longer than "
                f"the {budget:.1f} s that the application may wait for it",
                why=f"The table was not locked. {committed(self._here.situation)}.",
                fix=LESS_BUSY,
            )

    def _in_words(self, error: LockNotObtainedError) -> LockNotObtainedError:
        failure = pending_failure(self._here.connection, self._here.situation)
        return _gave_up(failure) if failure is not None and failure.message.startswith(TOO_MUCH) else error

    def _export(self, archive: Archive) -> None:
        """The rows are in the database's hands; now in the archive's."""
        here = self._here
        for row in registered(here.connection, None):
            if row["archive_id"] == archive.archive_id:
                export_late(here.connection, row, here.target.name)

    def _remember(self, archive: Archive) -> None:
        if archive.folder is not None and archive.folder.exists():
            self._told.append(str(archive.folder))

    def end(self) -> str:
        """After the last part: closes the archive; the end of a sentence that says where the rows are."""
        if self._archive is None:
            return ""
        self._remember(self._archive)
        complete(self._here.connection, self._archive.archive_id)
        return f". The rows that went are archived in {', '.join(self._told)}" if self._told else ""
