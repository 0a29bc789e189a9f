"""The command run: consent, the run itself, its closing words and exit code."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from wizard.console import report
from wizard.console.ask import ask_decisions, is_interactive, require_consent, require_writable
from wizard.console.call import Call
from wizard.console.closing import Began, closing_words, exit_code, failure_lines, say_closing, state_sentence
from wizard.console.out import say, say_text, write_data, write_error
from wizard.console.password import with_password
from wizard.console.progress import progress
from wizard.console.reading import answer, previews_of, tell_notices
from wizard.console.supervise import supervised
from wizard.engine.api import Engine
from wizard.engine.state import StepState
from wizard.errors import ExitCode, LockNotObtainedError, WizardError
from wizard.open import load, open_target, settings_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wizard.db.target import Target
    from wizard.engine.views import Outcome
    from wizard.rollout.model import Rollout


@dataclass(frozen=True)
class RunOptions:
    """What only `run` takes."""

    first: str | None = None
    last: str | None = None
    on_failure: Literal["stop", "rollback"] = "stop"
    strict: bool = False
    types_file: Path | None = None

    @property
    def words(self) -> list[str]:
        """The command that resumes, without --from: what is done is skipped."""
        options = ["--to", self.last] if self.last else []
        options += ["--on-failure", self.on_failure] if self.on_failure != "stop" else []
        options += ["--strict"] if self.strict else []
        options += ["--types", shlex.quote(str(self.types_file))] if self.types_file else []
        return ["run", *options]

    @property
    def range(self) -> str:
        """`Run`, `Run 6.2`, `Run up to 2.2`, `Run from 2.1`, `Run 2.1 to 2.2`."""
        if self.first and self.last:
            return f"Run {self.first}" if self.first == self.last else f"Run {self.first} to {self.last}"
        return f"Run from {self.first}" if self.first else f"Run up to {self.last}" if self.last else "Run"


def run(call: Call, options: RunOptions) -> int:
    """The whole rollout, or the steps asked for."""
    require_writable(call, "run")
    if options.types_file is not None:
        options = replace(options, types_file=options.types_file.expanduser().absolute())
        call = replace(call, launch=replace(call.launch, types_file=options.types_file))
    # What differs in the file is shown as it is written; on a terminal --yes is the word for that.
    call = replace(call, launch=replace(call.launch, types_replace=call.yes))
    rollout = load(call.launch)
    with open_target(with_password(call.launch)) as target:
        for notice in target.notices:
            say_text(f"note: {notice}")
        if call.launch.dry_run:
            return _dry_run(call, options, target, rollout)
        return _Run(call, options, target, rollout).go()


def _dry_run(call: Call, options: RunOptions, target: Target, rollout: Rollout) -> int:
    engine = Engine(target, rollout, settings_from(call.launch), tell_notices)
    dry = engine.dry_run(first=options.first, last=options.last)
    say(report.target_line(target), "DRY RUN, read-only session: nothing can be changed")
    document = dry.model_dump(mode="json", exclude={"would_run": {"__all__": {"revert"}}})
    previews = previews_of(engine, dry.would_run)
    document["previews"] = {
        step: [table.model_dump(mode="json") for table in found] for step, found in previews.items()
    }
    lines = report.dry_run_lines(dry, previews)
    answer(call, "run --dry-run", {"target": target.name, **document}, lines)
    say(dry.sentence)
    return dry.exit_code


class _Run:
    """One run with everything around it."""

    def __init__(self, call: Call, options: RunOptions, target: Target, rollout: Rollout) -> None:
        self.call = call
        self.options = options
        self.target = target
        self.rollout = rollout
        self.engine = Engine(target, rollout, settings_from(call.launch), tell_notices)
        self.kept: str | None = None
        """Last step that was done before this run: where --on-failure rollback returns to."""

    def go(self) -> int:
        """Ask, run, tell; the exit code."""
        if is_interactive() or self.options.on_failure == "rollback":
            self._look()
        require_consent(self.call, self.target, f"{self.options.range} on {self.target.name}?")
        with closing_words(self.call, lambda: self.engine, self.target, self.options.words) as began:
            try:
                outcome, interrupted = self._run(began)
            except LockNotObtainedError:
                if self.options.on_failure == "rollback":
                    self._roll_back()
                raise
        if outcome.failure or outcome.ending != "done":
            return self._ended_badly(outcome, interrupted=interrupted)
        return self._ended_well(outcome)

    def _look(self) -> None:
        """Show what would run, ask open decisions, remember what was done before."""
        survey = self.engine.survey()
        done = [step.id for step in survey.steps if step.state is StepState.DONE]
        self.kept = done[-1] if done else None
        if is_interactive():
            left = self.engine.left(first=self.options.first, last=self.options.last)
            if not self.call.yes:
                say_text(report.target_line(self.target), survey.sentence)
                say(*(report.what_runs(left.steps) or ["Nothing is left to run; what is there is verified."]))
                say(*report.preview_lines(previews_of(self.engine, left.steps)))
            answers = ask_decisions(left.decisions)
            decisions = {**self.engine.settings.decisions, **answers}
            self.engine.settings = replace(self.engine.settings, decisions=decisions)

    def _run(self, began: Began) -> tuple[Outcome, int | None]:
        with progress(self.rollout, as_json=self.call.json) as listener:
            self.engine = Engine(self.target, self.rollout, self.engine.settings, began.following(listener))
            return supervised(
                self.engine, lambda: self.engine.run(first=self.options.first, last=self.options.last, listing=True)
            )

    def _ended_well(self, outcome: Outcome) -> int:
        if outcome.verification is not None and not self.call.json:
            lines = report.criterion_lines(outcome.verification.criteria)
            self._write_criteria(lines)
            say_text(*(f"next: {step}" for step in outcome.verification.next_steps))
            say_text(*report.listing_lines(outcome.verification))
        say_text(outcome.sentence if outcome.changed else f"{outcome.sentence}. Nothing had to be changed")
        for step_id in outcome.open_steps:
            step = self.rollout.step(step_id)
            say(f"Open: {step_id} {step.title}", *(f"  {line}".rstrip() for line in step.todo.splitlines()))
        return ExitCode.FAILED if outcome.open_steps and self.options.strict else ExitCode.DONE

    def _write_criteria(self, lines: Sequence[str]) -> None:
        """Where they cannot be written that is told, and takes neither the last words nor the exit code of the run."""
        try:
            write_data(self.call, "".join(f"{line}\n" for line in lines))
        except WizardError as error:
            write_error(error, as_json=False)

    def _ended_badly(self, outcome: Outcome, *, interrupted: int | None) -> int:
        if outcome.failure:
            say(*failure_lines(outcome.failure))
        if outcome.verification is not None and not outcome.verification.passed:
            failed = [check for check in outcome.verification.checks if not check.passed]
            say("", *report.check_lines(failed))
        sentence = outcome.sentence
        if self.options.on_failure == "rollback" and outcome.ending in {"failed", "check failed"}:
            sentence = self._roll_back()
        say_closing(self.engine, self.target, self.call.launch.state_dir, sentence, resume=self.options.words)
        return exit_code(outcome, interrupted=interrupted)

    def _roll_back(self) -> str:
        """Back to the last step that was whole before this run, as --on-failure rollback asks; the state after it."""
        back = (
            f"to {self.kept}, the last step that was done before"
            if self.kept
            else "everything: nothing was done before"
        )
        say("", f"Rolling back {back} (--on-failure rollback)")
        with progress(self.rollout, as_json=self.call.json) as listener:
            self.engine = Engine(self.target, self.rollout, self.engine.settings, listener)
            try:
                outcome, _ = supervised(self.engine, lambda: self.engine.rollback(self.kept))
            except WizardError as error:
                say("The rollback was not done:", f"  {error.what}", *(f"  {x}" for x in (error.why, error.fix) if x))
                return state_sentence(self.engine)
        if outcome.failure:
            say(*failure_lines(outcome.failure))
        return outcome.sentence
