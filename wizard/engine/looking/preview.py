"""Reads what a step wants to be seen before it runs: the rollout's own queries, bounded in time. It changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import errors

from wizard.db.connect import Connection
from wizard.db.reading import read_rows
from wizard.engine.looking.situation import Situation
from wizard.engine.views import PreviewTable
from wizard.rollout.model import Preview, Step, holds
from wizard.rollout.queries import require_text, select

TIMEOUT_MS = 5000
"""So long may one preview count: it is a help, and neither the operator nor the database shall wait for it."""
MOST_ROWS = 100


@dataclass(frozen=True)
class _Read:
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    untold: str = ""


def previews(connection: Connection, situation: Situation, step: Step) -> tuple[PreviewTable, ...]:
    """Every preview of the step that applies here; what could not be counted says so."""
    return tuple(
        _table(preview, _read(connection, situation, preview))
        for preview in step.previews
        if holds(preview.when, situation.facts)
    )


def _table(preview: Preview, read: _Read) -> PreviewTable:
    return PreviewTable(
        id=preview.id, title=preview.title, columns=read.columns, rows=read.rows[:MOST_ROWS],
        more=max(len(read.rows) - MOST_ROWS, 0), untold=read.untold,
    )  # fmt: skip


def _read(connection: Connection, situation: Situation, preview: Preview) -> _Read:
    try:
        found = read_rows(connection, select(situation.rollout, preview.sql), timeout_ms=TIMEOUT_MS)
    except errors.QueryCanceled:
        return _Read(untold=f"took too long to count: more than {TIMEOUT_MS // 1000} s. The step is not affected")
    except errors.LockNotAvailable:
        return _Read(untold="not counted: somebody holds a lock on the table. The step waits for such locks by itself")
    except psycopg.Error as error:
        if connection.broken:
            raise
        return _Read(untold=f"not counted; the server says: {error.diag.message_primary or error}")
    columns = tuple(found[0]) if found else ()
    require_text(found, columns, preview.sql)
    return _Read(columns, tuple(tuple(row[name] for name in columns) for row in found))
