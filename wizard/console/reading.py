"""The commands that only read: check, plan, status, verify, log. Each returns the exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wizard.console import report
from wizard.console.call import Call
from wizard.console.out import say, say_text, write_data, write_document
from wizard.console.password import with_password
from wizard.engine.api import Engine
from wizard.engine.events import Noticed
from wizard.engine.looking.conflicts import conflict_error
from wizard.engine.looking.prerequisites import stopped_by
from wizard.engine.words import decide_options
from wizard.errors import ExitCode
from wizard.export.log import LogFormat, LogHeader, export_log
from wizard.open import load, open_target, settings_from

if TYPE_CHECKING:
    from wizard.db.target import Target
    from wizard.engine.events import Event, Listener
    from wizard.engine.views import PreviewTable, StepView
    from wizard.rollout.model import Rollout


def tell_notices(event: Event) -> None:
    """A listener for commands that show the result, not the way: only what the operator should know is said."""
    if isinstance(event, Noticed):
        say_text(f"note: {event.text}")


@contextmanager
def opened(call: Call, listener: Callable[[Rollout], Listener] | None = None) -> Iterator[tuple[Engine, Target]]:
    """The engine for this call; notices about the connection settings are said once."""
    rollout = load(call.launch)
    with open_target(with_password(call.launch)) as target:
        for notice in target.notices:
            say_text(f"note: {notice}")
        yield (
            Engine(target, rollout, settings_from(call.launch), listener(rollout) if listener else tell_notices),
            target,
        )


def answer(call: Call, command: str, document: dict[str, Any], lines: list[str]) -> None:
    """The result as one JSON document or as lines."""
    if call.json:
        write_document(call, command, document)
    else:
        write_data(call, "".join(f"{line}\n" for line in lines))


def previews_of(engine: Engine, steps: Iterable[StepView]) -> dict[str, tuple[PreviewTable, ...]]:
    """What the steps that are left want to be seen before they run, by step."""
    return {step.id: engine.preview(step.id) for step in steps if step.previews and not step.state.is_complete}


def check(call: Call) -> int:
    """Exit 3 if a prerequisite stops or a decision is missing, 7 if only a conflict does, else 0."""
    with opened(call) as (engine, target):
        results = engine.check()
        survey = engine.survey()
        steps, missing = survey.steps, survey.open_decisions
        conflicts = report.conflicts_of(steps)
        say(report.target_line(target))
        code = stopped_by(results)
        if missing and code is ExitCode.DONE:
            code = ExitCode.PREREQUISITES
        document = {
            "target": target.name,
            "met": code is ExitCode.DONE,
            "prerequisites": [r.model_dump(mode="json") for r in results],
            "decisions": [decision.model_dump(mode="json") for decision in missing],
            "conflicts": [conflict.model_dump(mode="json") for conflict in conflicts],
            "objects": {step.id: [one.model_dump(mode="json") for one in step.objects] for step in steps},
        }
        found = report.found_lines(step for step in steps if not step.conflicts)
        lines = ["", "There already", *found] if found else []
        lines += ["", *report.decision_lines(missing)] if missing else []
        answer(
            call, "check", document, [*report.prerequisite_lines(results), *lines, *report.conflict_report(conflicts)]
        )
        say(report.prerequisite_summary(results))
        if missing:
            say(f"A run stops until it is decided: {decide_options(missing)}")
    return code


def plan(call: Call, *, registry: bool) -> int:
    """The psql script of what is left to run.

    Raises RefusedError where a run would meet a conflict, PrerequisiteError where it would miss a decision.
    """
    with opened(call) as (engine, target):
        steps = engine.survey().steps
        if conflicts := report.conflicts_of(steps):
            raise conflict_error(conflicts)
        script = engine.plan(registry=registry)
        say(report.target_line(target))
        if found := report.found_lines(step for step in steps if not step.state.is_complete):
            say("There already, so the script does not make it again:", *found)
        say(*report.preview_lines(previews_of(engine, steps)))
        if call.json:
            objects = {step.id: [one.model_dump(mode="json") for one in step.objects] for step in steps}
            document = {"target": target.name, "registry": registry, "script": script, "objects": objects}
            write_document(call, "plan", document)
        else:
            write_data(call, script if script.endswith("\n") else script + "\n")
        if not registry:
            say(
                "note: --no-registry leaves out what the wizard records: after this script it can neither roll back,",
                "      nor resume, nor show a log; a later run adopts what it finds, and adopted objects stay.",
            )
    return ExitCode.DONE


def status(call: Call, *, exit_code: bool) -> int:
    """0, or with `exit_code` 1 until the rollout is finished."""
    with opened(call) as (engine, target):
        survey = engine.survey()
        document = survey.model_dump(
            mode="json", exclude={"steps": {"__all__": {"revert": True, "parts": {"__all__": {"statements"}}}}}
        )
        say(report.target_line(target))
        answer(call, "status", document, report.status_lines(survey))
        if report.conflicts_of(survey.steps):
            say(f"Both definitions: {engine.settings.command} check")
    return ExitCode.FAILED if exit_code and not survey.finished else ExitCode.DONE


def verify(call: Call) -> int:
    """Exit 1 if a check failed."""
    with opened(call) as (engine, target):
        verification = engine.verify()
        say(report.target_line(target))
        document = {"target": target.name, "passed": verification.passed, **verification.model_dump(mode="json")}
        answer(call, "verify", document, report.verification_lines(verification))
        say(report.verification_summary(verification))
    return ExitCode.DONE if verification.passed else ExitCode.FAILED


def log(call: Call, *, format: LogFormat) -> int:  # noqa: A002
    """The statement log in one of its formats."""
    with opened(call) as (engine, target):
        statements = engine.statements()
        header = LogHeader(target.name, target.address, engine.rollout.name, call.launch.schema)
        if call.json:
            write_document(
                call, "log", {"target": target.name, "statements": [s.model_dump(mode="json") for s in statements]}
            )
        else:
            write_data(call, export_log(statements, format, header))
        if not statements:
            say("Nothing was executed on this database, or the registry was dropped by forget.")
    return ExitCode.DONE
