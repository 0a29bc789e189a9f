"""Commits one part with everything around it: events, the record of a failure, what a failure means for the exit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wizard.db.queries import query
from wizard.engine import words
from wizard.engine.events import Failed, LockWaited, PartCommitted, PartStarted, StatementCommitted
from wizard.engine.message import PartMessage
from wizard.engine.send import LOCK_CODES, PartFailedError, StoppedError, send_intent, send_part
from wizard.engine.sitting import Sitting
from wizard.engine.state import StepState
from wizard.engine.survey import pending_failure
from wizard.engine.views import Failure, Outcome, Verification
from wizard.errors import LockNotObtainedError


def commit_part(
    here: Sitting, message: PartMessage, *, parts: int, before_retry: Callable[[], object] | None = None
) -> Outcome | None:
    """Sends a part and reports it; an Outcome if it failed or was cancelled.

    `before_retry` is called after each lock that could not be had in time, when nothing is held.
    Raises LockNotObtainedError when that is what the failure means.
    """
    try:
        send_reported(here, message, parts=parts, before_retry=before_retry)
    except StoppedError:
        return outcome_now(here, "stopped")
    except PartFailedError as failed:
        here.composer.failed(message.source.step)
        return failed_part(here, failed)
    return None


def send_reported(
    here: Sitting, message: PartMessage, *, parts: int, before_retry: Callable[[], object] | None = None
) -> None:
    """Sends a part with everything that is told of it; what its failure means is left to the caller.

    Raises what `send_part` does. The record is read anew in any case.
    """
    source = message.source
    here.composer.used(message)
    send_intent(here.connection, message)
    announce(here, message, parts=parts)

    def waited(attempt: int, code: str, elapsed: float, pause: float, sql: str) -> None:
        here.emit(
            LockWaited(
                step=source.step, part=source.part, attempt=attempt, sqlstate=code, waited_s=elapsed,
                patience_s=here.settings.lock_patience_s, next_try_s=pause, sql=sql,
            )
        )  # fmt: skip
        if before_retry is not None:
            before_retry()

    try:
        seconds = send_part(
            here.connection, message, steering=here.steering, patience_s=here.settings.lock_patience_s, waited=waited
        )
    except (StoppedError, PartFailedError):
        here.look_at_parts()
        raise
    committed_part(here, message, parts=parts, seconds=seconds)


def announce(here: Sitting, message: PartMessage, *, parts: int) -> None:
    """Reports that a part's intent is committed and its statements are being sent."""
    source = message.source
    lines = (*message.page, *message.lines)
    shown = ";\n".join(line.sql for line in lines if line.statement)
    here.emit(PartStarted(**_about(message), parts=parts, title=source.title, sql=shown))


def _about(message: PartMessage) -> dict[str, Any]:
    source = message.source
    return {"step": source.step, "part": source.part, "direction": source.direction}


def committed_part(here: Sitting, message: PartMessage, *, parts: int, seconds: float) -> None:
    """Reports a part that is done, with its statements as they stand in the log."""
    about = _about(message)
    here.emit(PartCommitted(**about, parts=parts, seconds=seconds))
    for row in here.connection.execute(query("part_statements"), {"part_id": message.part_id}):
        here.emit(
            StatementCommitted(
                **about, ordinal=row["ordinal"], sql=row["sql"], rows=row["rows"], duration_ms=row["duration_ms"],
                xid=row["xid"],
            )
        )  # fmt: skip
    here.look_at_parts()


def failed_part(here: Sitting, failed: PartFailedError) -> Outcome:
    """The failure, as the registry has it now, in its four parts."""
    failure: Failure | None = pending_failure(here.connection, here.situation)
    assert failure is not None
    here.emit(Failed(failure=failure))
    if failed.sqlstate in LOCK_CODES:
        raise LockNotObtainedError(
            f"gave up waiting for a lock in step {failure.step} after {here.settings.lock_patience_s:.0f} s",
            why=failure.state_now,
            fix="End or wait for the transaction that holds the table; then run the same command again.",
        )
    return outcome_now(here, "failed", failure=failure)


def outcome_now(
    here: Sitting,
    ending: str,
    *,
    changed: bool = True,
    sentence: str = "",
    failure: Failure | None = None,
    verification: Verification | None = None,
) -> Outcome:
    """How things stand when an operation ends."""
    states = ((r.step.id, here.situation.state(r)) for r in here.situation.steps)
    return Outcome(
        ending=ending,  # type: ignore[arg-type]
        sentence=sentence or words.survey_sentence(here.situation, failure),
        failure=failure,
        verification=verification,
        changed=changed,
        open_steps=tuple(step_id for step_id, state in states if state is StepState.OPEN),
    )
