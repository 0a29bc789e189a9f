"""What the screen shows, as data: the last survey, and what the engine reported since. No widgets, no second truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wizard.engine.state import StepState
from wizard.rollout.kind import StepKind
from wizard.ui import log as log_lines
from wizard.ui.judging import due, is_same
from wizard.ui.live import Live, followed, sought
from wizard.ui.page import Page, pages_of
from wizard.ui.trouble import Activity, Trouble

if TYPE_CHECKING:
    from wizard.db.target import Target
    from wizard.engine.events import ConnectionLost, Event
    from wizard.engine.views import (
        CheckResult,
        ConflictView,
        DryRun,
        Failure,
        LoggedStatement,
        Outcome,
        PrerequisiteResult,
        PreviewTable,
        StepView,
        Survey,
        Verification,
    )
    from wizard.engine.views_types import TypesPlan
    from wizard.launch import Launch
    from wizard.rollout.model import Decision

RECENT_LINES = 2000
"""Lines of the log that the screen keeps; the database keeps all of them."""


GENTLE = frozenset({"ROW EXCLUSIVE", "ROW SHARE", "ACCESS SHARE"})
"""Lock modes that never wait for somebody who reads."""


UNREAD = "The database has not said what became of the last part. What was committed before it stays."
"""Instead of the survey's sentence, which is older than what was sent since."""


CALM = ("READY", "FINISHED")
"""How a survey's sentence begins where nothing is more pressing than how a verification ended."""


@dataclass(frozen=True)
class Preview:
    """What was counted for a step before it runs, or is being counted."""

    tables: tuple[PreviewTable, ...] = ()
    at: datetime | None = None
    """None while it is counted."""
    untold: str = ""
    """Why nothing was counted."""


def utc_now() -> datetime:
    """The clock of the screen."""
    return datetime.now(UTC)


@dataclass
class Board:
    """The mirror. `opened`, `began`, `heard` and `ended` change it, everything else reads."""

    launch: Launch
    clock: Callable[[], datetime] = utc_now
    activity: Activity = Activity.CONNECTING
    target: Target | None = None
    target_typed: bool = False
    """It was typed on the screen: where it cannot be opened, r asks for it again."""
    command: str = "rag-wizard"
    """How this program is called for this target, for the commands people are told to type."""
    survey: Survey | None = None
    first_survey: bool = True
    """No operation was begun since the target was opened: the offer to resume stands."""
    states: dict[str, StepState] = field(default_factory=dict)
    """States reported since the last survey; emptied by the next one."""
    live: Live | None = None
    lost: ConnectionLost | None = None
    """The connection is gone and sought again: what became of the part under way is not known before it is back."""
    log: list[log_lines.LogLine] = field(default_factory=list)
    statements: int = 0
    prerequisites: tuple[PrerequisiteResult, ...] = ()
    checks: dict[tuple[str, str], CheckResult] = field(default_factory=dict)
    """(step, check) -> the last judgement of this sitting."""
    verification: Verification | None = None
    dry_run: DryRun | None = None
    told: str = ""
    """What is true by the last verification, for as long as the survey's own sentence stays what it was then."""
    trouble: Trouble | None = None
    unread: bool = False
    """The database could not be read since something was written: the survey is older than that."""
    previews: dict[str, Preview] = field(default_factory=dict)
    """Step -> what it wants to be seen before it runs, as counted in this sitting since the database last changed."""
    asking: bool = False
    """A question is put before everything else: what the operator wanted cannot be done without its answer."""
    pause_asked: bool = False
    resting: bool = False
    """The engine waits between two parts or batches, as it was asked to."""
    stop_asked: bool = False
    types: TypesPlan | None = None
    """What was changed in the types file last, or was shown to be."""
    notice: str = ""
    """Why the last key did nothing; stands in the State line until the next key."""

    # ------------------------------------------------------------------ what happened

    def opened(self, target: Target) -> None:
        """The target is known; the survey comes next."""
        self.target = target
        for text in target.notices:
            self.add(log_lines.LogLine(self.clock(), "", "notice", text, "", "$warning"))

    def began(self, activity: Activity) -> None:
        """An operation was handed to the engine."""
        self.activity = activity
        self.notice = ""
        self.trouble = None
        self.asking = False
        if activity is not Activity.READING:
            self.first_survey = self.first_survey and activity is Activity.CONNECTING
        if activity.writes:
            self.told, self.dry_run = "", None
        if activity in {Activity.CHECKING, Activity.RUNNING}:
            self.prerequisites = ()

    def heard(self, event: Event) -> None:
        """One engine event."""
        from wizard.engine import events

        self.add(log_lines.follow(self.log, event, self.live.backfill if self.live else None))
        self.live, self.lost = followed(self.live, event), sought(self.lost, event)
        match event:
            case events.StepStarted() | events.PartStarted() | events.BackfillProgressed() | events.IndexProgressed():
                self.states[event.step] = StepState.RUNNING
            case events.LockWaited() if self.live:
                self.states[event.step] = StepState.WAITING
            case events.BlockersSeen() if self.live:
                self.states[event.step] = StepState.WAITING if event.blockers else StepState.RUNNING
            case events.StatementCommitted():
                self.statements += 1
            case events.PrerequisiteChecked(result=result):
                self.prerequisites = (*self.prerequisites, result)
            case events.CheckFinished(result=result):
                self.checks[result.step, result.id] = result
            case events.TypesCompared(plan=plan):
                self.types = plan
            case events.StepFinished():
                self.states[event.step] = event.state
            case events.Failed(failure=failure):
                self.states[failure.step] = StepState.FAILED
            case _:
                pass

    def ended(
        self,
        survey: Survey | None,
        statements: Sequence[LoggedStatement],
        trouble: Trouble | None,
    ) -> None:
        """The operation is over; `survey` replaces everything that was reported since the last one."""
        first, before = self.survey is None, self.survey
        self.unread = survey is None and (self.unread or self.activity.writes)
        cancelled = trouble is not None and trouble.cancelled
        stands = not cancelled or first or self.unread
        self.trouble = replace(trouble, during=self.activity) if trouble and stands else None
        self.prerequisites = () if cancelled else self.prerequisites  # they were not all judged
        self.live = self.lost = None
        self.states = {step: _untold(state) for step, state in self.states.items()} if self.unread else {}
        self.previews = {} if self.activity.writes or self.activity is Activity.CONNECTING else self.previews
        self.pause_asked = self.stop_asked = self.resting = False
        self.activity = Activity.IDLE
        if survey is None:
            if first:
                self.activity = Activity.OFFLINE
            return
        self.survey = survey
        self.statements = survey.statements
        if first:
            self.log[:0] = log_lines.recorded(statements)[-RECENT_LINES:]
        self._forget(before, survey)

    def _forget(self, before: Survey | None, now: Survey) -> None:
        """What was judged holds no longer than what it was judged of."""
        if before is None or now.sentence != before.sentence:
            self.told = ""
        if now.rolled_back or not now.begun:
            self.checks, self.verification = {}, None
        elif before is not None and not is_same(before, now):
            complete = {step.id for step in now.steps if step.state.is_complete}
            self.checks = {key: check for key, check in self.checks.items() if check.step in complete}
            self.verification = None

    def keep(self, outcome: Outcome) -> None:
        """How a run or rollback ended."""
        if outcome.verification is not None:
            self.keep_verification(outcome.verification)
            self._tell(outcome.sentence)

    def keep_verification(self, verification: Verification) -> None:
        """All of step V, judged just now."""
        from wizard.engine.words import finished_sentence, unverified_sentence

        self.verification = verification
        self.checks |= {(check.step, check.id): check for check in verification.checks}
        finished = self.survey is not None and self.survey.finished
        passed = finished_sentence(verification, 0, 0) if finished else ""
        judged = verification.model_copy(update={"checks": self.judged})
        self._tell(unverified_sentence(judged) if self.unverified else passed)

    def _tell(self, sentence: str) -> None:
        """The sentence is true of what the survey found, which may have found something more pressing."""
        calm = self.survey is not None and self.survey.sentence.startswith(CALM)
        self.told = sentence if calm else ""

    def add(self, line: log_lines.LogLine | None) -> None:
        """One more line of the log."""
        if line is not None:
            self.log.append(line)
            del self.log[:-RECENT_LINES]

    # ------------------------------------------------------------------ what is true

    @property
    def busy(self) -> bool:
        """The engine works; only one operation at a time."""
        return self.activity not in {Activity.IDLE, Activity.OFFLINE}

    @property
    def name(self) -> str:
        """The target name."""
        return self.target.name if self.target else self.launch.target_name or ("demo" if self.launch.demo else "")

    @property
    def steps(self) -> tuple[StepView, ...]:
        """The steps, none before the first survey."""
        return self.survey.steps if self.survey else ()

    @property
    def failure(self) -> Failure | None:
        """The failure that stands until it is answered."""
        return self.survey.failure if self.survey else None

    @property
    def dry(self) -> bool:
        """A dry run is on: its result is there, or the screen was started with one and stays in it."""
        return self.launch.dry_run or self.dry_run is not None

    @property
    def looks_only(self) -> bool:
        """No key may write."""
        return self.launch.read_only or self.dry

    @property
    def started_with(self) -> str:
        """The option of this start by which no key may write; empty when there is none."""
        return "--read-only" if self.launch.read_only else "--dry-run" if self.launch.dry_run else ""

    @property
    def paused(self) -> bool:
        """A pause was asked for and the part that ran is committed."""
        return self.pause_asked and self.live is not None and (self.live.committed or self.resting)

    def may_count(self, step: StepView) -> bool:
        """What the step wants to be seen can be counted now.

        Counting holds a weak lock for some seconds: a run that needs a strong one must not meet it. So while one is
        under way, only the running step is counted, if it lets the application read and write itself.
        """
        if not step.previews or step.state.is_complete or self.survey is None or self.unread:
            return False
        if not self.activity.writes:
            return True
        gentle = all(lock.mode in GENTLE for lock in step.locks if lock.existing)
        return gentle and self.live is not None and (self.live.step, self.live.direction) == (step.id, "deploy")

    @property
    def unit(self) -> str:
        """After what the engine can pause or stop: "part", or "batch" of a backfill."""
        return self.live.unit if self.live else "part"

    @property
    def judged(self) -> tuple[CheckResult, ...]:
        """The checks of the last verification that count: a step that is still to run fails none."""
        return due(self.verification, self.steps)

    @property
    def unverified(self) -> bool:
        """One of them failed."""
        return not all(check.passed for check in self.judged)

    def step(self, step_id: str) -> StepView | None:
        """The step of this id."""
        return next((step for step in self.steps if step.id == step_id), None)

    def state(self, step: StepView) -> StepState:
        """The state of a step: reported since the survey, else as surveyed."""
        if step.id in self.states:
            state = self.states[step.id] if self.lost is None else _untold(self.states[step.id])
            if self.paused and state is StepState.RUNNING:
                return StepState.PAUSED
            return state
        if self.dry_run and any(other.id == step.id for other in self.dry_run.would_run):
            return StepState.WOULD_RUN
        if step.kind is StepKind.PREREQUISITES and step.state is StepState.TODO and self.prerequisites_hold:
            return StepState.PASSED
        if step.state is StepState.TODO and any(step.id == decision.step for decision in self.open_decisions):
            return StepState.DECIDE
        return step.state

    @property
    def open_decisions(self) -> tuple[Decision, ...]:
        """Questions without an answer and without a safe default."""
        return self.survey.open_decisions if self.survey else ()

    @property
    def conflicts(self) -> tuple[ConflictView, ...]:
        """What is there and differs from what the steps that are left would make, in step order."""
        return tuple(conflict for step in self.steps for conflict in step.conflicts)

    def given(self, decision: Decision) -> str | None:
        """The answer that holds: given, recorded, or the default; None while there is none."""
        return self.survey.facts.get(decision.name) if self.survey else None

    @property
    def prerequisites_hold(self) -> bool:
        """They were read in this sitting and none of them stops."""
        return bool(self.prerequisites) and all(result.level != "stop" for result in self.prerequisites)

    @property
    def next_step(self) -> StepView | None:
        """What Enter would run."""
        return next((step for step in self.steps if not self.state(step).is_complete), None)

    def takes_types_file(self, step: StepView | None) -> bool:
        """Enter on this step chooses a types file: it is open, or done and may be done again."""
        if step is None or not step.types or self.busy or self.survey is None or not self.survey.begun:
            return False
        looks_only = self.looks_only or self.failure is not None
        return not looks_only and self.state(step) in {StepState.OPEN, StepState.DONE}

    @property
    def may_close(self) -> bool:
        """Enter closes the page of a trouble: what was asked for is another key's, or nothing to be tried again."""
        again = {Activity.CONNECTING, Activity.CHECKING, Activity.RUNNING}
        if self.trouble is None or self.unread:
            return False
        return self.page is Page.TROUBLE and self.trouble.during not in again

    @property
    def complete(self) -> int:
        """How many steps have nothing left to do."""
        return sum(self.state(step).is_complete for step in self.steps)

    @property
    def made_something(self) -> bool:
        """There is something to roll back."""
        now = any(state is StepState.DONE for state in self.states.values())
        return now or (self.survey is not None and self.survey.begun)

    @property
    def pages(self) -> tuple[Page, ...]:
        """The state pages that apply now, the most urgent first."""
        return tuple(page for page, applies in pages_of(self) if applies)

    @property
    def page(self) -> Page:
        """The most urgent state page."""
        return next(iter(self.pages), Page.NONE)

    @property
    def sentence(self) -> str:
        """What is true in the database now: as the last verification said, else as surveyed."""
        if self.survey is None or self.unread:
            return UNREAD if self.unread else ""
        return self.told or self.survey.sentence

    @property
    def exit_code(self) -> int:
        """What the process ends with when the operator leaves now."""
        if self.trouble is not None and (self.survey is None or self.unread or self.trouble.concerns_the_rollout):
            return self.trouble.exit_code
        if self.failure is not None or self.unverified:
            return 1
        return 7 if self.conflicts else 0


def _untold(state: StepState) -> StepState:
    """A state that was reported, once the connection is gone: what was under way may have been committed or not."""
    return StepState.UNKNOWN if state in {StepState.RUNNING, StepState.WAITING} else state
