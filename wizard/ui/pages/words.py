"""Sizes, times and states as people read them. Nothing here knows which page it is on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from textual.content import Content

from wizard.engine.state import StepState
from wizard.text import clock, plural

if TYPE_CHECKING:
    from wizard.engine.views import CheckResult, Failure, TableSize

_STYLES = {
    StepState.RUNNING: "$primary",
    StepState.WAITING: "$warning",
    StepState.PAUSED: "$warning",
    StepState.PASSED: "$success",
    StepState.DONE: "$success",
    StepState.ADOPTED: "$success",
    StepState.PARTLY: "$warning",
    StepState.DECIDE: "$warning",
    StepState.OPEN: "$warning",
    StepState.FAILED: "$error",
    StepState.ROLLED_BACK: "$quiet",
    StepState.CONFLICT: "$error",
    StepState.UNKNOWN: "$warning",
    StepState.WOULD_RUN: "$accent",
}

LEVELS = {"pass": ("✔", "$success"), "warn": ("!", "$warning"), "stop": ("✖", "$error")}
"""Level of a prerequisite -> glyph and style."""


def state_style(state: StepState) -> str:
    """The $variable that goes with a state, besides its glyph and word."""
    return _STYLES.get(state, "$quiet")


def heading(text: str) -> Content:
    """A heading inside a page."""
    return Content.styled(text, "bold $primary")


def took(seconds: float) -> str:
    """A measured duration."""
    if seconds < 60:
        return f"{seconds:.2f} s"
    return f"{clock(seconds)} {'min' if seconds < 3600 else 'h'}"


def verified(checks: Sequence[CheckResult], rest: int) -> str:
    """What a verification came to, in one sentence for the State line; `rest` more cannot pass yet."""
    failed = sum(not check.passed for check in checks)
    left = f"; {rest} {'is' if rest == 1 else 'are'} of steps still to run" if rest else ""
    if failed:
        return f"Verified: {plural(failed, 'check')} of {len(checks)} failed; key 5 of each step shows them{left}"
    return f"Verified: {len(checks)} of {plural(len(checks), 'check')} passed{left}"


def moment(at: datetime) -> str:
    """A day and a minute, as in 22 Nov 13:40."""
    return f"{at.day} {at:%b %H:%M}"


def rows_of(size: TableSize) -> str:
    """Rows of a table as the statistics have them."""
    if size.rows < 0:
        return "never analysed"
    return f"~{size.rows:,} rows"


def size_of(size: TableSize) -> str:
    """Rows, bytes and the date of the estimate."""
    date = f" (estimate of {moment(size.analysed_at)})" if size.analysed_at and size.rows >= 0 else ""
    return f"{size.table} {rows_of(size)}, {volume(size.bytes)}{date}"


def volume(count: int) -> str:
    """Bytes in the unit people use."""
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1024:
            return f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:.1f} TB"


def place_of(failure: Failure) -> str:
    """Where the fault stands: file, line and column."""
    if not failure.file:
        return ""
    numbers = [str(number) for number in (failure.line, failure.column) if number]
    return ":".join([failure.file, *numbers])


def where(state: StepState) -> str:
    """What is recorded of a step in this state, in words."""
    return {
        StepState.DONE: "made by this rollout and recorded",
        StepState.ADOPTED: "was there already, exactly as the step would make it; recorded, nothing changed",
        StepState.PASSED: "holds; nothing was changed",
        StepState.RUNNING: "being made now; nothing of it is visible before it commits",
        StepState.WAITING: "not there yet: it waits for a lock, holding none",
        StepState.PARTLY: "some parts are committed, the others are not there yet",
        StepState.FAILED: "the part that failed left nothing behind; the failure is recorded",
        StepState.ROLLED_BACK: "rolled back",
        StepState.OPEN: "nothing to record; the work outside the database is yours",
        StepState.CONFLICT: "something of the same name differs from what the step would make",
        StepState.UNKNOWN: "not known before the database answers: the connection was lost while it was being made",
    }.get(state, "nothing recorded for this step")
