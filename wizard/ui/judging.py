"""What a verification says of the rollout as it stands: which of its checks count, and whether it still holds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from wizard.rollout.kind import StepKind

if TYPE_CHECKING:
    from wizard.engine.views import CheckResult, StepView, Survey, Verification


def due(verification: Verification | None, steps: Sequence[StepView]) -> tuple[CheckResult, ...]:
    """The checks that count: those that pass, and those that should, as their step was run and all before it."""
    checks = verification.checks if verification is not None else ()
    run = takewhile(lambda step: step.kind is not StepKind.SQL or step.state.is_complete, steps)
    ids = {step.id for step in run}
    return tuple(check for check in checks if check.passed or check.step in ids)


def is_same(before: Survey, now: Survey) -> bool:
    """What was judged then is there now: no step was run or rolled back since."""
    return _made(before) == _made(now)


def _made(survey: Survey) -> set[str]:
    return {step.id for step in survey.steps if step.kind is StepKind.SQL and step.state.is_complete}
