"""Archives in one snapshot the rows that a rollback would destroy. What comes later is in late.py."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from psycopg import errors, sql
from psycopg.types.json import Jsonb

from wizard import __version__
from wizard.db.connect import Connection, connect
from wizard.db.copying import LazyFile, copy_out, fixed_settings
from wizard.db.queries import query
from wizard.engine.keeping.keyless import require_no_value
from wizard.engine.keeping.manifest import (
    ArchivedColumn,
    ArchivedFile,
    Manifest,
    NewFolder,
    cannot_write,
    require_free,
)
from wizard.engine.parts.guard import Guard, Saving, select_of, without_key
from wizard.engine.session.registry import has_room, require_room
from wizard.engine.settings import Settings
from wizard.engine.sitting import Sitting
from wizard.text import file_name


@dataclass(frozen=True)
class Entry:
    """One guard's rows as they are archived."""

    guard: Guard
    """With the primary key, and with a SELECT that works on the table as it is now."""
    step: str
    columns: tuple[ArchivedColumn, ...]
    snapshot: str
    horizon: str
    rows: int


@dataclass(frozen=True)
class Archive:
    """An archive that a rollback works with."""

    archive_id: str
    folder: Path | None
    """Where its rows are, or would be: nothing is written while there are none. None: nobody said where."""
    entries: Mapping[tuple[str, int], Entry]

    @property
    def rows(self) -> int:
        """Archived in the snapshot."""
        return sum(entry.rows for entry in self.entries.values())

    def guards(self, wanted: Sequence[Guard]) -> tuple[Guard, ...]:
        """The same guards as the archive reads them."""
        return tuple(self.entries[guard.place].guard for guard in wanted)

    def saving(self, budget_ms: int, captured: tuple[tuple[tuple[str, int], str], ...] = ()) -> Saving:
        """What the part that destroys the rows needs to know."""
        horizons = tuple((place, entry.horizon) for place, entry in self.entries.items())
        return Saving(self.archive_id, horizons, budget_ms, captured)

    def covers(self, guards: Sequence[Guard]) -> bool:
        """It holds the rows of all of them: parts that ran again since are others."""
        return all(
            guard.place in self.entries and self.entries[guard.place].guard.keyless == guard.keyless for guard in guards
        )


def archive_folder(settings: Settings, target: str) -> Path | None:
    """Where the next archive of this target goes; None if nobody said."""
    if settings.archives is None:
        return None
    now = datetime.now(UTC)
    return settings.archives / file_name(target) / f"{now:%Y%m%dT%H%M%S.%fZ}"


def make_archive(here: Sitting, guards: Sequence[tuple[str, Guard]], folder: Path | None) -> Archive | None:
    """Writes the rows of each (step, guard) to `folder` and registers it; None if the operator cancelled.

    Reads in one snapshot on a connection of its own, with no lock above ACCESS SHARE. Nothing is written where there
    is no row; the registry keeps the snapshot all the same, so that rows which come later are saved. Until the files
    are whole and on disk, nothing is changed in the database. Raises UsageError or RefusedError if they cannot be.
    """
    if folder is not None:
        require_free(folder)
    try:
        with (
            NewFolder(folder) as new,
            connect(
                here.target, schema=here.settings.schema, read_only=True,
                lock_timeout_ms=here.settings.lock_timeout_ms, application_name="rag-wizard archive",
            ) as connection,
        ):  # fmt: skip
            try:
                with here.steering.cancellable(connection):
                    entries, files = _read(connection, guards, here.settings.schema, new)
            except errors.QueryCanceled:
                if not here.steering.cancelled:
                    raise
                return None
            archive = Archive(str(uuid4()), folder, {entry.guard.place: entry for entry in entries})
            manifest = None
            if files:
                manifest = _manifest(here, archive, files, entries[0].snapshot)
                new.seal(manifest)
            here.begin()
            _register(here, archive, manifest.sha256 if manifest else "")
            if manifest:
                new.publish()
            return archive
    except OSError as error:
        raise cannot_write(error, folder or Path(), state="Nothing was changed in the database.") from None


def _manifest(here: Sitting, archive: Archive, files: Sequence[ArchivedFile], snapshot: str) -> Manifest:
    assert here.situation.active is not None
    server = here.situation.server
    return Manifest(
        archive_id=archive.archive_id, rollout=here.rollout.name, rollout_id=here.situation.active.rollout_id,
        target=here.target.name, database=server["database"], schema=here.settings.schema,
        server_version=server["version"], wizard_version=__version__, host=socket.gethostname(),
        made_at=datetime.now(UTC), snapshot=snapshot, files=tuple(files),
    ).sealed()  # fmt: skip


def _read(
    connection: Connection, guards: Sequence[tuple[str, Guard]], schema: str, new: NewFolder
) -> tuple[list[Entry], list[ArchivedFile]]:
    """All guards in one snapshot."""
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    # The disk may need longer than the network.
    connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    connection.execute(fixed_settings())
    taken = connection.execute(
        "SELECT pg_current_snapshot()::text AS snapshot, pg_snapshot_xmin(pg_current_snapshot())::text AS horizon"
    ).fetchone()
    assert taken is not None
    entries: list[Entry] = []
    files: list[ArchivedFile] = []
    for number, (step, recorded) in enumerate(guards, start=1):
        guard, columns = readable(connection, recorded, schema)
        if guard.keyless:
            require_no_value(connection, guard, recorded, schema)
            columns = ()
        name = f"{number:03}-{file_name(guard.table)}.jsonl"
        rows = 0
        if columns:
            copied = copy_out(connection, as_json(guard, columns), _Lazy(new, name))
            rows = copied.rows
            if rows:
                files.append(
                    ArchivedFile(
                        file=name, table=guard.table, what=guard.what, step=step, part_id=guard.part_id,
                        ordinal=guard.ordinal, key=guard.key, columns=columns, whole_rows=not guard.columns,
                        rows=copied.rows, bytes=copied.bytes, sha256=copied.sha256,
                    )
                )  # fmt: skip
        entries.append(Entry(guard, step, columns, taken["snapshot"], taken["horizon"], rows))
    connection.execute("COMMIT")
    return entries, files


class _Lazy(LazyFile):
    """A file of a folder that is not made before the first row."""

    def __init__(self, new: NewFolder, name: str) -> None:
        super().__init__(Path(name))
        self._new = new

    def write(self, block: bytes) -> None:
        if self._stream is None:
            self.path = self._new.path(self.path.name)
        super().write(block)


def as_json(guard: Guard, columns: Sequence[ArchivedColumn]) -> str:
    """SELECT of one JSON object a row, each value as the server's text of it.

    Not as JSON of its own kind: JSON cannot tell a null of SQL from one of jsonb, has no bounds of arrays, and types
    with a cast to json do not read it back. `kept` without the star would be a column, if one is called so.
    """
    names = sql.SQL(", ").join(sql.SQL("{0}::text AS {0}").format(sql.Identifier(column.name)) for column in columns)
    return (
        sql.SQL("SELECT row_to_json(kept.*) FROM (SELECT {names} FROM ({select}\n) AS lost_row) AS kept")
        .format(names=names, select=sql.SQL(guard.select))
        .as_string()
    )


UNREADABLE = (
    errors.UndefinedColumn,
    errors.UndefinedTable,
    errors.UndefinedFunction,
    errors.UndefinedObject,
    errors.DatatypeMismatch,
    errors.InvalidTextRepresentation,
)
"""What a recorded SELECT meets when somebody changed the table by hand."""


def readable(connection: Connection, guard: Guard, schema: str) -> tuple[Guard, tuple[ArchivedColumn, ...]]:
    """The guard as it can be read now, and its columns; none if there is nothing that could be lost.

    If a column that its condition names was dropped by hand, every row counts as worth keeping. If one of its key is
    gone, it is keyless. Runs in a transaction.
    """
    found = connection.execute(query("archive_columns"), {"schema": schema, "table": guard.table}).fetchall()
    there = {row["name"]: row["type"] for row in found}
    if not guard.columns:
        guard = replace(guard, key=tuple(row["name"] for row in found if row["is_key"]))
        names, whole = tuple(there), True
    else:
        values = tuple(name for name in guard.columns if name in there)
        if not values:
            return replace(guard, select=select_of(guard.table, (), "false")), ()
        gone = [name for name in guard.key if name not in there]
        guard = without_key(guard, gone) if gone else guard
        names, whole = (*guard.key, *values), values == guard.columns
    if not there:
        return guard, ()
    columns = tuple(ArchivedColumn(name=name, type=there[name]) for name in names)
    if whole and _can_be_read(connection, guard):
        return guard, columns
    return replace(guard, select=select_of(guard.table, names if guard.columns else (), "true")), columns


def _can_be_read(connection: Connection, guard: Guard) -> bool:
    """Whether everything that its condition names is still there."""
    try:
        with connection.transaction():
            connection.execute(sql.SQL("SELECT FROM ({}\n) AS lost_row LIMIT 1").format(sql.SQL(guard.select)))
    except UNREADABLE:
        return False
    return True


def _register(here: Sitting, archive: Archive, sha256: str) -> None:
    """Where the rows are, and in which snapshot they were read, before the first of them is destroyed."""
    assert here.situation.active is not None
    require_room(here.connection, "archives")
    with here.connection.transaction():
        here.connection.execute(
            "INSERT INTO rag_wizard.archive (archive_id, rollout_id, session_id, host, path, sha256)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (
                archive.archive_id, here.situation.active.rollout_id, here.composer.session_id, socket.gethostname(),
                str(archive.folder or ""), sha256,
            ),
        )  # fmt: skip
        here.connection.cursor().executemany(
            "INSERT INTO rag_wizard.archive_file (archive_id, part_id, ordinal, key, columns, sql, snapshot, rows)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    archive.archive_id, entry.guard.part_id, entry.guard.ordinal, list(entry.guard.key),
                    Jsonb([column.model_dump() for column in entry.columns]), entry.guard.select, entry.snapshot,
                    entry.rows,
                )
                for entry in archive.entries.values()
            ],
        )  # fmt: skip


def registered(connection: Connection, rollout_id: str | None) -> list[dict[str, Any]]:
    """The registry's archives, newest first; None: of all rollouts."""
    if not has_room(connection, "archives"):
        return []
    return connection.execute(query("archives"), {"rollout_id": rollout_id}).fetchall()


def registered_files(connection: Connection, archive_id: str) -> list[dict[str, Any]]:
    """What the registry knows of each guard of an archive."""
    return connection.execute(query("archive_files"), {"archive_id": archive_id}).fetchall()


def as_registered(connection: Connection, row: Mapping[str, Any]) -> Archive:
    """The archive that a row of `registered` stands for."""
    entries = dict(_entries(connection, row["archive_id"]))
    return Archive(row["archive_id"], Path(row["path"]) if row["path"] else None, entries)


def _entries(connection: Connection, archive_id: str) -> Iterator[tuple[tuple[str, int], Entry]]:
    for file in registered_files(connection, archive_id):
        guard = Guard(
            file["what"], file["table_name"], tuple(file["key"]), tuple(file["columns"]), file["sql"],
            file["part_id"], file["ordinal"],
        )  # fmt: skip
        columns = tuple(ArchivedColumn(**column) for column in file["column_types"])
        yield guard.place, Entry(guard, file["step"], columns, file["snapshot"], file["horizon"], file["rows"])
