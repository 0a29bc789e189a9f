"""Moves rows that came after an archive's snapshot from the registry into its folder, and closes archives."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from psycopg import sql

from wizard import __version__
from wizard.db.connect import Connection
from wizard.db.copying import Copied, LazyFile, copy_out
from wizard.durable import sync_folder
from wizard.engine.keeping.archive import registered, registered_files
from wizard.engine.keeping.last_states import keys_in, sorted_out
from wizard.engine.keeping.manifest import (
    MANIFEST,
    ArchivedColumn,
    ArchivedFile,
    Deleted,
    Manifest,
    NewFolder,
    OpenedArchive,
    cannot_write,
    read_archive,
    replace_manifest,
)
from wizard.errors import RefusedError, WizardError
from wizard.text import file_name

SAFE = "They are safe in the database, schema rag_wizard, until they are written."


def export_late(connection: Connection, row: Mapping[str, Any], target: str, folder: Path | None = None) -> None:
    """Writes what waits in the registry for one archive, then takes it out of the registry.

    `row` is one of `registered`; `folder` is where the archive lies now, if that is another place. May be repeated
    after it was interrupted at any point. Raises RefusedError or UsageError if the folder cannot be written or is not
    that archive: the rows stay in the registry then.
    """
    waiting = [file for file in registered_files(connection, row["archive_id"]) if file["waiting"]]
    if not waiting:
        return
    place = folder or (Path(row["path"]) if row["path"] else None)
    try:
        if place is None:
            sha256 = _begin(connection, row, waiting, place, target)
        elif (place / MANIFEST).exists():
            sha256 = _add(connection, row, waiting, place)
        elif _is_elsewhere(row, place):
            raise _out_of_reach(row, place)
        else:
            sha256 = _begin(connection, row, waiting, place, target)
    except OSError as error:
        raise cannot_write(error, place or Path(), state=SAFE) from None
    # One message, and so one transaction: the network is crossed once for each part that destroys rows.
    connection.execute(
        sql.SQL(";\n").join(
            (
                *(_exported(row["archive_id"], file["part_id"], file["ordinal"]) for file in waiting),
                _lies(row["archive_id"], sha256, place if sha256 else None),
            )
        )
    )


def _lies(archive_id: str, sha256: str, place: Path | None) -> sql.Composed:
    """Where the rows are that were just written, which may be another machine than where the archive was made."""
    values = {"sha256": sha256}
    if place is not None:
        values |= {"host": socket.gethostname(), "path": str(place.absolute())}
    pairs = sql.SQL(", ").join(sql.SQL("{} = {}").format(sql.Identifier(name), value) for name, value in values.items())
    return sql.SQL("UPDATE rag_wizard.archive SET {} WHERE archive_id = {}").format(pairs, archive_id)


def _exported(archive_id: str, part_id: str, ordinal: int) -> sql.Composed:
    place = sql.SQL("archive_id = {} AND part_id = {} AND ordinal = {}").format(archive_id, part_id, ordinal)
    return sql.SQL(
        "DELETE FROM rag_wizard.late_row WHERE {place};\n"
        "UPDATE rag_wizard.archive_file SET exported_at = clock_timestamp() WHERE {place}"
    ).format(place=place)


def _add(connection: Connection, row: Mapping[str, Any], waiting: Sequence[dict[str, Any]], place: Path) -> str:
    """Adds the files to an archive that is there; the manifest is replaced at once, behind them."""
    archive = read_archive(place)
    require_registered(archive, row, unfinished=True)
    waiting = sorted_out(connection, row["archive_id"], waiting, archive)
    folder = place / "late"
    folder.mkdir(exist_ok=True, mode=0o700)
    files = {(file.place, file.late): file for file in archive.manifest.files}
    deleted = {(one.part_id, one.ordinal): one for one in archive.manifest.deleted_since}
    for number, file in enumerate(waiting, start=1 + sum(one.late for one in archive.manifest.files)):
        one = (file["part_id"], file["ordinal"])
        known = files.get((one, True))
        name = known.file if known else f"late/{number:03}-{file_name(file['table_name'])}.jsonl"
        new = ".late.partial"
        (folder / new).unlink(missing_ok=True)
        copied = _copy(connection, row["archive_id"], file, LazyFile(folder / new))
        if copied.rows:
            (folder / new).replace(place / name)
            files[one, True] = _described(file, name, place / name, copied)
        gone = _gone(file, archive, files.get((one, False)), place / name if copied.rows else None)
        if gone:
            deleted[one] = Deleted(part_id=one[0], ordinal=one[1], table=file["table_name"], rows=gone)
    # A manifest that outlives a power cut must not name files that do not.
    sync_folder(folder)
    manifest = archive.manifest.model_copy(
        update={"files": tuple(files.values()), "deleted_since": tuple(deleted.values())}
    )
    if manifest == archive.manifest:
        return manifest.sha256
    return replace_manifest(archive, manifest).manifest.sha256


def _begin(
    connection: Connection, row: Mapping[str, Any], waiting: Sequence[dict[str, Any]], place: Path | None, target: str
) -> str:
    """Makes the folder for an archive that held no row until now; none if there is still nothing to write."""
    waiting = sorted_out(connection, row["archive_id"], waiting, None)
    with NewFolder(place) as new:
        files = []
        for number, file in enumerate((file for file in waiting if file["late"]), start=1):
            name = f"late/{number:03}-{file_name(file['table_name'])}.jsonl"
            path = new.path(name)
            files.append(_described(file, name, path, _copy(connection, row["archive_id"], file, LazyFile(path))))
        if not files:
            return ""
        manifest = _first_manifest(connection, row, files, waiting[0]["snapshot"], target)
        new.seal(manifest)
        new.publish()
    return manifest.sha256


def _first_manifest(
    connection: Connection, row: Mapping[str, Any], files: Sequence[ArchivedFile], snapshot: str, target: str
) -> Manifest:
    server = connection.execute(
        "SELECT current_setting('server_version') AS version, current_database()::text AS name"
    ).fetchone()
    assert server is not None
    return Manifest(
        archive_id=row["archive_id"], rollout=row["rollout"], rollout_id=row["rollout_id"], target=target,
        database=server["name"], schema=row["target_schema"], server_version=server["version"],
        wizard_version=__version__, host=socket.gethostname(), made_at=row["made_at"], snapshot=snapshot,
        files=tuple(files),
    ).sealed()  # fmt: skip


def _copy(connection: Connection, archive_id: str, file: Mapping[str, Any], to: LazyFile) -> Copied:
    select = sql.SQL(
        "SELECT row FROM rag_wizard.late_row WHERE archive_id = {} AND part_id = {} AND ordinal = {}"
    ).format(archive_id, file["part_id"], sql.Literal(file["ordinal"]))
    return copy_out(connection, select.as_string(), to)


def _described(file: Mapping[str, Any], name: str, path: Path, copied: Copied) -> ArchivedFile:
    """What the manifest says of it. Somebody may have added a column since the snapshot: the rows know it."""
    types = {column["name"]: column["type"] for column in file["column_types"]}
    with path.open(encoding="utf-8") as lines:
        names = list(json.loads(next(lines)))
    return ArchivedFile(
        file=name, table=file["table_name"], what=file["what"], step=file["step"], part_id=file["part_id"],
        ordinal=file["ordinal"], key=tuple(file["key"]),
        columns=tuple(ArchivedColumn(name=name, type=types.get(name, "text")) for name in names),
        whole_rows=not file["columns"], late=True, rows=copied.rows, bytes=copied.bytes, sha256=copied.sha256,
    )  # fmt: skip


def _gone(file: Mapping[str, Any], archive: OpenedArchive, archived: ArchivedFile | None, late: Path | None) -> int:
    """How many archived rows were deleted between the snapshot and the drop: those are kept, and counted."""
    if file["captured"]:
        return int(file["gone"] or 0)
    key = tuple(file["key"])
    if archived is None or not key:
        return 0
    new = set(keys_in(late, key)) if late else set()
    if new:
        for one in keys_in(archive.path(archived), key):
            new.discard(one)
    return int(archived.rows + len(new) - file["present"])


def require_registered(archive: OpenedArchive, row: Mapping[str, Any], *, unfinished: bool = False) -> None:
    """Raises RefusedError unless the folder's manifest is the one that the registry knows.

    `unfinished`: it may also be the one that follows it, if the wizard died before it could tell the registry.
    """
    manifest = archive.manifest
    known = {manifest.sha256, manifest.before} if unfinished else {manifest.sha256}
    if manifest.archive_id != row["archive_id"] or row["sha256"] not in known:
        raise RefusedError(
            f"{archive.folder / MANIFEST} is not the manifest that this database knows of that archive",
            why="It was replaced or changed after it was made. Nothing was changed.",
            fix="Take the archive from a backup or from the machine that made it.",
        )


def _is_elsewhere(row: Mapping[str, Any], place: Path) -> bool:
    """The archive was begun, and it is not here."""
    return bool(row["sha256"]) and not (place / MANIFEST).exists()


def _out_of_reach(row: Mapping[str, Any], place: Path) -> RefusedError:
    return RefusedError(
        f"{row['late']} rows wait to be written to an archive that is not here: {place} on {row['host']}",
        why=SAFE,
        fix=f"Run the same command on {row['host']}, or bring that folder to the same place here.",
    )


def settle(connection: Connection, target: str, rollout_id: str | None) -> list[WizardError]:
    """Exports what waits for every archive of the rollout (None: of all); the reasons for what could not be."""
    problems: list[WizardError] = []
    for row in registered(connection, rollout_id):
        if row["waiting"]:
            try:
                export_late(connection, row, target)
            except WizardError as error:
                problems.append(error)
    return problems


def complete(connection: Connection, archive_id: str) -> None:
    """Nothing more will be added to the archive. One that never held a row leaves no trace."""
    with connection.transaction():
        # Captured rows whose table was not touched after all: whatever undoes it has an archive of its own.
        connection.execute(
            "DELETE FROM rag_wizard.late_row AS l USING rag_wizard.archive_file AS f"
            " WHERE l.archive_id = %s AND f.saved_at IS NULL"
            " AND (f.archive_id, f.part_id, f.ordinal) = (l.archive_id, l.part_id, l.ordinal)",
            (archive_id,),
        )
        empty = connection.execute(
            "SELECT FROM rag_wizard.archive WHERE archive_id = %s AND sha256 = '' AND NOT EXISTS"
            " (SELECT FROM rag_wizard.late_row WHERE archive_id = %s)",
            (archive_id, archive_id),
        ).fetchone()
        if empty is not None:
            connection.execute("DELETE FROM rag_wizard.archive_file WHERE archive_id = %s", (archive_id,))
            connection.execute("DELETE FROM rag_wizard.archive WHERE archive_id = %s", (archive_id,))
            return
        connection.execute(
            "UPDATE rag_wizard.archive SET completed_at = clock_timestamp()"
            " WHERE archive_id = %s AND completed_at IS NULL",
            (archive_id,),
        )


def close_all(connection: Connection, rollout_id: str) -> None:
    """No rollback goes on with an archive of the rollout; nothing is added to them but what waits for it already."""
    for row in registered(connection, rollout_id):
        if row["completed_at"] is None:
            complete(connection, row["archive_id"])


def require_nothing_waiting(connection: Connection, target: str) -> None:
    """Before the registry is dropped: exports every late row in it. Raises RefusedError if that is not possible."""
    problems = settle(connection, target, None)
    if problems:
        raise _kept(problems[0])


def refused_waiting(connection: Connection) -> RefusedError | None:
    """The same by reading alone: rows that wait for an archive which is not here."""
    for row in registered(connection, None):
        if row["waiting"] and row["path"] and _is_elsewhere(row, Path(row["path"])):
            return _kept(_out_of_reach(row, Path(row["path"])))
    return None


def _kept(problem: WizardError) -> RefusedError:
    return RefusedError(problem.what, why=f"{problem.why} Until then the registry is kept.", fix=problem.fix)
