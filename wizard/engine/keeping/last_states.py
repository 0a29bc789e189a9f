"""Leaves one state of each captured row, the last, of those that were moved into the registry one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from psycopg import sql

from wizard.db.connect import Connection
from wizard.engine.keeping.archive import registered_files
from wizard.engine.keeping.manifest import OpenedArchive

Key = tuple[str | None, ...]


def keys_in(path: Path, key: Sequence[str]) -> Iterator[Key]:
    """The key of each line."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield tuple(row[name] for name in key)


def sorted_out(
    connection: Connection, archive_id: str, waiting: Sequence[dict[str, Any]], archive: OpenedArchive | None
) -> Sequence[dict[str, Any]]:
    """`waiting` once only last states are left of what was captured; `archive` is what was archived before, if any.

    A row that only holds defaults replaces an archived one, and is worth nothing otherwise. Of rows that are gone it is
    counted how many are in the archive. May be repeated after it was interrupted.
    """
    unsorted = [file for file in waiting if file["captured"] and file["gone"] is None]
    if not unsorted:
        return waiting
    for file in unsorted:
        _sort(connection, archive_id, file, _archived(file, archive))
    wanted = {(file["part_id"], file["ordinal"]) for file in waiting}
    return [file for file in registered_files(connection, archive_id) if (file["part_id"], file["ordinal"]) in wanted]


def _archived(file: Mapping[str, Any], archive: OpenedArchive | None) -> Path | None:
    """The file with the rows of the snapshot."""
    for one in archive.manifest.files if archive is not None else ():
        if archive is not None and not one.late and one.place == (file["part_id"], file["ordinal"]):
            return archive.path(one)
    return None


def _sort(connection: Connection, archive_id: str, file: Mapping[str, Any], archived: Path | None) -> None:
    key = tuple(file["key"])
    place = sql.SQL("archive_id = {} AND part_id = {} AND ordinal = {}").format(
        archive_id, file["part_id"], sql.Literal(file["ordinal"])
    )
    texts = sql.SQL(", ").join(sql.SQL("row ->> {}").format(sql.Literal(name)) for name in key)
    with connection.transaction():
        connection.execute(
            sql.SQL(
                "DELETE FROM rag_wizard.late_row WHERE number IN (SELECT number FROM (SELECT number, row_number() OVER"
                " (PARTITION BY {texts} ORDER BY number DESC) AS nth FROM rag_wizard.late_row"
                " WHERE {place}) AS states WHERE nth > 1)"
            ).format(texts=texts, place=place)
        )
        rows = connection.execute(
            sql.SQL(
                "SELECT number, holds, ARRAY[{texts}] AS key FROM rag_wizard.late_row WHERE {place}"
                " AND holds <> 'values'"
            ).format(texts=texts, place=place)
        ).fetchall()
        states: dict[Key, str] = {tuple(row["key"]): row["holds"] for row in rows}
        there = {one for one in keys_in(archived, key) if one in states} if archived is not None and states else set()
        useless = [row["number"] for row in rows if row["holds"] == "nothing" or tuple(row["key"]) not in there]
        connection.execute("DELETE FROM rag_wizard.late_row WHERE number = ANY (%s)", (useless,))
        connection.execute(
            sql.SQL(
                "UPDATE rag_wizard.archive_file SET gone = {gone},"
                " late = (SELECT count(*) FROM rag_wizard.late_row WHERE {place}) WHERE {place}"
            ).format(gone=sql.Literal(sum(states[one] == "nothing" for one in there)), place=place)
        )
