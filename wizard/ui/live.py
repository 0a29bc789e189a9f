"""The step and part under way, as the engine's events tell of them. What is recorded stands in the board's survey."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wizard.engine.events import BackfillProgressed, ConnectionLost, Event, IndexProgressed
    from wizard.engine.standing_steps import StandingSteps
    from wizard.engine.views import Blocker


_LEADING_COMMENTS = re.compile(r"\A(?:--[^\n]*\n)+")
"""What is shown in one line begins with the statement itself."""


@dataclass(frozen=True)
class Live:
    """The step and part under way."""

    step: str
    title: str
    parts: int
    direction: str
    doing: str
    """`RUNNING 2.1`, `VERIFYING`: how the State line begins."""
    first: int
    """The part that goes first; 0: it is not told part by part."""
    committed_before: StandingSteps
    """What was committed when the step began."""
    began: datetime
    part: int = 0
    part_title: str = ""
    part_began: datetime | None = None
    sql: str = ""
    committed: bool = False
    """The part just reported is committed and the next has not begun."""
    waited_s: float | None = None
    """Seconds waited so far when that was told, None when it is not waiting."""
    told: datetime | None = None
    """When `waited_s` was told."""
    waits_for: str = ""
    """`a lock on clones`."""
    queued: bool = False
    """A statement of ours stands in the queue; else it has let go and comes again."""
    blockers: tuple[Blocker, ...] = ()
    """Who is in the way, the oldest transaction first."""
    patience_s: float = 0.0
    """0: it waits as long as it takes."""
    next_try_at: datetime | None = None
    next_timeout_ms: int | None = None
    """How long the next try waits, where it is longer than usual."""
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

    def waited(self, now: datetime) -> float:
        """Seconds waited until `now`."""
        since = (now - self.told).total_seconds() if self.told else 0.0
        return (self.waited_s or 0.0) + max(since, 0.0)


def followed(live: Live | None, event: Event) -> Live | None:
    """`live` after `event`."""
    from wizard.engine import events

    match event:
        case events.StepStarted():
            return Live(
                event.step, event.title, event.parts, event.direction, event.doing, event.first, event.committed,
                began=event.at,
            )  # fmt: skip
        case events.PartStarted() if live:
            return replace(
                _free(live), part=event.part, parts=event.parts, part_title=event.title, part_began=event.at,
                sql=_LEADING_COMMENTS.sub("", event.sql), committed=False, index=None,
                backfill=live.backfill if event.part == live.part else None,
            )  # fmt: skip
        case events.PartCommitted() if live:
            return replace(_free(live), committed=True, backfill=None, index=None)
        case events.ConnectionLost() | events.Reconnected() if live:
            return _free(live)
        case _ if live:
            return _waiting(live, event)
    return live


def sought(lost: ConnectionLost | None, event: Event) -> ConnectionLost | None:
    """The lost connection that is still sought after `event`."""
    from wizard.engine import events

    match event:
        case events.ConnectionLost():
            return event
        case events.Reconnected() | events.StepStarted() | events.PartStarted():
            return None
    return lost


def _waiting(live: Live, event: Event) -> Live:
    """What keeps the part from going on, or how far it is."""
    from wizard.engine import events

    match event:
        case events.LockWaited():
            return replace(
                live, waited_s=event.waited_s, told=event.at, waits_for=event.waits_for, queued=False,
                patience_s=event.patience_s, next_try_at=event.at + timedelta(seconds=event.next_try_s),
                next_timeout_ms=event.next_timeout_ms, attempt=event.attempt, sqlstate=event.sqlstate,
                sql=event.sql or live.sql,
            )  # fmt: skip
        case events.BlockersSeen() if not event.blockers:
            return _free(live)
        case events.BlockersSeen():
            return replace(
                live, waited_s=event.waited_s, told=event.at, waits_for=event.waits_for, queued=event.queued,
                blockers=event.blockers,
            )  # fmt: skip
        case events.BackfillProgressed():
            return replace(
                _free(live), part=event.part, parts=event.parts, part_began=live.part_began or event.at,
                committed=False, backfill=event,
            )  # fmt: skip
        case events.IndexProgressed():
            return replace(live, index=event)
    return live


def _free(live: Live) -> Live:
    """Nobody is in the way."""
    return replace(
        live, waited_s=None, told=None, waits_for="", queued=False, blockers=(), patience_s=0.0, next_try_at=None,
        next_timeout_ms=None, attempt=0, sqlstate="",
    )  # fmt: skip
