"""What the engine tells about a rollout on a database: plain frozen data, the same for screen, JSON and console."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from wizard.engine.state import StepState
from wizard.rollout.kind import StepKind
from wizard.rollout.model import Decision, Deviation, Lock


class View(BaseModel):
    """Base: immutable."""

    model_config = ConfigDict(frozen=True)


class StatementView(View):
    """One statement as it will be, or was, sent."""

    sql: str
    ours: bool = False
    """True for the wizard's own BEGIN, SET LOCAL and checkpoint statements; a screen folds them."""
    file: str = ""
    line: int = 0
    """Where the statement begins in `file`, from 1."""


class Parameter(View):
    """A value that every batch sends anew, and what it is."""

    name: str
    """As it stands in the SQL: `%(after)s`, `$1`."""
    what: str


class PartView(View):
    """The unit that commits."""

    title: str
    state: StepState
    seconds: float | None = None
    statements: tuple[StatementView, ...] = ()
    in_batches: bool = False
    """Its statements are one batch of a backfill: they are sent many times, each time as a transaction of its own."""
    parameters: tuple[Parameter, ...] = ()
    """What differs from batch to batch."""
    locks: tuple[Lock, ...] = ()
    """Which of the step's locks this part takes; empty where the step as a whole is told."""


class PreviewTable(View):
    """Rows that the operator reads before a step runs, as the database has them now. Every cell is the database's."""

    id: str
    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    more: int = 0
    """Rows that are left out here."""
    untold: str = ""
    """Why there are no rows: it took too long to count, this role may not read it."""


class TableSize(View):
    """A table's size as the server's statistics have it. `rows` -1: never analysed."""

    table: str
    rows: int
    bytes: int
    analysed_at: datetime | None = None


class ConflictView(View):
    """An object that is not what a step would create, with both definitions."""

    step: str
    words: str
    """Which object, as in "column tickets.paid"."""
    expected: str
    """Empty if it should not be there."""
    found: str
    """Empty if it is not there."""


class ObjectView(View):
    """One object of a step, and whose it is."""

    words: str
    origin: Literal["made", "adopted", "replaced"]
    """adopted: it was there already and belongs to the database's owner; replaced: rolling back puts it back."""


class StepView(View):
    """A step on this database: rendered for it, with its recorded state."""

    id: str
    title: str
    label: str
    kind: StepKind
    state: StepState
    does: str
    why: str
    rows: str
    rollback: str
    todo: str
    locks: tuple[Lock, ...]
    sizes: tuple[TableSize, ...]
    strategy: str
    """For example "atomic: one transaction"."""
    parts: tuple[PartView, ...]
    revert: tuple[StatementView, ...]
    """What rolling back would send: from the registry once the step is done, else as rendered now."""
    checks: tuple[tuple[str, str], ...]
    """(id, title) of each check or prerequisite."""
    deviations: tuple[Deviation, ...]
    decisions: tuple[Decision, ...] = ()
    previews: tuple[tuple[str, str], ...] = ()
    """(id, title) of what can be shown before it runs."""
    conflicts: tuple[ConflictView, ...] = ()
    types: bool = False
    """A types file can be named for it."""
    types_file: str = ""
    """The one that this rollout wrote; empty if there is none."""
    objects: tuple[ObjectView, ...] = ()
    """What it makes and what it finds: from the registry once it is done, else as the database is now."""

    @property
    def stands(self) -> bool:
        """It is there, or part of it is: there is something to roll back."""
        return self.state.is_complete or self.parts_standing > 0

    @property
    def parts_standing(self) -> int:
        """Parts that are committed, also those of which only some batches are."""
        return sum(part.state.is_complete or part.state is StepState.PARTLY for part in self.parts)


class Left(View):
    """What a run would do."""

    steps: tuple[StepView, ...]
    """Those that something is sent for, in order."""
    decisions: tuple[Decision, ...]
    """Questions that it would stop for."""


class Judgement(View):
    """One judged row of a check."""

    subject: str
    expected: str | None
    found: str | None

    @property
    def passed(self) -> bool:
        """Expected equals found."""
        return self.expected == self.found


class CheckResult(View):
    """A verification check and all its rows. `error` is set when the query itself could not run."""

    step: str
    id: str
    title: str
    rows: tuple[Judgement, ...] = ()
    error: str = ""

    @property
    def passed(self) -> bool:
        """It ran, returned rows, and every row passed."""
        return not self.error and bool(self.rows) and all(row.passed for row in self.rows)


class PrerequisiteResult(View):
    """A prerequisite: pass, warn or stop, what was found, and the fix."""

    id: str
    title: str
    level: Literal["pass", "warn", "stop"]
    found: str
    fix: str = ""


class CriterionResult(View):
    """A success criterion with the checks that tick it."""

    title: str
    state: Literal["passed", "failed", "open", "not tried"]
    checks: tuple[str, ...]
    step: str = ""
    """The manual step that ticks it, if it is one of those."""
    note: str = ""


class Verification(View):
    """All of step V."""

    checks: tuple[CheckResult, ...]
    criteria: tuple[CriterionResult, ...]
    next_steps: tuple[str, ...] = ()
    listing: tuple[str, ...] = ()
    """Where the guide's listing of types is wrong about this database."""

    @property
    def passed(self) -> bool:
        """No check failed; open criteria do not count as failures."""
        return all(check.passed for check in self.checks)


class Failure(View):
    """A failed statement, in the four parts people need."""

    step: str
    title: str
    part: int
    direction: Literal["deploy", "revert"] = "deploy"
    sqlstate: str
    message: str
    detail: str = ""
    hint: str = ""
    context: str = ""
    sql: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    """Position of the fault in `file`, both from 1; 0 when the server gave none."""
    at: datetime | None = None
    state_now: str = ""
    """What is true in the database now, one sentence."""
    todo: tuple[str, ...] = ()
    """What to do, in order."""


class LoggedStatement(View):
    """One row of the statement log."""

    session: str
    operator: str
    step: str
    part: int
    direction: Literal["deploy", "revert"]
    ordinal: int
    sql: str
    outcome: Literal["committed", "rolled back", "interrupted", "failed"]
    """interrupted: its session ended, and something of it may stand."""
    mode: Literal["transaction", "concurrently", "batches"] = "transaction"
    """How its part is sent: concurrently is outside of a transaction."""
    batches: int | None = None
    """Committed batches of a part that is sent in batches."""
    rows: int | None = None
    hold_triggers: bool = False
    """It ran with session_replication_role = replica: no application trigger fired."""
    started_at: datetime | None = None
    duration_ms: float | None = None
    xid: str | None = None
    lsn: str | None = None
    error: str = ""
    rollout: str = ""
    target_schema: str = ""
    """Of the rollout: its statements name most objects without a schema."""
    part_id: str = ""

    @property
    def stands(self) -> bool:
        """It is committed; of one in batches that was interrupted, some of them are."""
        return self.outcome == "committed" or (self.outcome == "interrupted" and bool(self.sql))


class Blocker(View):
    """Somebody who keeps a part waiting, as far as this role may see. Its words are the database's own."""

    pid: int
    """Of the backend, as the server gives it; 0 of a prepared transaction."""
    backend_start: datetime | None
    """With `pid` what identifies the backend: a pid is given anew."""
    kind: Literal["session", "autovacuum", "wraparound autovacuum", "prepared transaction"]
    user: str | None
    application: str | None
    state: str | None
    """None: not visible to this role."""
    state_s: float | None
    """How long it has been in that state."""
    transaction_s: float | None = None
    """How old its transaction is; None too if it has none open."""
    gid: str = ""
    """Name of a prepared transaction."""
    query: str | None
    """Its last statement, literals masked; None: not visible to this role."""
    holds: str
    """`ROW SHARE on tickets`, `a snapshot`; empty if the server does not say."""
    may_be_ended: bool
    """This role may signal it."""
    why_not: str = ""
    """Why this role may not."""


class LastSession(View):
    """The latest session of the active rollout, for the offer to resume."""

    operator: str
    host: str
    started_at: datetime
    ended_at: datetime | None
    wizard_version: str


class ArchiveView(View):
    """A folder with rows that a rollback destroyed."""

    path: str
    host: str
    """The machine that the folder lies on."""
    rows: int
    """How many it took first, of what was destroyed then."""
    late: int
    """How many at most came or changed between that and the moment they were destroyed."""
    made_at: datetime


class ServerView(View):
    """The server and the connection as the header shows them."""

    version: str
    role: str
    tls: bool
    """Of this program's own connection, which may end at a pooler."""
    connection: Literal["direct", "session pooler", "transaction pooler"]


class Survey(View):
    """Everything a screen or `status` needs about a target, read in one read-only session."""

    target: str
    schema_name: str
    rollout: str
    server: ServerView
    steps: tuple[StepView, ...]
    begun: bool
    """True while a rollout is recorded as active in the registry."""
    finished: bool
    rolled_back: bool = False
    """True when the latest recorded rollout was rolled back whole and the registry is still there."""
    failure: Failure | None = None
    last_session: LastSession | None = None
    archives: tuple[ArchiveView, ...] = ()
    """Rows that rollbacks of this rollout destroyed, newest first."""
    open_decisions: tuple[Decision, ...] = ()
    """Without an answer and without a default: a run would stop."""
    facts: dict[str, str]
    statements: int = 0
    """Statements that were committed, of every rollout in the registry."""
    registry: bool = False
    """Schema rag_wizard is there, whatever it holds."""
    sentence: str
    """What is true now; the State line."""

    @property
    def next_step(self) -> StepView | None:
        """The first step that is not complete."""
        return next((step for step in self.steps if not step.state.is_complete), None)


class Outcome(View):
    """How a run or a rollback ended."""

    ending: Literal["done", "failed", "check failed", "stopped"]
    sentence: str
    """State of the database in one sentence."""
    failure: Failure | None = None
    verification: Verification | None = None
    changed: bool = True
    """False when nothing had to be done."""
    open_steps: tuple[str, ...] = ()


class DryRun(View):
    """What a run would do, as far as reading can tell."""

    prerequisites: tuple[PrerequisiteResult, ...]
    would_run: tuple[StepView, ...]
    cannot_tell: tuple[str, ...]
    refused: str = ""
    """What a run would be refused for before it looks at the prerequisites, and what to do."""
    exit_code: int
    """The exit code the real run would have."""
    sentence: str
