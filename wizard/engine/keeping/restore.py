"""Restores an archive: checks it against manifest, registry and database, then puts rows and values back."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from wizard.db.connect import Connection
from wizard.engine.events import Noticed, StepFinished, StepStarted
from wizard.engine.keeping.archive import registered
from wizard.engine.keeping.late import export_late, require_registered
from wizard.engine.keeping.manifest import OpenedArchive, read_archive
from wizard.engine.keeping.merging import Refill, count_wanted, last_wanted
from wizard.engine.keeping.restoring import RESTORE, RestorePart, Script, commit_restore_part, refused_by_server
from wizard.engine.keeping.staging import Orphans, Table, read_tables, stage
from wizard.engine.looking.situation import Situation
from wizard.engine.sending.commit import outcome_now
from wizard.engine.sending.send import StoppedError
from wizard.engine.session.registry import registry_exists
from wizard.engine.sitting import Sitting
from wizard.engine.state import StepState
from wizard.engine.views import Outcome
from wizard.engine.views_back import RestorePlan, RestoreTable
from wizard.engine.words import standing_steps
from wizard.errors import LockNotObtainedError, PrerequisiteError, RefusedError
from wizard.text import plural, shortened

ROWS = "rows of "
"""How the title of the part begins that puts whole rows back."""
BATCH = 2000
"""Rows of an existing table that get values back in one part."""
CANNOT_TELL = (
    "whether a row stands there by now with other content",
    "whether a row's parent is gone by now",
    "whether the database takes every value",
)


def check_archive(connection: Connection, situation: Situation, folder: Path) -> tuple[OpenedArchive, list[Table]]:
    """The archive, verified, and the live tables that its rows belong to. Reads only.

    Raises RefusedError for an archive that is damaged, is another rollout's or does not fit the tables, and
    PrerequisiteError while the tables are not there.
    """
    archive = read_archive(folder)
    manifest = archive.manifest
    known = [row for row in _registered(connection) if row["archive_id"] == manifest.archive_id]
    # What a wizard that died left in the registry is added before anything is restored.
    waiting = any(row["waiting"] for row in known)
    for row in known:
        require_registered(archive, row, unfinished=waiting)
    archive.verify(unfinished=waiting)
    if (manifest.rollout, manifest.schema_name) != (situation.rollout.name, situation.schema):
        raise RefusedError(
            f'the archive holds rows of rollout "{manifest.rollout}" in schema "{manifest.schema_name}", not of '
            f'"{situation.rollout.name}" in "{situation.schema}"',
            why="Nothing was changed.",
            fix="Name that schema with --schema, and its rollout with --rollout.",
        )
    if situation.active is None:
        raise PrerequisiteError(
            "nothing is rolled out, so the archived rows have no tables to go to",
            why="Nothing was changed.",
            fix="Run the rollout first, then restore again.",
        )
    return archive, read_tables(connection, situation, archive)


def restore_plan(connection: Connection, situation: Situation, folder: Path) -> RestorePlan:
    """What a restore would put back. Reads only."""
    archive, tables = check_archive(connection, situation, folder)
    manifest = archive.manifest
    return RestorePlan(
        archive=str(folder), target=manifest.target, rollout=manifest.rollout, made_at=manifest.made_at,
        tables=tuple(
            RestoreTable(
                table=table.name, what=table.what, rows=sum(file.rows for file in table.files),
                late=sum(file.rows for file in table.files if file.late), whole_rows=table.whole,
            )
            for table in tables
        ),
        deleted_since=sum(one.rows for one in manifest.deleted_since),
        cannot_tell=CANNOT_TELL,
    )  # fmt: skip


@dataclass
class Done:
    """What a restore did."""

    rows: int = 0
    there: int = 0
    values: int = 0
    kept: int = 0
    left_out: int = 0
    updated: int = 0
    goes_on: bool = False
    """The rows were put back by an earlier restore; what became of them since is left as it is."""

    def words(self, folder: Path) -> str:
        """One sentence."""
        values = f"the values of {plural(self.values, 'row')} of existing tables"
        rows = "" if self.goes_on else f"{plural(self.rows, 'row')} and "
        said = [f"RESTORED {rows}{values} from {folder}"]
        if self.goes_on:
            said.append("its rows were put back before")
        told = (
            (self.there, "there already"),
            (self.kept, "of existing tables kept: their values were written since"),
            (self.updated, "changed in place, since they are in use by now: their updated_at moved"),
            (self.left_out, "without a parent left out, and written beside the archive"),
        )
        said += [f"{plural(count, 'row')} {words}" for count, words in told if count]
        return "; ".join(said)


def run_restore(here: Sitting, folder: Path, *, skip_orphans: bool) -> Outcome:
    """Puts everything back. May be run again after it ended anywhere: what it put back already is left as it is then.

    Raises what `check_archive` does; RefusedError also for rows that are there with other content, rows without a
    parent (unless `skip_orphans`) and rows that the database does not take; LockNotObtainedError.
    """
    _finish_export(here, folder)
    archive, tables = check_archive(here.connection, here.situation, folder)
    done = Done(goes_on=_rows_are_back(here.situation, archive))
    if done.goes_on:
        # The application had them since: what it changed is no conflict, and what it deleted is not missing.
        tables = [table for table in tables if not table.whole]
    here.begin()
    doing, committed = f"RESTORING {folder}", standing_steps(here.situation)
    here.emit(StepStarted(step=RESTORE, title="Restore archived rows", doing=doing, committed=committed))
    staged = Script(here.connection)
    orphans = Orphans(folder, datetime.now(UTC), skip=skip_orphans)
    try:
        with here.steering.cancellable(here.connection):
            stage(staged, archive, tables, orphans)
            _look(staged, tables, done)
    except psycopg.OperationalError as error:
        if here.connection.broken:
            raise
        if here.steering.cancelled:
            return outcome_now(here, "stopped", changed=False)
        raise refused_by_server(error, here) from None
    except psycopg.Error as error:
        raise refused_by_server(error, here) from None
    done.left_out = orphans.rows
    try:
        work = _Work(here, archive, staged, done)
        work.rows([table for table in tables if table.merge is not None])
        for table in tables:
            done.values += max((work.values(table, refill) for refill in table.refills), default=0)
    except StoppedError:
        return outcome_now(here, "stopped")
    here.emit(
        StepFinished(step=RESTORE, title="Restore archived rows", state=StepState.DONE, sentence=done.words(folder))
    )
    already = "was put back before, and every value is there already" if done.goes_on else "is there already"
    words = done.words(folder) if work.parts else f"Every archived row {already}: {folder}"
    return outcome_now(here, "done", changed=work.parts > 0, sentence=words)


def _rows_are_back(situation: Situation, archive: OpenedArchive) -> bool:
    """A restore of this very archive has committed its whole rows, and no table of theirs was rolled back since."""
    assert situation.active is not None
    steps = {file.step for file in archive.manifest.files if file.whole_rows}
    for part in reversed(situation.active.parts):
        if part.state != "done":
            continue
        if part.step in steps and part.direction == "revert":
            return False
        if part.step == RESTORE and part.digest == archive.manifest.sha256 and part.title.startswith(ROWS):
            return True
    return False


def _registered(connection: Connection) -> list[dict[str, Any]]:
    return registered(connection, None) if registry_exists(connection) else []


def _finish_export(here: Sitting, folder: Path) -> None:
    """A wizard that died may have left rows of this archive in the registry."""
    archive = read_archive(folder)
    for row in _registered(here.connection):
        if row["archive_id"] == archive.manifest.archive_id and row["waiting"]:
            export_late(here.connection, row, here.target.name, folder)
            here.emit(Noticed(text=f"{row['late']} rows that waited in the database were added to {folder}"))


def _look(script: Script, tables: Sequence[Table], done: Done) -> None:
    """Counts what is there and what is in the way, before anything is written. Raises RefusedError."""
    for table in tables:
        if table.merge is not None:
            done.there += script.number(table.merge.there())
            table.seeds = script.number(table.merge.seeds()) if table.merge.uniques else 0
        done.kept += sum(script.number(refill.kept()) for refill in table.refills)
    _refuse_conflicts(script, tables)


def _refuse_conflicts(script: Script, tables: Sequence[Table]) -> None:
    found = []
    for table in tables:
        if table.merge is None or not table.merge.uniques:
            continue
        keys = script.words(table.merge.conflicts())
        if keys:
            shown = "; ".join(shortened(key, 60) for key in keys[:5])
            more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
            found.append(f"{len(keys)} in {table.name}: {shown}{more}")
    if found:
        raise RefusedError(
            "rows of the application stand where archived rows with other content belong",
            why="\n".join([*found, "Nothing of it was restored: an archive is restored whole or not at all."]),
            fix="Compare them with the archive, and change or remove those rows; then restore again.",
        )


class _Work:
    """The parts of one restore, in order."""

    def __init__(self, here: Sitting, archive: OpenedArchive, staged: Script, done: Done) -> None:
        self._here = here
        self._digest = archive.manifest.sha256
        self._staged = tuple(staged.sent)
        self._reader = Script(here.connection)
        self._done = done
        self.parts = 0

    def _commit(self, title: str, work: Callable[[Script], None]) -> None:
        self.parts += 1
        commit_restore_part(self._here, RestorePart(self.parts, title, self._digest, work, self._staged))
        self._staged = ()

    def rows(self, tables: Sequence[Table]) -> None:
        """Whole rows, all in one part, unless every one is there."""
        every = sql.SQL("true")
        wanted = sum(self._reader.number(count_wanted(table.tag, every)) for table in tables)
        if wanted > self._done.there:
            self._commit(f"{ROWS}{', '.join(table.name for table in tables)}", partial(self._put_back, tables))

    def _put_back(self, tables: Sequence[Table], script: Script) -> None:
        """Parents first, in one transaction with every check on."""
        done = self._done
        done.rows = done.updated = 0
        for table in tables:
            merge = table.merge
            assert merge is not None
            seeds = merge.uniques if table.seeds else ()
            for unique in seeds:
                script.unlogged(merge.lock(unique))
            _refuse_conflicts(script, [table])
            for unique in seeds:
                script.run(merge.replace_seeds(unique))
                done.updated += script.run(merge.update_seeds(unique))
            done.rows += script.run(merge.insert())
            for column, sequence in table.sequences:
                script.run(merge.move_sequence(column, sequence))

    def values(self, table: Table, refill: Refill) -> int:
        """The values of one kind of columns, batch by batch, until none is left to set; how many rows got one."""
        here, began = self._here, time.monotonic()
        held = refill is table.refill and here.situation.facts.get("replica_role") != "refused"
        last, done = self._reader.number(last_wanted(table.tag)), 0
        while True:
            for first in range(1, last + 1, BATCH):
                if self._reader.number(refill.to_set(first, first + BATCH - 1)):
                    if here.steering.wait_if_paused():
                        raise StoppedError
                    work = partial(self._set, refill, first, held)
                    self._commit(f"values of {table.name}", work)
                    done += self._set_rows
            left = self._reader.number(refill.to_set())
            if not left:
                return done
            if time.monotonic() - began > here.settings.lock_patience_s:
                raise LockNotObtainedError(
                    f"{left} rows of {table.name} were held by others for {here.settings.lock_patience_s:.0f} s",
                    why="All others have their values back.",
                    fix="Restore again: it goes on with those that are left.",
                )
            if here.steering.wait(random.uniform(0.2, 0.5)):  # noqa: S311
                raise StoppedError

    def _set(self, refill: Refill, first: int, held: bool, script: Script) -> None:
        if held:
            script.unlogged("SET LOCAL session_replication_role = replica")
        self._set_rows = script.run(refill.update(first, first + BATCH - 1), held=held)
        if held:
            script.unlogged("SET LOCAL session_replication_role = origin")
