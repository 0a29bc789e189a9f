"""Log lines: events and recorded statements as rows of words. Drawing them is the log pane's work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from wizard.engine.state import StepState
from wizard.text import plural

if TYPE_CHECKING:
    from wizard.engine.events import (
        BackfillProgressed,
        ConnectionLost,
        Event,
        Noticed,
        Reconnected,
        StepFinished,
        TypesFileRestored,
        TypesFileWritten,
    )
    from wizard.engine.views import LoggedStatement


RECENT_BATCHES = 60
"""Lines about one backfill that are kept: what else happened is not pushed out by it."""


@dataclass(frozen=True)
class LogLine:
    """One line of the log; every field may hold foreign text."""

    at: datetime | None
    place: str
    """Step and part, as in "2.1.3"."""
    outcome: str
    """One or two words: committed, lock wait, failed, verified, notice."""
    text: str
    note: str = ""
    """Right of the text: duration, transaction id."""
    style: str = ""
    """A $variable for the outcome word."""


def recorded(statements: Iterable[LoggedStatement]) -> list[LogLine]:
    """The statement log of the database as lines, oldest first."""
    return [
        LogLine(
            row.started_at,
            f"{row.step}.{row.part}",
            _outcome(row.outcome, row.direction),
            row.sql,
            _note(row.duration_ms, row.xid),
            _style(row.outcome, row.direction),
        )
        for row in statements
    ]


def heard(event: Event) -> LogLine | None:
    """The line an event adds to the log; None for events that the other regions show."""
    from wizard.engine import events

    line: LogLine | None = None
    match event:
        case events.StatementCommitted():
            outcome = _outcome("committed", event.direction)
            note = _note(event.duration_ms, event.xid)
            line = LogLine(
                event.at, f"{event.step}.{event.part}", outcome, event.sql, note, _style("committed", event.direction)
            )
        case events.BackfillProgressed():
            line = _progressed(event)
        case events.LockWaited():
            longer = f", next {event.next_timeout_ms / 1000:g} s" if event.next_timeout_ms else ""
            note = f"try {event.attempt}, {event.sqlstate}, let go{longer}"
            line = LogLine(event.at, f"{event.step}.{event.part}", "lock wait", event.sql, note, "$warning")
        case events.Failed(failure=failure):
            text = f"{failure.sqlstate} {failure.message}"
            line = LogLine(event.at, f"{failure.step}.{failure.part}", "failed", text, "rolled back", "$error")
        case events.Noticed() | events.ConnectionLost() | events.Reconnected():
            line = _of_session(event)
        case events.TypesFileWritten() | events.TypesFileRestored():
            line = _of_file(event)
        case events.PrerequisiteChecked(result=found) if found.level != "pass":
            style = "$error" if found.level == "stop" else "$warning"
            line = LogLine(event.at, "", found.level, f"{found.title}: {found.found}", "", style)
        case events.CheckFinished(result=check) if not check.passed:
            line = LogLine(event.at, check.step, "check failed", check.title, check.error, "$error")
        case events.StepFinished():
            line = _finished(event)
        case _:
            pass
    return line


def _of_session(event: Noticed | ConnectionLost | Reconnected) -> LogLine | None:
    """A notice; once that the connection is lost, however often it is sought, and once that it is back."""
    if event.event == "noticed":
        return LogLine(event.at, event.step, "notice", event.text, "", "$warning")
    if event.event == "reconnected":
        return LogLine(event.at, "", "connected", event.sentence, "", "$success")
    text = "the connection is lost; the database is asked what was committed"
    return LogLine(event.at, "", "lost", text, "", "$warning") if event.attempt == 1 else None


def _of_file(event: TypesFileWritten | TypesFileRestored) -> LogLine:
    """What became of the application's types file."""
    if event.event == "types_file_written":
        return LogLine(event.at, event.step, "written", event.written.path, "as it was: saved", "$success")
    return LogLine(event.at, event.step, "types file", f"{event.file.path} {event.file.words}", "", "$accent")


def _progressed(event: BackfillProgressed) -> LogLine | None:
    """The batches that were committed up to now, as one line."""
    from wizard.engine import progress as pace

    if not event.batches:
        return None
    done = pace.percent(event.rows, event.total)
    text = pace.rows_words(event) + ("" if done is None else f", {done} %")
    note = "" if event.rows_per_s is None else f"{event.rows_per_s:,.0f} rows/s"
    style = _style("committed", event.direction)
    return LogLine(event.at, f"{event.step}.{event.part}", f"batch {event.batches:,}", text, note, style)


def follow(log: list[LogLine], event: Event, backfill: BackfillProgressed | None) -> LogLine | None:
    """The line that `event` adds to `log`; `backfill` is what was told last of the part under way, if it is one.

    Batches are told at most once a second, and a statement of one not at all: everything else would be pushed out.
    """
    from wizard.engine import events

    if isinstance(event, events.BackfillProgressed):
        return _due(log, heard(event))
    if backfill is not None and isinstance(event, events.StatementCommitted):
        return None
    if backfill is not None and isinstance(event, events.PartCommitted):
        return batches(backfill, event.at)
    return heard(event)


def _due(log: list[LogLine], line: LogLine | None) -> LogLine | None:
    """`line`, unless one about the same was added within the last second; of many such lines the oldest goes."""
    if line is None or line.at is None:
        return None
    told = [old for old in log[-RECENT_BATCHES:] if old.place == line.place and old.outcome.startswith("batch ")]
    if told and told[-1].at is not None and (line.at - told[-1].at).total_seconds() < 1:
        return None
    if len(told) == RECENT_BATCHES:
        log.remove(told[0])
    return line


def batches(event: BackfillProgressed, at: datetime) -> LogLine:
    """The line that closes a backfill."""
    text = f"{event.rows:,} rows of {event.table} in {plural(event.batches, 'batch').replace('batchs', 'batches')}"
    if not event.rows:
        text = f"no row of {event.table} had to be changed"
    place = f"{event.step}.{event.part}"
    return LogLine(at, place, _outcome("committed", event.direction), text, "", _style("committed", event.direction))


def _finished(event: StepFinished) -> LogLine:
    """The line that closes a step."""
    if event.state is StepState.ADOPTED and event.checks_passed == event.checks:
        checked = f"; {event.checks_passed} of {plural(event.checks, 'check')}" if event.checks else ""
        text = f"everything was there already, nothing was sent{checked}"
        return LogLine(event.at, event.step, event.state.word, text, "", "$success")
    if event.checks:
        passed = event.checks_passed == event.checks
        text = f"{event.checks_passed} of {plural(event.checks, 'check')}"
        word = "verified" if passed else "not verified"
        return LogLine(event.at, event.step, word, text, "", "$success" if passed else "$error")
    return LogLine(event.at, event.step, event.state.word, event.title, "", "$quiet")


def _outcome(outcome: str, direction: str) -> str:
    return "reverted" if direction == "revert" and outcome == "committed" else outcome


def _style(outcome: str, direction: str) -> str:
    if outcome != "committed":
        return "$error"
    return "$accent" if direction == "revert" else "$success"


def _note(duration_ms: float | None, xid: str | None) -> str:
    seconds = "" if duration_ms is None else f"{duration_ms / 1000:.2f} s"
    return "  ".join(part for part in (seconds, f"xid {xid}" if xid else "") if part)
