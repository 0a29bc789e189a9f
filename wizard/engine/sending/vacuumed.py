"""Large tables that a part is about to lock while the server vacuums them: the vacuum is made to give way first.

Whoever waits for a strong lock queues the application behind it, and a vacuum gives way only to somebody who has waited
for `deadlock_timeout`, a second. SHARE UPDATE EXCLUSIVE is in a vacuum's way as well, but in nobody's who reads or
writes: so that is waited for, in the same transaction, and the strong lock is asked for once it is had.
https://www.postgresql.org/docs/current/explicit-locking.html#TABLE-LOCK-COMPATIBILITY
"""

from __future__ import annotations

from wizard.db.queries import query
from wizard.engine.events import Noticed
from wizard.engine.parts.source import PartSource
from wizard.engine.sitting import Sitting
from wizard.rollout.model import STRONG_LOCKS
from wizard.rollout.render import Mode, Strategy


def vacuumed_tables(here: Sitting, source: PartSource) -> tuple[str, ...]:
    """Those that somebody vacuums, analyzes or builds an index of right now; told once each in a sitting."""
    tables = source.tables or _locked_tables(here, source)
    if not tables or source.mode is not Mode.TRANSACTION or source.patient:
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


def _locked_tables(here: Sitting, source: PartSource) -> tuple[str, ...]:
    """Tables that were there before the step and that it locks, in a rollout that has large ones.

    A small one is vacuumed in a moment, which is not worth a request.
    """
    record, situation = here.situation.active, here.situation
    if not (
        any(rendered.choice.strategy is Strategy.ONLINE for rendered in situation.steps)
        or (record is not None and any(part.strategy == Strategy.ONLINE.value for part in record.parts))
    ):
        return ()
    try:
        locks = situation.rollout.step(source.step).locks
    except KeyError:
        return ()
    return tuple(dict.fromkeys(lock.table for lock in locks if lock.existing and lock.mode in STRONG_LOCKS))
