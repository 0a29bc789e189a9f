"""Parts outside of a transaction that were interrupted before their checkpoint: what of them the database holds.

A transaction that nobody saw the end of left nothing or its checkpoint. An index that was being built may be there
without one, whole or invalid: rolling back has to take it away, though no part of it stands recorded.
"""

from __future__ import annotations

from wizard.db.connect import Connection
from wizard.engine.looking.fit import INVALID
from wizard.engine.looking.live import read_items
from wizard.engine.session.record import PartRecord, RolloutRecord
from wizard.engine.session.registry import load_objects


def unseen_parts(connection: Connection, schema: str, record: RolloutRecord) -> tuple[PartRecord, ...]:
    """The latest attempts at such parts of which something is there.

    What is whole is an interrupted attempt's own: its name was free before. One that failed may have found it there.
    """
    attempts = record.without_checkpoint
    made = load_objects(connection, [attempt.part_id for attempt in attempts])
    live = read_items(connection, schema, [item for objects in made.values() for _, item in objects])
    found = []
    for attempt in attempts:
        for origin, item in made.get(attempt.part_id, ()):
            there = live.get(item.key)
            if origin != "made" or there is None:
                continue
            if there.definition == item.definition + INVALID or (there == item and attempt.state != "failed"):
                found.append(attempt)
                break
    return tuple(found)
