"""Right before a step: who will keep it waiting is told, once each in a sitting."""

from __future__ import annotations

import time

from wizard.engine.events import Noticed
from wizard.engine.looking.in_the_way import cure_of, described, find_in_the_way, tables_of
from wizard.engine.sitting import Sitting
from wizard.rollout.model import Step

CLEAR_S = 5.0
"""For so long a look that found nobody holds."""


def tell_before(here: Sitting, step: Step) -> None:
    """Tells who is in the way of a step that takes strong locks, right before it; each of them once in a sitting.

    While nobody was in the way of any step a moment ago, nobody old can be by now.
    """
    if not step.takes_strong_lock or time.monotonic() < here.clear_until:
        return
    everything = {table for one in here.situation.rollout.steps for table in tables_of(one)}
    if not find_in_the_way(here.connection, here.settings.schema, everything)[0]:
        nobody_is(here)
        return
    found, _ = find_in_the_way(here.connection, here.settings.schema, tables_of(step))
    for one in found:
        key = (one.pid, one.gid, one.backend_start)
        if key not in here.told_of:
            here.told_of.add(key)
            here.emit(Noticed(step=step.id, text=f"will be in the way: {described(one)}. {cure_of(one)}"))


def nobody_is(here: Sitting) -> None:
    """A look at all tables has just found nobody."""
    here.clear_until = time.monotonic() + CLEAR_S
