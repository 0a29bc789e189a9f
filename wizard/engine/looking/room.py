"""Whether a backfill has the room it needs, as far as the server tells: rows are written anew, and so is WAL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wizard.db.connect import Connection
from wizard.db.queries import query
from wizard.engine.looking.situation import Situation
from wizard.engine.views import PrerequisiteResult
from wizard.rollout.statements import Statement
from wizard.rollout.update import plain_update

MUCH_BYTES = 1 << 30
"""From here on the room that a backfill needs is worth a look at the disk."""


def room(connection: Connection, situation: Situation) -> Iterator[PrerequisiteResult]:
    """A warning where a lot is going to be written, or where WAL piles up while it is. Reads the catalog only."""
    tables = sorted({table for part in situation.remaining_parts for table in _filled(part.statements)})
    if not tables:
        return
    row = connection.execute(query("room"), {"schema": situation.schema, "tables": tables}).fetchone()
    assert row is not None
    much = row["bytes"] >= MUCH_BYTES
    found = [f"{', '.join(tables)} may grow by as much as {'it has' if len(tables) == 1 else 'they have'}, "
             f"{_size(row['bytes'])}, until a vacuum; at least as much WAL is written"]  # fmt: skip
    fixes = ["See that the disk has room for both."] if much else []
    if row["idle_slots"]:
        found.append(f"nobody reads replication slot {', '.join(row['idle_slots'])}: WAL is kept for it without limit")
        fixes.append("Let its subscriber go on, or drop it: SELECT pg_drop_replication_slot('NAME');")
    yield PrerequisiteResult(
        id="room", title="Room for the backfill", level="warn" if fixes else "pass", found="; ".join(found),
        fix=" ".join(fixes),
    )  # fmt: skip


def _filled(statements: Iterable[Statement]) -> Iterator[str]:
    for statement in statements:
        update = plain_update(statement.sql) if statement.kind == "update_stmt" else None
        if update is not None:
            yield update.table


def _size(size: int) -> str:
    return f"{size / (1 << 30):.1f} GB" if size >= MUCH_BYTES else f"{max(size >> 20, 1):,} MB"
