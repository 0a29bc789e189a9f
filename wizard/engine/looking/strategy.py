"""Chooses for each step how it is executed on this database, and says why. What a part that stands recorded holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wizard.db.connect import Connection
from wizard.db.queries import query
from wizard.engine.session.record import RolloutRecord
from wizard.engine.settings import Settings
from wizard.rollout.model import Rollout, Step
from wizard.rollout.render import Choice, Strategy

LARGE_ROWS = 10_000
LARGE_BYTES = 10 << 20
"""From either on a table is large: a scan of it, under a lock that stops the application, would be noticed."""


def choose(
    connection: Connection, rollout: Rollout, settings: Settings, record: RolloutRecord | None
) -> dict[str, Choice]:
    """Step id -> its strategy. A step of which something stands keeps the one that it began with."""
    wanted = _wanted(settings, record)
    tables = sorted({table for step in rollout.steps if step.deploy for table in step.tables})
    sizes: dict[str, Any] = {}
    if tables and wanted != Strategy.ATOMIC.value:
        rows = connection.execute(query("table_sizes"), {"schema": settings.schema, "tables": tables})
        sizes = {row["name"]: row for row in rows}
    choices = {}
    for step in rollout.steps:
        standing = record.standing(step.id) if record is not None and record.active else ()
        if standing:
            choices[step.id] = Choice(Strategy(standing[0].strategy), "as it began")
        elif step.deploy:
            choices[step.id] = _choice(step, wanted, [sizes[table] for table in step.tables if table in sizes])
    return choices


def _wanted(settings: Settings, record: RolloutRecord | None) -> str:
    if settings.strategy == "auto" and record is not None and record.active:
        return record.strategy
    return settings.strategy


def _choice(step: Step, wanted: str, sizes: Iterable[Mapping[str, Any]]) -> Choice:
    there = list(sizes)
    partitioned = [size["name"] for size in there if size["partitioned"]]
    large = [size for size in there if size["rows"] >= LARGE_ROWS or size["bytes"] >= LARGE_BYTES]
    if wanted == Strategy.ATOMIC.value:
        return Choice(Strategy.ATOMIC, "asked for")
    if partitioned and step.takes_strong_lock and _adds_to_tables(step):
        reason = (
            f"{partitioned[0]} is partitioned: it cannot be indexed CONCURRENTLY as a whole; readers and writers wait"
        )
        return Choice(Strategy.ATOMIC, reason)
    if wanted == Strategy.ONLINE.value:
        used = [size for size in there if size["heap_bytes"] > 0]
        return Choice(Strategy.ONLINE, "asked for") if used else Choice(Strategy.ATOMIC, "its tables are new")
    if large:
        return Choice(Strategy.ONLINE, words(large[0]))
    return Choice(Strategy.ATOMIC, f"{there[0]['name']} is small" if there else "its tables are new")


def _adds_to_tables(step: Step) -> bool:
    return not any(fragment.batched_by for fragment in step.deploy)


def words(size: Mapping[str, Any]) -> str:
    """`tickets has ~1,000,000 rows`, `tickets has 12 MB and was never analysed`."""
    if size["rows"] >= 0:
        return f"{size['name']} has ~{size['rows']:,} rows"
    return f"{size['name']} has {size['bytes'] >> 20:,} MB and was never analysed"
