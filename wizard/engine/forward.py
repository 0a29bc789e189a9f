"""Runs a rollout forward: prerequisites, step after step, checks after each, verification at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import TypeVar

from psycopg import errors

from wizard.db.prepared import ask
from wizard.engine import words
from wizard.engine.events import (
    CheckFinished,
    Noticed,
    PrerequisiteChecked,
    StepFinished,
    StepPreviewed,
    StepStarted,
)
from wizard.engine.foreseen import edited_steps, require_same_sql
from wizard.engine.looking.checks import run_checks, verify_all
from wizard.engine.looking.compare import declared_by
from wizard.engine.looking.conflicts import conflict_lines
from wizard.engine.looking.in_the_way import IN_THE_WAY
from wizard.engine.looking.live import objects_of
from wizard.engine.looking.prerequisites import prerequisites, stopped_by
from wizard.engine.looking.preview import previews
from wizard.engine.looking.situation import Situation
from wizard.engine.parts.source import PartSource
from wizard.engine.sending.backfill import run_batches
from wizard.engine.sending.before_step import nobody_is, tell_before
from wizard.engine.sending.commit import Committed, EndedError, commit_checkpoint, commit_part, outcome_now
from wizard.engine.sitting import Sitting
from wizard.engine.state import StepState
from wizard.engine.types.step import follow, is_due, run_types_step
from wizard.engine.views import CheckResult, Outcome, PrerequisiteResult, Verification
from wizard.errors import (
    ExitCode,
    PrerequisiteError,
    RefusedError,
    RolloutInvalidError,
    UsageError,
    WizardError,
)
from wizard.rollout.kind import StepKind
from wizard.rollout.model import Decision, Rollout, Step
from wizard.rollout.render import Mode, RenderedStep

T = TypeVar("T")


def run_forward(here: Sitting, first: str | None = None, last: str | None = None) -> Outcome:
    """Runs what is left of `first`..`last`, both included; everything by default.

    Raises UsageError, PrerequisiteError, LockNotObtainedError or RefusedError; a failing statement or check is an
    Outcome, recorded in the registry.
    """
    try:
        return _run(here, first, last)
    except EndedError as ended:
        return ended.outcome


def _run(here: Sitting, first: str | None, last: str | None) -> Outcome:
    chosen = step_range(here.situation.rollout, first, last)
    require_earlier(here.situation, chosen)
    steps = [rendered for rendered in here.situation.steps if rendered.step.id in chosen]
    _compare_with_record(here)
    if is_work_left(here.situation, steps):
        require_prerequisites(here, steps)
    require_decided(here.situation, [rendered for rendered in steps if asked_again(rendered, first)])
    began, sent = time.monotonic(), 0
    changed = bool(here.done_now)
    verification: Verification | None = None
    for rendered in steps:
        if here.steering.wait_if_paused():
            return outcome_now(here, "stopped", changed=changed)
        state = here.situation.state(rendered)
        if rendered.step.kind is StepKind.VERIFICATION:
            verification = _verify(here, rendered)
            changed = _record_verified(here, rendered, state, passed=verification.passed) or changed
            if not verification.passed:
                sentence = f"{words.committed(here.situation)}. {words.unverified_sentence(verification)}"
                return outcome_now(here, "check failed", changed=changed, sentence=sentence, verification=verification)
        elif rendered.step.kind is StepKind.SQL and (not state.is_complete or _repeated(here, rendered, first)):
            changed = True
            outcome = _run_step(here, rendered, again=_repeated(here, rendered, first) if state.is_complete else ())
            if outcome is not None:
                return outcome
            sent += sum(len(part.statements) for part in rendered.parts)
        elif rendered.step.kind is not StepKind.SQL:
            changed = _tell(here, rendered) or changed
    sentence = words.survey_sentence(here.situation)
    if verification is not None:
        sentence = words.finished_sentence(verification, sent, time.monotonic() - began)
    return outcome_now(here, "done", changed=changed, sentence=sentence, verification=verification)


def asked_again(rendered: RenderedStep, first: str | None) -> bool:
    """A backfill in batches that is named goes through its table again: rows may have come since."""
    return first is not None and any(part.mode is Mode.BATCHES for part in rendered.parts)


def _repeated(here: Sitting, rendered: RenderedStep, first: str | None) -> tuple[int, ...]:
    """Its parts that are gone through again; not those that this operation came through before it lost a connection."""
    if not asked_again(rendered, first):
        return ()
    batched = (number for number, part in enumerate(rendered.parts, 1) if part.mode is Mode.BATCHES)
    return tuple(number for number in batched if (rendered.step.id, number) not in here.done_now)


def steps_left(situation: Situation, chosen: tuple[str, ...], first: str | None) -> list[RenderedStep]:
    """Of the chosen steps those that a run sends something for, in order, a types file that is named included.

    Raises UsageError if a step before them is not done.
    """
    require_earlier(situation, chosen)
    left = [*situation.remaining, *situation.files_left]
    return [
        rendered
        for rendered in situation.steps
        if rendered.step.id in chosen and (rendered in left or asked_again(rendered, first))
    ]


def step_range(rollout: Rollout, first: str | None, last: str | None) -> tuple[str, ...]:
    """Ids from `first` to `last`, both included. Raises UsageError for ids that are not there or in wrong order."""
    order = list(rollout.order)
    for step_id in (first, last):
        if step_id is not None and step_id not in order:
            raise UsageError(f'there is no step "{step_id}"', fix=f"Steps: {', '.join(order)}.")
    begin = order.index(first) if first else 0
    end = order.index(last) if last else len(order) - 1
    if begin > end:
        raise UsageError(f"step {first} comes after step {last}", fix="Swap the two.")
    return tuple(order[begin : end + 1])


def require_earlier(situation: Situation, chosen: tuple[str, ...]) -> None:
    """Raises UsageError if a step before the chosen ones is not done."""
    for rendered in situation.steps:
        if rendered.step.id == chosen[0]:
            return
        if rendered.step.kind is StepKind.SQL and not situation.state(rendered).is_complete:
            raise UsageError(
                f"step {rendered.step.id} comes before {chosen[0]} and is not done",
                fix=f"Begin with it: --from {rendered.step.id}",
            )


def _compare_with_record(here: Sitting) -> None:
    """Steps whose SQL was edited since they ran: a partly done one is refused, a done one told."""
    require_same_sql(here.situation, here.settings.command)
    for step, version in edited_steps(here.situation).items():
        here.emit(Noticed(step=step, text=f"step {step} was run by version {version} from other SQL; it stays so"))


def is_work_left(situation: Situation, steps: Iterable[RenderedStep]) -> bool:
    """Any of these steps but a verification is not complete: then a run judges the prerequisites first."""
    return any(
        rendered.step.kind is not StepKind.VERIFICATION and not situation.state(rendered).is_complete
        for rendered in steps
    )


def require_prerequisites(here: Sitting, steps: Sequence[RenderedStep]) -> None:
    """Raises PrerequisiteError if one stops or a decision about `steps` is missing; nothing was changed then.

    Raises EndedError if the operator cancelled.
    """

    def report(result: PrerequisiteResult) -> None:
        here.emit(PrerequisiteChecked(result=result))
        # A look that was cancelled may have become a warning.
        if here.steering.cancelled:
            raise EndedError(outcome_now(here, "stopped"))
        if result.id == IN_THE_WAY and result.level == "pass":
            nobody_is(here)

    found = _looked(here, partial(prerequisites, here.connection, here.situation, report))
    stops = [result for result in found if result.level == "stop"]
    if stopped_by(stops) is ExitCode.REFUSED:
        raise RefusedError(
            f"conflict: {stops[0].found}",
            why="\n".join((*conflict_lines(here.situation.conflicts), "Nothing was changed.")),
            fix=stops[0].fix,
        )
    if stops:
        more = f" and {len(stops) - 1} more" if len(stops) > 1 else ""
        raise PrerequisiteError(
            f"prerequisite not met: {stops[0].title}{more}",
            why="\n".join(f"{stop.title}: {stop.found}" for stop in stops) + "\nNothing was changed.",
            fix="\n".join(dict.fromkeys(stop.fix for stop in stops)),
        )
    require_decided(here.situation, [rendered for rendered in here.situation.remaining if rendered in steps])


def _looked(here: Sitting, look: Callable[[], T]) -> T:
    """What a look returns that may take minutes. Raises EndedError if the operator cancelled it; nothing is undone."""
    try:
        with here.steering.cancellable(here.connection):
            found = look()
    except errors.QueryCanceled:
        if not here.steering.cancelled:
            raise
        raise EndedError(outcome_now(here, "stopped")) from None
    # A look that knows what to say of a time limit has taken the cancel for one.
    if here.steering.cancelled:
        raise EndedError(outcome_now(here, "stopped"))
    return found


def _tells_checks(here: Sitting) -> Callable[[CheckResult], None]:
    return lambda result: here.emit(CheckFinished(result=result))


def missing_decisions(situation: Situation, steps: Sequence[RenderedStep]) -> tuple[Decision, ...]:
    """Without an answer to which none of these steps is sent.

    Raises PrerequisiteError or RolloutInvalidError if it cannot be told.
    """
    if not steps:
        return ()
    if situation.asking.trouble is not None:
        raise situation.asking.trouble
    return situation.missing_decisions(steps)


def is_decided(situation: Situation, steps: Sequence[RenderedStep]) -> bool:
    """`require_decided` would not raise."""
    try:
        return not missing_decisions(situation, steps)
    except WizardError:
        return False


def require_decided(situation: Situation, steps: Sequence[RenderedStep]) -> None:
    """Before any of these steps is sent. Raises PrerequisiteError if a decision about them waits for its answer."""
    missing = missing_decisions(situation, steps)
    if missing:
        raise words.decisions_error(missing)


def _tell(here: Sitting, rendered: RenderedStep) -> bool:
    """Reports a step that sends nothing: prerequisites, or the operator's own work. True if it changed something.

    The operator's work is the wizard's where a types file was named for it.
    """
    if is_due(here, rendered):
        return run_types_step(here, rendered)
    step = rendered.step
    manual = here.situation.state(rendered) if step.kind is StepKind.MANUAL else StepState.PASSED
    here.emit(
        StepFinished(
            step=step.id, title=step.title, state=StepState.OPEN if manual is StepState.TODO else manual,
            sentence=words.survey_sentence(here.situation),
        )
    )  # fmt: skip
    return False


def _run_step(here: Sitting, rendered: RenderedStep, *, again: Collection[int] = ()) -> Outcome | None:
    """All parts that are left, then the checks; an Outcome if the run ends here. `again`: parts with newcomers."""
    step, count = rendered.step, len(rendered.parts)
    here.begin()
    active = here.situation.active
    standing = {record.part: record for record in active.standing(step.id)} if active else {}
    done = {record.part for record in active.finished(step.id)} - {*again} if active else set()
    declared, sent = declared_by(here.situation, [step]), Committed()
    for number in range(1, count + 1):
        if number in done:
            continue
        if here.steering.wait_if_paused():
            return outcome_now(here, "stopped")
        if number == min(set(range(1, count + 1)) - done):
            _begin_step(here, rendered, number)
            # Whoever asked for it while others were looked for, or rows counted, does not want the part any more.
            if here.steering.wait_if_paused():
                return outcome_now(here, "stopped")
        message = here.composer.deploy(here.situation, rendered, number)
        if message.source.mode is Mode.BATCHES:
            sent = Committed(run_batches(here, message, standing.get(number), parts=count))
        else:
            sent = commit_part(here, message, parts=count, question=declared.question if number == count else None)
        if sent.outcome is not None:
            return sent.outcome
    follow(here, step.id)
    rows = sent.answer
    if rows is None and declared.question is not None:
        rows = ask(here.connection, declared.question)
    comparison = declared.compared(objects_of(rows or ()))
    results = _looked(here, partial(run_checks, here.connection, here.situation, step, comparison, _tells_checks(here)))
    return _finish_step(here, rendered, results)


def _begin_step(here: Sitting, rendered: RenderedStep, first: int) -> None:
    """What is told before its first part is sent."""
    step, committed = rendered.step, words.standing_steps(here.situation)
    here.emit(
        StepStarted(
            step=step.id, title=step.title, first=first, parts=len(rendered.parts), doing=f"RUNNING {step.id}",
            committed=committed,
        )
    )  # fmt: skip
    tell_before(here, step)
    _preview(here, step)


def _preview(here: Sitting, step: Step) -> None:
    """Tells what the step wants to be seen before its first part is sent; a query that is wrong stops nothing."""
    if not step.previews:
        return
    try:
        tables = _looked(here, partial(previews, here.connection, here.situation, step))
    except RolloutInvalidError as error:
        here.emit(Noticed(step=step.id, text=f"what goes where cannot be shown: {error.what}"))
    else:
        here.emit(StepPreviewed(step=step.id, tables=tables))


def _finish_step(here: Sitting, rendered: RenderedStep, results: tuple[CheckResult, ...]) -> Outcome | None:
    passed = sum(result.passed for result in results)
    here.emit(
        StepFinished(
            step=rendered.step.id, title=rendered.step.title, state=here.situation.state(rendered),
            checks_passed=passed, checks=len(results), sentence=words.survey_sentence(here.situation),
        )
    )  # fmt: skip
    if passed == len(results):
        return None
    verification = Verification(checks=results, criteria=())
    sentence = f"{words.committed(here.situation)}. {words.unverified_sentence(verification)}"
    return outcome_now(here, "check failed", sentence=sentence, verification=verification)


def _verify(here: Sitting, rendered: RenderedStep) -> Verification:
    step = rendered.step
    here.emit(
        StepStarted(step=step.id, title=step.title, doing="VERIFYING", committed=words.standing_steps(here.situation))
    )
    verification = _looked(here, partial(verify_all, here.connection, here.situation, _tells_checks(here)))
    passed = sum(check.passed for check in verification.checks)
    here.emit(
        StepFinished(
            step=step.id, title=step.title, state=StepState.PASSED if verification.passed else StepState.FAILED,
            checks_passed=passed, checks=len(verification.checks), sentence=words.committed(here.situation),
        )
    )  # fmt: skip
    return verification


def _record_verified(here: Sitting, rendered: RenderedStep, state: StepState, *, passed: bool) -> bool:
    """Leaves a checkpoint the first time everything holds, and takes it back when that is no longer so.

    Returns True if it wrote. Raises what `commit_checkpoint` does.
    """
    if state.is_complete == passed or here.situation.active is None:
        return False
    here.begin()
    if passed:
        message = here.composer.deploy(here.situation, rendered, 1)
    else:
        source = PartSource(rendered.step.id, 1, "revert", rendered.step.title, rendered.digest, ())
        message = here.composer.revert(here.situation, source)
    commit_checkpoint(here, message)
    return True
