"""Runs verification checks, judges every row, and ticks the success criteria. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import psycopg

from wizard.db.connect import Connection
from wizard.db.reading import Moment, read_rows
from wizard.engine.compare import check_objects
from wizard.engine.situation import Situation
from wizard.engine.state import StepState
from wizard.engine.views import CheckResult, CriterionResult, Judgement, Verification
from wizard.rollout.model import Check, Criterion, Step, holds
from wizard.rollout.queries import require_text, select

Report = Callable[[CheckResult], None]


def run_checks(connection: Connection, situation: Situation, step: Step, report: Report) -> tuple[CheckResult, ...]:
    """The checks of one step, each reported as soon as it is judged: first its objects, then what it declares."""
    results = []
    objects = check_objects(connection, situation, step)
    if objects is not None:
        report(objects)
        results.append(objects)
    for check in step.checks:
        if not holds(check.when, situation.facts):
            continue
        result = _run(connection, situation, step, check)
        report(result)
        results.append(result)
    return tuple(results)


def verify_all(connection: Connection, situation: Situation, report: Report) -> Verification:
    """The checks of every step, and the success criteria that follow from them."""
    results = tuple(
        result for rendered in situation.steps for result in run_checks(connection, situation, rendered.step, report)
    )
    criteria = tuple(_judge(situation, criterion, results) for criterion in situation.rollout.criteria)
    return Verification(checks=results, criteria=criteria, next_steps=situation.rollout.next_steps)


def _run(connection: Connection, situation: Situation, step: Step, check: Check) -> CheckResult:
    try:
        rows = read_rows(connection, select(situation.rollout, check.sql), moment=_when(situation, step))
    except psycopg.Error as error:
        if connection.broken:
            raise
        message = error.diag.message_primary or str(error)
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            message = f"not visible to this role, so not judged: {message}"
        return CheckResult(step=step.id, id=check.id, title=check.title, error=message)
    require_text(rows, ("subject", "expected", "found"), check.sql)
    judged = tuple(Judgement(subject=row["subject"], expected=row["expected"], found=row["found"]) for row in rows)
    return CheckResult(step=step.id, id=check.id, title=check.title, rows=judged)


def _when(situation: Situation, step: Step) -> Moment:
    """When the step's last part ran, in transactions; empty if the registry has none."""
    standing = situation.active.standing(step.id) if situation.active is not None else ()
    return Moment(standing[-1].xid or "", standing[-1].horizon or "") if standing else Moment()


def _judge(situation: Situation, criterion: Criterion, results: Sequence[CheckResult]) -> CriterionResult:
    named = [result for result in results if result.id in criterion.checks]
    if criterion.step:
        state = situation.state(situation.step(criterion.step))
        passed = state in {StepState.DONE, StepState.PASSED}
        return CriterionResult(
            title=criterion.title,
            state="passed" if passed else "open",
            checks=(),
            step=criterion.step,
            note=criterion.note,
        )
    return CriterionResult(
        title=criterion.title,
        state="passed" if named and all(result.passed for result in named) else "failed",
        checks=tuple(criterion.checks),
        note=criterion.note,
    )
