"""What each command does: decides, asks, and hands the work to the app. Why a key is dimmed stands in commands.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wizard.errors import RefusedError
from wizard.rollout.kind import StepKind
from wizard.ui.blocking import Blocking
from wizard.ui.commands import BY_ID, STARTED_DRY
from wizard.ui.leaving import Leaving
from wizard.ui.page import Page
from wizard.ui.pages.words import verified
from wizard.ui.steering import Steering
from wizard.ui.text import foreign
from wizard.ui.trouble import Activity
from wizard.ui.typing import TypesActions

if TYPE_CHECKING:
    from collections.abc import Callable

    from wizard.engine.api import Engine
    from wizard.engine.views import DryRun, StepView, Verification
    from wizard.engine.views_back import RollbackPlan
    from wizard.launch import Launch
    from wizard.ui.app import WizardApp
    from wizard.ui.messages import OperationEnded
    from wizard.ui.screens.rollback import RollbackChoice


URGENT = frozenset({Page.FAILED, Page.CONFLICT, Page.DECISION, Page.TROUBLE})
"""Pages that wait for the operator's word: the bell rings."""

TELLS_OF_CHECKS = frozenset({Page.CHECKS_FAILED, Page.FINISHED, Page.CONFLICT})
"""Pages that say what a verification found, or what has to be settled before it means anything."""


class Actions(Steering, Blocking, Leaving):
    """The commands of the table as methods of the same name.

    Those that only look are in looking.py, those that steer what runs in steering.py, those about who is in the way in
    blocking.py, those that leave or cancel in leaving.py.
    """

    def __init__(self, app: WizardApp) -> None:
        super().__init__(app)
        self._name_typed = False
        """The target name of a production database was typed in this sitting."""
        self._roll_back_next = False
        self.types = TypesActions(self)

    def do(self, command_id: str) -> None:
        """Do a command, or say in the State line why not."""
        command = BY_ID[command_id]
        reason = command.reason(self.board, self.app.main.view)
        self.board.notice = f"{command.shown} does nothing now: {reason}" if reason else ""
        if not reason:
            getattr(self, "show_tab" if command_id.startswith("tab-") else command_id.replace("-", "_"))(
                *([command.shown] if command_id.startswith("tab-") else [])
            )
        self.app.main.draw()

    # ------------------------------------------------------------------ running

    def run(self) -> None:
        """Enter outside the step list: go to the next step, run nothing. While there is a conflict: look again."""
        main, step = self.app.main, self.board.next_step
        if self.board.may_close:
            self._close_trouble()
        elif self.board.conflicts:
            self._look_again()
        elif step is not None:
            main.look_at(step.id)
            main.step_keys.focus()
            self.say(f"{step.id} {step.label} is next; enter again runs it")

    def choose(self, step_id: str) -> None:
        """Enter in the step list: run the next step if it is this one, else go to it."""
        main = self.app.main
        if main.has_class("-steps"):
            main.toggle("-steps", on=False)
            return
        if self.board.may_close:
            self._close_trouble()
            return
        if self.board.takes_types_file(self.board.step(step_id)):
            self.types.choose(self.board.step(step_id))
            return
        reason = BY_ID["run"].reason(self.board, main.view)
        step = self.board.next_step
        if reason:
            self.say(f"enter does nothing now: {reason}")
        elif self.board.conflicts:
            self._look_again()
        elif step is not None and step.id != step_id:
            self.run()
        elif step is not None:
            self._run_step(step)

    def _close_trouble(self) -> None:
        self.board.trouble = None
        self.app.main.follow()

    def _look_again(self) -> None:
        """Read everything anew, the prerequisites too; nothing runs, also when the conflict is gone."""

        def told(results: Any) -> None:
            self._checked(results)
            left = [result.found for result in results if result.level == "stop"]
            gone = f"In the way (step 0, key 5): {'; '.join(left)}" if left else "Enter runs the next step"
            if self.board.conflicts:
                self.say("Looked again: it still differs, and nothing was run")
            else:
                self.say(f"Looked again: nothing differs any more. {gone}")

        self.app.start(Activity.CHECKING, lambda engine: engine.check(), told)

    def _run_step(self, step: StepView) -> None:
        if step.kind is StepKind.PREREQUISITES:
            self.app.start(Activity.CHECKING, lambda engine: engine.check(), self._checked)
        elif self.board.open_decisions:
            self._show_decision()
        elif step.types and self.types.named is not None:
            self.types.look(self.types.named)
        elif step.kind is StepKind.VERIFICATION:
            self.write(f"verify {step.id}", lambda engine: engine.run(first=step.id, last=step.id, listing=True))
        else:
            self.write(
                f"run {step.id} {step.title}", lambda engine: engine.run(first=step.id, last=step.id, listing=True)
            )

    def all(self) -> None:
        """Everything left."""
        if self.board.open_decisions:
            self._show_decision()
        else:
            self.write("run everything left", lambda engine: engine.run(listing=True))

    def retry(self) -> None:
        """The failed part, or the connection."""
        failure = self.board.failure
        if self.board.activity is Activity.OFFLINE and self.board.target_typed:
            self._ask_for_target()
        elif self.board.activity is Activity.OFFLINE or self.board.unread:
            self.app.connect()
        elif failure is not None and failure.direction == "revert":
            self.rollback()
        elif failure is not None and self.board.open_decisions:
            self._show_decision()
        elif failure is not None:
            step = failure.step
            self.write(f"retry {step}", lambda engine: engine.run(first=step, last=step, listing=True))

    def write(self, what: str, work: Callable[[Engine], Any], then: Callable[[Any], None] | None = None) -> None:
        """Start a writing operation; the first one on production needs the target name."""
        target = self.board.target
        if (
            target is not None
            and target.production
            and not self._name_typed
            and self.board.launch.confirm != target.name
        ):
            from wizard.ui.screens.confirm import TypeName

            text = foreign(f"{target.name} is a production database. To {what}, type its name: {target.name}")
            self.app.push_screen(
                TypeName("Production", text, target.name), lambda yes: self._typed(work, then) if yes else None
            )
            return
        self._go(work, then)

    def _typed(self, work: Callable[[Engine], Any], then: Callable[[Any], None] | None) -> None:
        self._name_typed = True
        self._go(work, then)

    def _go(self, work: Callable[[Engine], Any], then: Callable[[Any], None] | None) -> None:
        self.app.start(Activity.RUNNING, work, then or self.board.keep)

    def _checked(self, results: Any) -> None:
        self.board.prerequisites = tuple(results)

    def _show_decision(self) -> None:
        self.board.trouble, self.board.asking = None, True
        self.app.main.choose_tab("0")
        self.app.main.ask()
        self.say("a decision is open: up and down choose, enter answers")

    def answer(self, name: str, value: str) -> None:
        """An answer to a decision, unless the database refuses it; the survey that follows shows what it changes."""
        decisions = {**self.board.launch.decisions, name: value}
        dry = self.board.launch.dry_run

        def settle(engine: Engine) -> DryRun | None:
            before = engine.settings
            engine.settings = replace(before, decisions=decisions)
            try:
                engine.survey()
                return engine.dry_run() if dry else None
            except Exception:
                engine.settings = before
                raise

        def told(found: DryRun | None) -> None:
            self.board.launch = replace(self.board.launch, decisions=decisions)
            self.board.dry_run = found
            recorded = "a run that writes asks again" if dry else "it is recorded when the next step runs"
            self.say(f"decided: {name}={value}; {recorded}")
            if self.board.open_decisions:
                self.board.asking = True
                self.app.main.ask()

        self.app.main.staying = True
        self.app.start(Activity.READING, settle, told)

    # ------------------------------------------------------------------ reading

    def dry_run(self) -> None:
        """On: look what would run. Off: back to the rollout as it stands, unless the screen was started with it."""
        again = self.board.dry_run is not None
        if again and not self.board.launch.dry_run:
            self.board.dry_run = None
            self.app.main.follow()
            return

        def keep(result: DryRun) -> None:
            self.board.dry_run = result
            if again:
                self.say(f"Looked again. {STARTED_DRY[0].upper()}{STARTED_DRY[1:]}")

        self.app.start(Activity.READING, lambda engine: engine.dry_run(), keep)

    def verify(self) -> None:
        """All checks, read-only."""

        def keep(result: Verification) -> None:
            self.board.keep_verification(result)
            if self.board.dry or self.board.page not in TELLS_OF_CHECKS:
                judged = self.board.judged
                self.say(verified(judged, len(result.checks) - len(judged)))

        self.app.start(Activity.VERIFYING, lambda engine: engine.verify(), keep)

    # ------------------------------------------------------------------ rolling back

    def rollback(self) -> None:
        """The plan; starting it is the plan's own Enter."""
        engine = self.app.desk.engine
        if self.board.paused and engine is not None:
            self._roll_back_next = self.board.stop_asked = True
            engine.stop()
            return
        before = self._before(self.app.main.current)

        def plans(engine: Engine) -> tuple[RollbackPlan, ...]:
            if before is None:
                return (engine.rollback_plan(None),)
            try:
                fewer = engine.rollback_plan(before)
            except RefusedError:
                # One that goes on to the start may be all that is left to do.
                return (engine.rollback_plan(None),)
            try:
                return (engine.rollback_plan(None), fewer)
            except RefusedError:
                return (fewer,)

        self.app.start(Activity.READING, plans, self._show_plan)

    def _before(self, step_id: str) -> str | None:
        """The step that stays when the highlighted one goes; None when nothing made before it would stay."""
        steps = [step for step in self.board.steps if step.kind is StepKind.SQL]
        at = next((index for index, step in enumerate(steps) if step.id == step_id), 0)
        if not steps or not steps[at].stands:
            return None
        return next((step.id for step in reversed(steps[:at]) if step.state.is_complete), None)

    def _show_plan(self, plans: tuple[RollbackPlan, ...]) -> None:
        from wizard.ui.screens.rollback import Rollback

        production = self.board.target is not None and self.board.target.production
        width = 104 if self.app.size.width >= 120 else 68
        screen = Rollback(plans, self.board.name, self.board.command, production=production, width=width)
        self.app.push_screen(screen, self._roll_back)

    def _roll_back(self, choice: RollbackChoice | None) -> None:
        if choice is None:
            return
        self._name_typed = True
        self.app.start(
            Activity.ROLLING_BACK,
            lambda engine: engine.rollback(choice.to, archive=Path(choice.archive) if choice.archive else None),
            self.board.keep,
        )

    def end_orphan(self) -> None:
        """e: the operator's word that an abandoned session may be ended; default No."""
        from wizard.ui.screens.confirm import YesNo

        trouble = self.board.trouble
        if trouble is not None:
            text = foreign(f"{trouble.what}. End that session when you run again?")
            self.app.push_screen(YesNo("Abandoned session", text), self._end_orphan)

    def _end_orphan(self, yes: bool | None) -> None:
        engine = self.app.desk.engine
        if yes and engine is not None:
            engine.settings = replace(engine.settings, end_orphan=True)
            self.say("The abandoned session is ended when you run again: a runs everything left")

    # ------------------------------------------------------------------ what follows

    def after(self, message: OperationEnded) -> None:
        """An operation ended: leave if that was asked for, else look at what matters now and ring if needed."""
        main, board = self.app.main, self.board
        if self.leaving:
            self.app.exit()
            return
        if message.trouble is not None and message.trouble.no_target:
            self._ask_for_target()
        if message.trouble is not None and message.trouble.cancelled:
            self.say(f"{message.activity.value.capitalize()} was cancelled. Nothing was changed in the database")
        main.follow()
        main.staying = False
        if self._roll_back_next:
            self._roll_back_next = False
            if board.made_something:
                self.rollback()
                return
        word = board.page.value.lower() or "ready"
        urgent = message.activity.writes or board.page in URGENT
        self.app.say_title(f"rag-wizard: {word}", ring=urgent)
        if message.activity is Activity.CONNECTING and board.launch.dry_run and board.survey is not None:
            self.dry_run()

    def _ask_for_target(self) -> None:
        from wizard.ui.screens.connect import Connect

        def chosen(launch: Launch | None) -> None:
            if launch is not None:
                self.board.launch, self.board.target_typed, self.board.target = launch, True, None
                self.app.connect()

        trouble = self.board.trouble
        failed = trouble.what.rstrip(".") if trouble is not None and not trouble.no_target else ""
        self.app.push_screen(Connect(self.board.launch, failed), chosen)
