"""What the engine reports while it works: past-tense facts, already recorded in the database when they are sent."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

from wizard.engine.standing_steps import StandingSteps
from wizard.engine.state import StepState
from wizard.engine.views import Blocker, CheckResult, Failure, Outcome, PrerequisiteResult, PreviewTable
from wizard.engine.views_types import RestoredFile, TypesPlan, TypesWritten

SCHEMA_VERSION = 1
"""Version of the JSON that events and documents are written in."""

Direction = Literal["deploy", "revert"]


class Event(BaseModel):
    """Base of all events. `event` is the stable name in JSON."""

    model_config = ConfigDict(frozen=True)

    schema_version: int = SCHEMA_VERSION
    event: str
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class Connected(Event):
    """A writing session was opened and holds the advisory lock."""

    event: Literal["connected"] = "connected"
    target: str
    server: str


class ConnectionLost(Event):
    """The connection is gone; what became of the last part is unknown until the database was asked."""

    event: Literal["connection_lost"] = "connection_lost"
    attempt: int
    patience_s: float
    next_try_s: float
    sentence: str = "CONNECTION LOST. Asking the database what was committed"


class Reconnected(Event):
    """Connected again; the database was asked, and `sentence` is what is committed."""

    event: Literal["reconnected"] = "reconnected"
    sentence: str


class Noticed(Event):
    """Something the operator should know; nothing stopped."""

    event: Literal["noticed"] = "noticed"
    text: str
    step: str = ""


class PrerequisiteChecked(Event):
    """One prerequisite was judged."""

    event: Literal["prerequisite_checked"] = "prerequisite_checked"
    result: PrerequisiteResult


class StepStarted(Event):
    """A step began; `sentence` is the State line from now on."""

    event: Literal["step_started"] = "step_started"
    step: str
    title: str
    direction: Direction = "deploy"
    first: int = 0
    """The part that goes first, of `parts`; 0: it is not told part by part."""
    parts: int = 1
    doing: str
    """`RUNNING 2.1`, `VERIFYING`: how the State line begins."""
    committed: StandingSteps

    @computed_field  # type: ignore[prop-decorator]
    @property
    def sentence(self) -> str:
        """`RUNNING 2.1 part 1 of 5. Steps 0 to 1.6 are committed`."""
        part = f" part {self.first} of {self.parts}" if self.first else ""
        return f"{self.doing}{part}. {self.committed.words}"


class StepPreviewed(Event):
    """What a step wants to be seen before it runs, counted right before its first part is sent."""

    event: Literal["step_previewed"] = "step_previewed"
    step: str
    tables: tuple[PreviewTable, ...]


class PartStarted(Event):
    """A part's intent was committed and its transaction is being sent."""

    event: Literal["part_started"] = "part_started"
    step: str
    part: int
    parts: int
    title: str
    direction: Direction = "deploy"
    sql: str
    """The statements of the part, without the wizard's own."""


class StatementCommitted(Event):
    """One statement of a committed part, as it stands in the statement log."""

    event: Literal["statement_committed"] = "statement_committed"
    step: str
    part: int
    ordinal: int
    direction: Direction = "deploy"
    sql: str
    rows: int | None = None
    duration_ms: float | None = None
    xid: str | None = None


class PartCommitted(Event):
    """A part and its checkpoint are committed."""

    event: Literal["part_committed"] = "part_committed"
    step: str
    part: int
    parts: int
    direction: Direction = "deploy"
    seconds: float


class LockWaited(Event):
    """A part could not get a table lock in time, let go and will try again."""

    event: Literal["lock_waited"] = "lock_waited"
    step: str
    part: int
    attempt: int
    sqlstate: str
    waited_s: float
    patience_s: float
    next_try_s: float
    next_timeout_ms: int | None = None
    """How long the next try waits, where that is longer than the part's text says: so long that a vacuum gives way."""
    waits_for: str = "a lock"
    """`a lock on tickets`."""
    sql: str = ""


class BlockersSeen(Event):
    """Who keeps the running part waiting right now; told once a second, and once with nobody when that is over."""

    event: Literal["blockers_seen"] = "blockers_seen"
    step: str
    part: int
    waits_for: str
    """`a lock on tickets`, `transactions that began before`."""
    waited_s: float
    queued: bool
    """A statement of ours waits in the queue; False between two tries, when nothing is held or queued."""
    blockers: tuple[Blocker, ...]


class IndexProgressed(Event):
    """How far a CREATE INDEX CONCURRENTLY or a validation is, as far as the server tells."""

    event: Literal["index_progressed"] = "index_progressed"
    step: str
    part: int
    phase: str
    """The server's own word, for example "building index: scanning table"."""
    done: int
    total: int
    """Blocks, or rows, or transactions that are waited for; 0 where the server does not count."""
    unit: str


class BackfillProgressed(Event):
    """Batches of a backfill were committed, or it counts, sweeps or is slowed down. At most a few a second are told."""

    event: Literal["backfill_progressed"] = "backfill_progressed"
    step: str
    part: int
    parts: int
    direction: Direction = "deploy"
    table: str
    phase: Literal["counting", "filling", "sweeping"]
    batches: int
    """Committed so far of this pass, those of earlier sessions included."""
    rows: int
    """Changed so far by this pass, those of earlier sessions included."""
    total: int | None
    """Rows that had to be changed when it began; None while they are counted."""
    rows_per_s: float | None = None
    eta_s: float | None = None
    """Seconds left at the measured rate; None: no estimate."""
    batch_rows: int
    delay_s: float | None
    """Between two batches, as it is now; None: none of its own, while others write as long as the work took."""
    slowed: str = ""
    """Why it goes slower than asked; empty if it does not."""


class CheckFinished(Event):
    """One verification check was judged."""

    event: Literal["check_finished"] = "check_finished"
    result: CheckResult


class TypesCompared(Event):
    """What will be changed in the types file; told before it is written."""

    event: Literal["types_compared"] = "types_compared"
    step: str
    plan: TypesPlan


class TypesFileWritten(Event):
    """A types file was brought up to date, and how it was before is saved."""

    event: Literal["types_file_written"] = "types_file_written"
    step: str
    written: TypesWritten


class TypesFileRestored(Event):
    """A rollback took the rollout's entries out of a types file."""

    event: Literal["types_file_restored"] = "types_file_restored"
    step: str
    file: RestoredFile


class StepFinished(Event):
    """A step ended in `state`; checks are counted when it has any."""

    event: Literal["step_finished"] = "step_finished"
    step: str
    title: str
    direction: Direction = "deploy"
    state: StepState
    checks_passed: int = 0
    checks: int = 0
    sentence: str


class Failed(Event):
    """A statement failed; its transaction is rolled back and the failure is recorded."""

    event: Literal["failed"] = "failed"
    failure: Failure


class Finished(Event):
    """The run or rollback ended."""

    event: Literal["finished"] = "finished"
    outcome: Outcome


Listener = Callable[[Event], None]
"""Called after the fact is recorded, in the engine's thread or in that of its watcher, by one of them at a time.

It must not raise and must return at once.
"""


def one_at_a_time(listener: Listener) -> Listener:
    """`listener`, never called by two threads at once."""
    lock = threading.RLock()

    def tell(event: Event) -> None:
        with lock:
            listener(event)

    return tell
