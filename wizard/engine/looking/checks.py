"""Runs verification checks, judges every row, and ticks the success criteria. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from wizard.db.connect import Connection
from wizard.db.reading import Moment, Rows, read_all
from wizard.engine.looking.compare import OFFERED, Comparison, compare
from wizard.engine.looking.situation import Situation
from wizard.engine.session.registry import load_batch_xids
from wizard.engine.state import StepState
from wizard.engine.views import CheckResult, CriterionResult, Judgement, Verification
from wizard.rollout.model import Check, Criterion, Step, holds
from wizard.rollout.queries import require_text, select
from wizard.rollout.render import Mode

Report = Callable[[CheckResult], None]


def run_checks(
    connection: Connection, situation: Situation, step: Step, comparison: Comparison, report: Report
) -> tuple[CheckResult, ...]:
    """The checks of a step that was just sent, each reported once it is judged: its objects, then what it declares."""
    return _run_checks(connection, situation, [step], comparison, report)


def verify_all(connection: Connection, situation: Situation, report: Report) -> Verification:
    """The checks of every step, and the success criteria that follow from them."""
    steps = [rendered.step for rendered in situation.steps]
    results = _run_checks(connection, situation, steps, compare(connection, situation, steps), report)
    criteria = tuple(_judge(situation, criterion, results) for criterion in situation.rollout.criteria)
    return Verification(
        checks=results, criteria=criteria, next_steps=situation.rollout.next_steps,
    )  # fmt: skip


def _run_checks(
    connection: Connection, situation: Situation, steps: Sequence[Step], comparison: Comparison, report: Report
) -> tuple[CheckResult, ...]:
    declared = {step.id: [check for check in step.checks if holds(check.when, situation.facts)] for step in steps}
    texts = (select(situation.rollout, check.sql) for checks in declared.values() for check in checks)
    offer = ""
    if not comparison.blind and any(OFFERED in text for text in texts):
        offer = comparison.offer(local=connection.kind == "transaction pooler")
    results = []
    for step in steps:
        objects = comparison.check(step)
        if objects is not None:
            report(objects)
            results.append(objects)
        found = [] if comparison.blind else _read(connection, situation, step, declared[step.id], before=offer)
        for check, update in found or [(check, {"error": comparison.blind}) for check in declared[step.id]]:
            result = CheckResult(step=step.id, id=check.id, title=check.title).model_copy(update=update)
            report(result)
            results.append(result)
        offer = "" if declared[step.id] else offer
    return tuple(results)


def _read(
    connection: Connection, situation: Situation, step: Step, checks: Sequence[Check], *, before: str
) -> list[tuple[Check, dict[str, Any]]]:
    """Of each check of a step the rows of its result, or the error that kept it from running."""
    if not checks:
        return []
    moment = _when(connection, situation, step)
    found = read_all(connection, [(select(situation.rollout, check.sql), moment) for check in checks], before=before)
    return [(check, _result(check, rows)) for check, rows in zip(checks, found, strict=True)]


def _result(check: Check, rows: Rows | psycopg.Error) -> dict[str, Any]:
    if isinstance(rows, psycopg.Error):
        message = rows.diag.message_primary or str(rows)
        if isinstance(rows, psycopg.errors.InsufficientPrivilege):
            message = f"not visible to this role, so not judged: {message}"
        return {"error": message}
    require_text(rows, ("subject", "expected", "found"), check.sql)
    return {
        "rows": tuple(Judgement(subject=row["subject"], expected=row["expected"], found=row["found"]) for row in rows)
    }


def _when(connection: Connection, situation: Situation, step: Step) -> Moment:
    """When the step's last part ran, in transactions; empty if the registry has none."""
    standing = situation.active.standing(step.id) if situation.active is not None else ()
    if not standing:
        return Moment()
    last = standing[-1]
    xids = [last.xid or ""]
    if last.mode == Mode.BATCHES.value:
        xids = [xid for part in standing for xid in load_batch_xids(connection, part.part_id)]
    return Moment(",".join(xids), last.horizon or "")


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
