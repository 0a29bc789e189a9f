"""The commands rollback and forget: the plan shown, consent, the work, the closing words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wizard.console import report
from wizard.console.ask import require_consent, require_writable
from wizard.console.call import Call
from wizard.console.closing import exit_code, failure_lines, save_log, say_closing, state_sentence
from wizard.console.out import say, say_text, write_document
from wizard.console.progress import progress
from wizard.console.reading import answer, opened
from wizard.console.supervise import StoppedBySignalError, supervised
from wizard.engine.api import Engine
from wizard.errors import ExitCode, LockNotObtainedError, RefusedError

if TYPE_CHECKING:
    from wizard.db.target import Target
    from wizard.engine.views import RollbackPlan


def rollback(call: Call, *, to: str | None, discard_data: bool) -> int:
    """Newest step first, down to `to`, which is kept."""
    require_writable(call, "rollback")
    with opened(call) as (engine, target):
        plan = engine.rollback_plan(to)
        if call.launch.dry_run:
            return _rollback_dry_run(call, target, plan, discard_data=discard_data)
        if not call.yes:
            say(*report.rollback_lines(plan, target.name, statements=False))
            say(f"Every statement: {engine.settings.command} rollback --dry-run")
        if plan.would_lose and not discard_data:
            raise _loses(plan, target, engine.settings.command)
        question = f"Roll back {report.plural(len(plan.steps), 'step')} on {target.name}?"
        if plan.would_lose:
            question = f"{report.plural(plan.would_lose, 'row')} will be lost for good. {question}"
        require_consent(call, target, question, name_needed=plan.would_lose > 0)
        resume = ["rollback", *(["--to", to] if to else [])]
        try:
            with progress(engine.rollout, as_json=call.json) as listener:
                worker = Engine(target, engine.rollout, engine.settings, listener)
                outcome, interrupted = supervised(worker, lambda: worker.rollback(to, discard_data=discard_data))
        except (LockNotObtainedError, RefusedError, StoppedBySignalError):
            say_closing(engine, target, call.launch.state_dir, state_sentence(engine), resume=resume)
            raise
        if outcome.failure:
            say(*failure_lines(outcome.failure))
        if outcome.ending == "done":
            say_text(outcome.sentence)
        else:
            say_closing(engine, target, call.launch.state_dir, outcome.sentence, resume=resume)
        return exit_code(outcome, interrupted=interrupted)


def _rollback_dry_run(call: Call, target: Target, plan: RollbackPlan, *, discard_data: bool) -> int:
    say(report.target_line(target), "DRY RUN, read-only session: nothing can be changed")
    refused = plan.would_lose > 0 and not discard_data
    code = ExitCode.REFUSED if refused else ExitCode.DONE
    document = {"target": target.name, "exit_code": int(code), **plan.model_dump(mode="json")}
    answer(call, "rollback --dry-run", document, report.rollback_lines(plan, target.name, statements=True))
    if refused:
        say(f"Would be refused: {report.plural(plan.would_lose, 'row')} would be lost.")
    return code


def _loses(plan: RollbackPlan, target: Target, command: str) -> RefusedError:
    """Why the rollback is not begun, and both ways on."""
    losses = "; ".join(f"{report.plural(loss.rows, 'row')}: {loss.what} (step {loss.step})" for loss in plan.losses)
    return RefusedError(
        f"The rollback would lose {report.plural(plan.would_lose, 'row')}. Nothing was changed.",
        why=losses,
        fix=f"Save them first, or discard them: {command} rollback --discard-data --confirm {target.name}",
    )


def forget(call: Call, *, keep_objects: bool) -> int:
    """Export the log, then drop the registry."""
    require_writable(call, "forget")
    with opened(call) as (engine, target):
        survey = engine.survey()
        if not (survey.begun or survey.rolled_back or survey.statements or survey.last_session):
            if call.json:
                write_document(call, "forget", {"target": target.name, "log": None})
            say(f"There is nothing to forget on {target.name}: schema rag_wizard is not there.")
            return ExitCode.DONE
        standing = engine.standing()
        if standing and not keep_objects:
            raise RefusedError(
                f"Still rolled out: {', '.join(standing)}. Without the registry nobody can roll it back any more.",
                why=f"{survey.sentence}.",
                fix=f"Roll back first ({engine.settings.command} rollback), or keep what was made: "
                f"{engine.settings.command} forget --keep-objects",
            )
        kept = f"; what was made stays and nobody can roll it back: {', '.join(standing)}" if standing else ""
        if call.launch.dry_run:
            say(f"DRY RUN: schema rag_wizard on {target.name} would be dropped after its log is exported{kept}.")
            return ExitCode.DONE
        say_text(f"The log is exported, then schema rag_wizard on {target.name} is dropped{kept}.")
        require_consent(call, target, f"Forget the rollout on {target.name}?")
        path = save_log(engine, target, call.launch.state_dir, everything=True) if survey.statements else None
        supervised(engine, lambda: engine.forget(keep_objects=keep_objects))
        if call.json:
            write_document(call, "forget", {"target": target.name, "log": str(path) if path else None})
        say(
            f"Log saved: {path}" if path else "The log was empty.",
            f"Schema rag_wizard is gone from {target.name}{kept}.",
        )
    return ExitCode.DONE
