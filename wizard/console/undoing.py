"""The commands rollback, restore and forget: the plan shown, consent, the work, the closing words."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.console import report
from wizard.console.ask import require_consent, require_writable
from wizard.console.call import Call
from wizard.console.closing import closing_words, exit_code, failure_lines, save_log, say_closing
from wizard.console.out import say, say_text, write_document
from wizard.console.progress import progress
from wizard.console.reading import answer, opened
from wizard.console.supervise import supervised
from wizard.engine.api import Engine
from wizard.engine.looking.dependents import require_no_dependents
from wizard.engine.looking.replaced import require_as_recorded
from wizard.engine.session.standing import require_none_standing
from wizard.errors import ExitCode, UsageError, WizardError
from wizard.text import plural

if TYPE_CHECKING:
    from wizard.db.target import Target
    from wizard.engine.views import Outcome
    from wizard.engine.views_back import RestorePlan, RollbackPlan


def rollback(call: Call, *, to: str | None, discard_data: bool, archive: Path | None) -> int:
    """Newest step first, down to `to`, which is kept."""
    require_writable(call, "rollback")
    if discard_data and archive is not None:
        raise UsageError("--archive and --discard-data contradict each other.", fix="Leave one of the two out.")
    with opened(call) as (engine, target):
        plan = engine.rollback_plan(to, archive=archive, discard_data=discard_data)
        lines = report.rollback_lines(plan, target.name, statements=call.launch.dry_run, discard=discard_data)
        nothing_to_do = to is not None and not (plan.steps or plan.leftovers or plan.files or call.json)
        if call.launch.dry_run:
            # Then no session that writes is ever opened.
            ends = ExitCode.REFUSED if plan.refused else ExitCode.DONE if nothing_to_do else None
            return _dry_run(call, engine, target, command="rollback --dry-run", plan=plan, lines=lines, ends=ends)
        if nothing_to_do:
            say(*lines)
            return ExitCode.DONE
        require_as_recorded(plan.replaced_since)
        require_no_dependents(plan.dependents)
        if not call.yes:
            say(*lines)
            say(f"Every statement: {engine.settings.command} rollback --dry-run")
        discarding = discard_data and plan.may_lose
        question = f"Roll back {plural(len(plan.steps), 'step')} on {target.name}?"
        if not plan.steps and plan.leftovers:
            question = f"Finish what an interrupted rollback left on {target.name}?"
        if discarding:
            # None now is no promise: the application may write until the table goes.
            rows = plural(plan.would_lose, "row") if plan.would_lose else "Every row that comes until then"
            question = f"{rows} will be lost for good. {question}"
        require_consent(call, target, question, name_needed=discarding)
        options = [*(["--to", to] if to else []), *(["--archive", str(archive)] if archive else [])]
        # The folder that was shown is the one that is used.
        folder = Path(plan.archive) if plan.archive and not discard_data else archive
        resume = ["rollback", *map(shlex.quote, options), *(["--discard-data"] if discard_data else [])]
        return _work(
            call, engine, target, resume, lambda worker: worker.rollback(to, discard_data=discard_data, archive=folder)
        )


def restore(call: Call, folder: Path, *, skip_orphans: bool) -> int:
    """An archive's rows, back into the tables of a new run."""
    require_writable(call, "restore")
    folder = folder.expanduser().absolute()
    with opened(call) as (engine, target):
        plan = engine.restore_plan(folder)
        lines = report.restore_lines(plan, target.name)
        if call.launch.dry_run:
            return _dry_run(call, engine, target, command="restore --dry-run", plan=plan, lines=lines)
        if not call.yes:
            say(*lines)
        require_consent(call, target, f"Restore {plural(plan.rows, 'row')} on {target.name}?")
        resume = ["restore", shlex.quote(str(folder)), *(["--skip-orphans"] if skip_orphans else [])]
        return _work(call, engine, target, resume, lambda worker: worker.restore(folder, skip_orphans=skip_orphans))


def _dry_run(
    call: Call,
    engine: Engine,
    target: Target,
    *,
    command: str,
    plan: RollbackPlan | RestorePlan,
    lines: list[str],
    ends: ExitCode | None = None,
) -> ExitCode:
    """Tells a plan, and how the real command would end: as `ends` says, else as its session would begin."""
    code, refused = (ends, "") if ends is not None else _foreseen(engine.refused_session())
    say(report.target_line(target), "DRY RUN, read-only session: nothing can be changed")
    document = {"target": target.name, "exit_code": int(code), "refused": refused, **plan.model_dump(mode="json")}
    answer(call, command, document, [*report.refused_lines(refused), *lines])
    return code


def _foreseen(refused: WizardError | None) -> tuple[ExitCode, str]:
    """How a command would end before its own work begins, and why."""
    return (refused.exit_code, str(refused)) if refused is not None else (ExitCode.DONE, "")


def _work(call: Call, engine: Engine, target: Target, resume: Sequence[str], work: Callable[[Engine], Outcome]) -> int:
    """Does it with progress, signals and closing words; the exit code."""
    with (
        closing_words(call, lambda: engine, target, resume) as began,
        progress(engine.rollout, as_json=call.json) as listener,
    ):
        worker = Engine(target, engine.rollout, engine.settings, began.following(listener))
        outcome, interrupted = supervised(worker, lambda: work(worker))
    if outcome.failure:
        say(*failure_lines(outcome.failure))
    if outcome.ending == "done":
        say_text(outcome.sentence)
    else:
        say_closing(engine, target, call.launch.state_dir, outcome.sentence, resume=resume)
    return exit_code(outcome, interrupted=interrupted)


def forget(call: Call, *, keep_objects: bool) -> int:
    """Export the log, then drop the registry."""
    require_writable(call, "forget")
    with opened(call) as (engine, target):
        if not engine.survey().registry:
            if call.json:
                command = "forget --dry-run" if call.launch.dry_run else "forget"
                write_document(call, command, {"target": target.name, "log": None})
            say(f"There is nothing to forget on {target.name}: schema rag_wizard is not there.")
            return ExitCode.DONE
        standing = engine.standing()
        if not keep_objects:
            require_none_standing(standing, engine.settings, engine.rollout.name)
        named = ", ".join(map(str, standing))
        kept = f"; what was made stays and nobody can roll it back: {named}" if standing else ""
        if call.launch.dry_run:
            code, refused = _foreseen(engine.refused_forget())
            say(*report.refused_lines(refused))
            say(f"DRY RUN: schema rag_wizard on {target.name} would be dropped after its log is exported{kept}.")
            if call.json:
                document = {"target": target.name, "exit_code": int(code), "refused": refused}
                document |= {"would_drop": "rag_wizard", "statements": len(engine.statements(everything=True))}
                write_document(call, "forget --dry-run", {**document, "would_stay": list(map(str, standing))})
            return code
        say_text(f"The log is exported, then schema rag_wizard on {target.name} is dropped{kept}.")
        require_consent(call, target, f"Forget the rollout on {target.name}?")
        logged = engine.statements(everything=True)
        path = save_log(engine, target, call.launch.state_dir, everything=True) if logged else None
        supervised(engine, lambda: engine.forget(keep_objects=keep_objects))
        if call.json:
            write_document(call, "forget", {"target": target.name, "log": str(path) if path else None})
        say(
            f"Log saved: {path}" if path else "The log was empty.",
            f"Schema rag_wizard is gone from {target.name}{kept}.",
        )
    return ExitCode.DONE
