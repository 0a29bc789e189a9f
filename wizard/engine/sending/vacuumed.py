"""Large tables that a part is about to lock while the server vacuums them: the vacuum is made to give way first.

Whoever waits for a strong lock queues the application behind it, and a vacuum gives way only to somebody who has waited
for `deadlock_timeout`, a second. SHARE UPDATE EXCLUSIVE is in a vacuum's way as well, but in nobody's who reads or
writes: so that is waited for, in the same transaction, and the strong lock is asked for once it is had.
https://www.postgresql.org/docs/current/explicit-locking.html#TABLE-LOCK-COMPATIBILITY
"""

from __future__ import annotations

from collections.abc import Iterable

from wizard.db.queries import query
from wizard.engine.events import Noticed
from wizard.engine.parts.source import PartSource
from wizard.engine.sitting import Sitting
from wizard.rollout.render import Strategy


def vacuumed_tables(here: Sitting, source: PartSource, locked: Iterable[str]) -> tuple[str, ...]:
    """Those of `locked` that somebody vacuums, analyzes or indexes right now; told once each in a sitting."""
    tables = source.tables or (tuple(locked) if _has_large_tables(here) else ())
    if not tables:
        return ()
    names = {"schema": here.settings.schema, "tables": list(tables)}
    found = tuple(row["name"] for row in here.connection.execute(query("vacuumed"), names))
    if set(found) - here.told_vacuumed:
        here.told_vacuumed |= set(found)
        text = (
            f"vacuumed, or indexed, right now: {', '.join(found)}. LOCK TABLE ... IN SHARE UPDATE EXCLUSIVE MODE goes"
            " first, which a vacuum of the server gives way to and nobody who reads or writes waits for"
        )
        here.emit(Noticed(step=source.step, text=text))
    return found


def _has_large_tables(here: Sitting) -> bool:
    """A small one is vacuumed in a moment, which is not worth a request."""
    record, situation = here.situation.active, here.situation
    return any(rendered.choice.strategy is Strategy.ONLINE for rendered in situation.steps) or (
        record is not None and any(part.strategy == Strategy.ONLINE.value for part in record.parts)
    )
