"""The step and part under way, as the engine's events tell of them. What is recorded stands in the board's survey."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from wizard.engine.events import BackfillProgressed, Event, IndexProgressed


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
    backfill: BackfillProgressed | None = None
    """How far the part's batches are; None when it is not sent in batches."""
    index: IndexProgressed | None = None
    """How far the part's index build or validation is."""

    @property
    def unit(self) -> str:
        """What is whole or not there at all, and after which it can be paused or stopped."""
        return "batch" if self.backfill is not None else "part"


def followed(live: Live | None, event: Event) -> Live | None:
    """`live` after `event`."""
    from wizard.engine import events

    match event:
        case events.StepStarted():
            return Live(event.step, event.title, event.parts, event.direction, event.sentence, began=event.at)
        case events.PartStarted() if live:
            return replace(
                live, part=event.part, parts=event.parts, part_title=event.title, part_began=event.at, sql=event.sql,
                committed=False, waited_s=None, index=None,
                backfill=live.backfill if event.part == live.part else None,
            )  # fmt: skip
        case events.PartCommitted() if live:
            return replace(live, committed=True, waited_s=None, backfill=None, index=None)
        case events.LockWaited() if live:
            return replace(
                live, waited_s=event.waited_s, patience_s=event.patience_s, next_try_s=event.next_try_s,
                attempt=event.attempt, sqlstate=event.sqlstate, sql=event.sql or live.sql,
            )  # fmt: skip
    return _progressed(live, event) if live else None


def _progressed(live: Live, event: Event) -> Live:
    from wizard.engine import events

    match event:
        case events.BackfillProgressed():
            return replace(
                live, part=event.part, parts=event.parts, part_began=live.part_began or event.at, committed=False,
                waited_s=None, backfill=event,
            )  # fmt: skip
        case events.IndexProgressed():
            return replace(live, waited_s=None, index=event)
    return live
