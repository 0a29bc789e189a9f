"""The step and part under way, as the engine's events tell of them. What is recorded stands in the board's survey."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from wizard.engine.events import Event


@dataclass(frozen=True)
class Live:
    """The step and part under way."""

    step: str
    title: str
    parts: int
    direction: str
    sentence: str
    began: datetime
    part: int = 0
    part_title: str = ""
    part_began: datetime | None = None
    sql: str = ""
    committed: bool = False
    """The part just reported is committed and the next has not begun."""
    waited_s: float | None = None
    """Seconds waited for a lock so far, None when it is not waiting."""
    patience_s: float = 0.0
    next_try_s: float = 0.0
    attempt: int = 0
    sqlstate: str = ""


def followed(live: Live | None, event: Event) -> Live | None:
    """`live` after `event`."""
    from wizard.engine import events

    match event:
        case events.StepStarted():
            return Live(event.step, event.title, event.parts, event.direction, event.sentence, began=event.at)
        case events.PartStarted() if live:
            return replace(
                live, part=event.part, parts=event.parts, part_title=event.title, part_began=event.at, sql=event.sql,
                committed=False, waited_s=None,
            )  # fmt: skip
        case events.PartCommitted() if live:
            return replace(live, committed=True, waited_s=None)
        case events.LockWaited() if live:
            return replace(
                live, waited_s=event.waited_s, patience_s=event.patience_s, next_try_s=event.next_try_s,
                attempt=event.attempt, sqlstate=event.sqlstate, sql=event.sql or live.sql,
            )  # fmt: skip
    return live
