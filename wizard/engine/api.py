"""The engine's face: everything ui and cli may ask of it, and nothing else.

One `Engine` is one sitting of one operator on one database. Reading methods open a read-only session, create nothing
and take no lock. Writing methods open a session of their own, take the advisory lock, and close both at the end.
Not thread-safe, except `stop`, `cancel`, `cancel_reading`, `pause`, `go_on`, `set_batch_rows`, `set_delay`, `preview`
and `signal_blocker`, which are meant to be called from another thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from wizard.db.connect import Connection, faults
from wizard.db.pooler import notice
from wizard.db.queries import query
from wizard.db.target import Target
from wizard.engine import words
from wizard.engine.backward import rollback_plan, run_backward
from wizard.engine.events import CheckFinished, Event, Finished, Listener, Noticed, PrerequisiteChecked, one_at_a_time
from wizard.engine.foreseen import refused_forget, refused_run, refused_session, require_same_sql
from wizard.engine.forward import (
    is_decided,
    is_work_left,
    missing_decisions,
    require_decided,
    run_forward,
    step_range,
    steps_left,
)
from wizard.engine.keeping.capturing import take_down, take_down_all
from wizard.engine.keeping.late import require_nothing_waiting
from wizard.engine.keeping.restore import restore_plan, run_restore
from wizard.engine.looking.checks import verify_all
from wizard.engine.looking.prerequisites import prerequisites, stopped_by
from wizard.engine.looking.preview import previews
from wizard.engine.looking.situation import Situation, look
from wizard.engine.parts.compose import Composer
from wizard.engine.parts.script import plan_script
from wizard.engine.reads import Reads
from wizard.engine.session.exclusive import require_alone
from wizard.engine.session.registry import drop_registry, registry_exists
from wizard.engine.session.signalling import signal_blocker
from wizard.engine.session.standing import Standing, find_standing, require_none_standing
from wizard.engine.settings import Settings
from wizard.engine.sitting import Sitting, resuming, sitting
from wizard.engine.state import StepState
from wizard.engine.steering import Steering
from wizard.engine.survey import step_view, survey, table_sizes
from wizard.engine.types.plan import draft, wrong_in_the_listing
from wizard.engine.types.step import (
    record_as_done,
    require_file,
    require_shown,
    require_writable_file,
    write_unrecorded,
)
from wizard.engine.views import (
    DryRun,
    Left,
    LoggedStatement,
    Outcome,
    PrerequisiteResult,
    PreviewTable,
    StepView,
    Survey,
    Verification,
)
from wizard.engine.views_back import RestorePlan, RollbackPlan
from wizard.engine.views_types import TypesPlan, TypesWritten
from wizard.errors import ConnectionUnsuitableError, ExitCode, WizardError
from wizard.rollout.model import Rollout
from wizard.rollout.render import RenderedStep


def ignore(event: Event) -> None:
    """The listener of callers who only want the result."""


def _listed(connection: Connection, situation: Situation, verification: Verification) -> Verification:
    return verification.model_copy(update={"listing": wrong_in_the_listing(connection, situation)})


class Engine:
    """One sitting. Every method may raise a WizardError; its words hold no secret."""

    def __init__(self, target: Target, rollout: Rollout, settings: Settings, listener: Listener = ignore) -> None:
        self.target = target
        self.rollout = rollout
        self._settings = settings
        self._emit = one_at_a_time(listener)
        self._steering = Steering(settings.batch_rows, settings.batch_delay_s)
        self._reads = Reads()
        self._composer = Composer(rollout, settings)
        self._pooler_told = False

    @property
    def settings(self) -> Settings:
        """May be replaced between calls, for example with decisions that were answered on the screen."""
        return self._settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._settings = settings
        self._composer.settings = settings

    # Reading ------------------------------------------------------------------------------------------------------

    def survey(self) -> Survey:
        """Every step and its state, the rendered SQL, and what waits for an answer."""
        with self._reading() as (connection, situation):
            return survey(connection, situation, self._composer)

    def check(self) -> tuple[PrerequisiteResult, ...]:
        """All prerequisites, each also told as an event."""
        with self._reading() as (connection, situation):
            return prerequisites(connection, situation, self._tell_prerequisite)

    def verify(self) -> Verification:
        """All checks and the success criteria; each check also told as an event."""
        with self._reading() as (connection, situation):
            found = verify_all(connection, situation, lambda result: self._emit(CheckFinished(result=result)))
            return _listed(connection, situation, found)

    def plan(self, *, registry: bool = True) -> str:
        """What is left to run, as a script for psql.

        Raises PrerequisiteError where a run would miss a decision, RefusedError where it would go on with a step that
        was begun from other SQL.
        """
        with self._reading() as (_, situation):
            require_same_sql(situation, self._settings.command)
            require_decided(situation, situation.remaining)
            return plan_script(situation, self._composer, self._settings, registry=registry)

    def dry_run(self, *, first: str | None = None, last: str | None = None) -> DryRun:
        """What `run` would do, and the exit code it would have as far as reading can tell."""
        chosen = step_range(self.rollout, first, last)
        self._require_types_file(chosen)
        with self._reading() as (connection, situation):
            require_writable_file(connection, situation, self._settings, chosen)
            left = steps_left(situation, chosen, first)
            refused = refused_run(connection, situation, self._settings)
            judged = is_work_left(situation, (one for one in situation.steps if one.step.id in chosen))
            results = prerequisites(connection, situation, self._tell_prerequisite) if judged else ()
            files = [rendered for rendered in left if rendered.step.types is not None]
            steps = self._views(connection, situation, left)
        code = stopped_by(results)
        if not is_decided(situation, left) and code is ExitCode.DONE:
            code = ExitCode.PREREQUISITES
        if refused is not None:
            code = refused.exit_code
        return DryRun(
            prerequisites=results,
            would_run=tuple(step.model_copy(update={"state": StepState.WOULD_RUN}) for step in steps),
            cannot_tell=(
                "whether a lock can be had in time",
                "whether the data accepts every constraint",
                *(("the text of the types file: it is made from the database once the tables are there",) * len(files)),
                "RLS as the API's roles see it: not tried",
            )
            if steps
            else (),
            refused=str(refused or ""),
            exit_code=code,
            sentence=words.dry_run_sentence(self.target.name, len(steps), blocked=code is not ExitCode.DONE),
        )

    def refused_session(self) -> WizardError | None:
        """Why `rollback` and `restore` would be refused before they begin; None if reading sees nothing."""
        with self._reading() as (connection, situation):
            return refused_session(connection, situation, self._settings)

    def refused_forget(self) -> WizardError | None:
        """The same of `forget`."""
        with self._reading() as (connection, situation):
            return refused_forget(connection, situation, self._settings)

    def left(self, *, first: str | None = None, last: str | None = None) -> Left:
        """What `run` would send something for, and what it would ask first. Raises UsageError if it would."""
        chosen = step_range(self.rollout, first, last)
        with self._reading() as (connection, situation):
            left = steps_left(situation, chosen, first)
            views = self._views(connection, situation, left)
            return Left(steps=views, decisions=missing_decisions(situation, left))

    def _views(
        self, connection: Connection, situation: Situation, left: Sequence[RenderedStep]
    ) -> tuple[StepView, ...]:
        sizes = table_sizes(connection, situation)
        return tuple(step_view(situation, self._composer, rendered, sizes) for rendered in left)

    def preview(self, step_id: str) -> tuple[PreviewTable, ...]:
        """What the operator should see before this step runs, counted now; at most a few seconds each.

        May be called from another thread while the engine is at work.
        """
        with self._reading() as (connection, situation):
            return previews(connection, situation, situation.step(step_id).step)

    def rollback_plan(
        self, to: str | None = None, *, archive: Path | None = None, discard_data: bool = False
    ) -> RollbackPlan:
        """What a rollback would undo, newest first, the rows it would destroy, and where it would archive those.

        Raises RefusedError where an archive could not hold them, unless they are to be discarded.
        """
        with self._reading() as (connection, situation):
            return rollback_plan(connection, situation, self._composer, to, archive, discard_data=discard_data)

    def restore_plan(self, archive: Path) -> RestorePlan:
        """What restoring `archive` would put back; it is verified whole. Raises RefusedError or PrerequisiteError."""
        with self._reading() as (connection, situation):
            return restore_plan(connection, situation, archive)

    def types_plan(self, path: Path) -> TypesPlan:
        """What bringing a types file up to date would change. Raises UsageError if it is none."""
        with self._reading() as (connection, situation):
            return draft(connection, situation, path).plan

    def standing(self) -> tuple[Standing, ...]:
        """Every rollout in the registry, of any name and schema, of which something is rolled out."""
        with self._reading() as (connection, _):
            return find_standing(connection) if registry_exists(connection) else ()

    def statements(self, *, everything: bool = False) -> tuple[LoggedStatement, ...]:
        """The statement log of this rollout in this schema, oldest first; with `everything` that of all rollouts."""
        with self._reading() as (connection, _):
            if not registry_exists(connection):
                return ()
            rows: Any = connection.execute(
                query("statements"),
                {"name": self.rollout.name, "schema": self._settings.schema, "everything": everything},
            )
            return tuple(LoggedStatement(**row) for row in rows)

    # Writing ------------------------------------------------------------------------------------------------------

    def run(self, *, first: str | None = None, last: str | None = None, listing: bool = False) -> Outcome:
        """Runs what is left of `first`..`last`, both included. Running again where nothing is left changes nothing.

        `listing`: a verification also says, after one more look, where the guide's listing of types is wrong.
        """
        chosen = step_range(self.rollout, first, last)
        self._require_types_file(chosen)

        def work(here: Sitting) -> Outcome:
            take_down(here)
            return run_forward(here, first, last)

        with self._writing() as here:
            require_writable_file(here.connection, here.situation, self._settings, chosen)
            outcome = self._finish(resuming(here, partial(work, here)))
        if not listing or outcome.verification is None:
            return outcome
        try:
            with self._reading() as (connection, situation):
                return outcome.model_copy(update={"verification": _listed(connection, situation, outcome.verification)})
        except ConnectionUnsuitableError as error:
            # The run is over and recorded: what it achieved does not depend on this last look.
            self._emit(Noticed(text=f"what the guide's listing of types has wrong was not looked up: {error.what}"))
            return outcome

    def rollback(self, to: str | None = None, *, discard_data: bool = False, archive: Path | None = None) -> Outcome:
        """Undoes everything, or everything after step `to`. Rows that go are archived first, unless `discard_data`.

        `archive` is the folder they go to, empty or not there; else one below the settings' folder.
        """
        with self._writing() as here:
            work = partial(run_backward, here, to, discard_data=discard_data, folder=archive)
            return self._finish(resuming(here, work))

    def restore(self, archive: Path, *, skip_orphans: bool = False) -> Outcome:
        """Puts an archive's rows back, whole or not at all; what is there already is left as it is."""
        with self._writing() as here:
            return self._finish(resuming(here, partial(run_restore, here, archive, skip_orphans=skip_orphans)))

    def write_types(self, path: Path, shown: str) -> TypesWritten:
        """Brings a types file up to date, as `types_plan` showed it; `shown` is that plan's `result`.

        While a rollout is active the file is kept in the registry first, so that rolling back puts it back, and the
        types step is done. Raises UsageError, or RefusedError if file or database changed since; the file is as it
        was then.
        """
        with self._reading() as (connection, situation):
            work = draft(connection, situation, path)
            require_shown(work, shown)
            if situation.active is None:
                return write_unrecorded(self._settings, self.target.name, work)
        with self._writing() as here:
            return resuming(here, partial(record_as_done, here, path, shown))

    def forget(self, *, keep_objects: bool = False) -> None:
        """Drops the registry. Refused while anything is rolled out, unless `keep_objects` (then nobody can undo it)."""
        with self._writing() as here:
            if not registry_exists(here.connection):
                return
            require_alone(here.connection)
            if not keep_objects:
                require_none_standing(find_standing(here.connection), self._settings, self.rollout.name)
            require_nothing_waiting(here.connection, self.target.name)
            take_down_all(here)
            drop_registry(here.connection)

    # Steering, from another thread ----------------------------------------------------------------------------------

    def steer_anew(self) -> None:
        """What was asked of an operation that had ended by then does not concern the next one."""
        self._steering.forget()

    def stop(self) -> None:
        """Ends after the running part."""
        self._steering.stop()

    def pause(self) -> None:
        """Waits after the running part until `go_on`."""
        self._steering.pause()

    def go_on(self) -> None:
        """Ends a pause."""
        self._steering.go_on()

    def set_batch_rows(self, rows: int) -> None:
        """Rows of a backfill's batches, from the next one on."""
        self._steering.set_batch_rows(rows)

    @property
    def delay_s(self) -> float | None:
        """Seconds between two batches that were asked for; None: as long as others need it."""
        return self._steering.delay_s

    def set_delay(self, seconds: float | None) -> None:
        """Seconds between two batches of a backfill, from the next one on; None: as long as others need it."""
        self._steering.set_delay(seconds)

    @property
    def resting(self) -> bool:
        """True while a pause holds it between two parts."""
        return self._steering.resting

    def cancel(self) -> None:
        """Cancels the running statement; its part is rolled back and the run ends as stopped."""
        self._steering.cancel()

    def cancel_reading(self, *, for_good: bool = False) -> None:
        """What is read now ends with ReadingCancelledError; `for_good`: so does whatever would be read after it."""
        self._reads.cancel(for_good=for_good)

    def signal_blocker(self, pid: int, backend_start: datetime, *, end: bool) -> str:
        """Cancels the statement of a session that is in the way, or ends its connection; a sentence about it.

        On a connection of its own, and only that very session. Raises RefusedError if it is not ours to signal.
        """
        with faults(self.target):
            happened = signal_blocker(self.target, self._settings, pid, backend_start, end=end)
        self._emit(Noticed(text=happened))
        return happened

    # --------------------------------------------------------------------------------------------------------------

    def _require_types_file(self, chosen: tuple[str, ...]) -> None:
        step = self.rollout.types_step
        if step is not None and step.id in chosen:
            require_file(self.rollout, self._settings)

    def _tell_prerequisite(self, result: PrerequisiteResult) -> None:
        self._emit(PrerequisiteChecked(result=result))

    def _finish(self, outcome: Outcome) -> Outcome:
        self._emit(Finished(outcome=outcome))
        return outcome

    @contextmanager
    def _reading(self) -> Iterator[tuple[Connection, Situation]]:
        settings = self._settings
        with faults(self.target), self._reads.session(self.target, settings) as connection:
            if connection.kind == "transaction pooler" and not self._pooler_told:
                self._pooler_told = True
                self._emit(Noticed(text=notice(self.target)))
            yield connection, look(connection, self.target.name, self.rollout, settings)

    @contextmanager
    def _writing(self) -> Iterator[Sitting]:
        given = self._settings
        # A word to end an abandoned session is for one operation: for the next one somebody else may be in the way.
        self.settings = replace(given, end_orphan=False)
        with sitting(
            self.target, self.rollout, given, composer=self._composer, steering=self._steering, emit=self._emit
        ) as here:
            yield here
