"""Commits one part with everything around it: events, the record of a failure, what a failure means for the exit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from wizard.db.prepared import Question
from wizard.db.queries import query
from wizard.db.reading import Rows
from wizard.engine import words
from wizard.engine.events import Failed, LockWaited, PartCommitted, PartStarted, StatementCommitted
from wizard.engine.looking.fit import is_leftover
from wizard.engine.looking.live import read_items
from wizard.engine.looking.prerequisites import WRITES_REFUSED
from wizard.engine.parts.source import PartMessage, PartSource
from wizard.engine.sending.etiquette import LOCK_CODES, Etiquette, Try
from wizard.engine.sending.failure import pending_failure
from wizard.engine.sending.send import PartFailedError, StoppedError, require_rooms, send_intent, send_part
from wizard.engine.sending.vacuumed import vacuumed_tables
from wizard.engine.session.blockers import Seen, blocker_words, waits_for_words
from wizard.engine.session.registry import part_question
from wizard.engine.sitting import Sitting
from wizard.engine.state import StepState
from wizard.engine.views import Failure, Outcome, Verification
from wizard.errors import LockNotObtainedError
from wizard.rollout.model import STRONG_LOCKS
from wizard.rollout.render import Mode
from wizard.rollout.shape import ItemKind


@dataclass(frozen=True)
class Committed:
    """What became of a part."""

    outcome: Outcome | None = None
    """It failed or was cancelled, and this is how things stand."""
    answer: Rows | None = None
    """To the question that travelled behind it."""


class EndedError(Exception):
    """The operation ends before its end; `outcome` is how things stand."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.sentence)
        self.outcome = outcome


def commit_part(
    here: Sitting,
    message: PartMessage,
    *,
    parts: int,
    before_retry: Callable[[], object] | None = None,
    question: Question | None = None,
) -> Committed:
    """Sends a part and reports it. `question` travels behind it.

    `before_retry` is called after each lock that could not be had in time, when nothing is held.
    Raises LockNotObtainedError when that is what the failure means.
    """
    try:
        answer = send_reported(here, message, parts=parts, before_retry=before_retry, question=question)
    except StoppedError:
        return Committed(outcome_now(here, "stopped"))
    except PartFailedError as failed:
        here.composer.failed(message.source.step)
        return Committed(failed_part(here, failed))
    return Committed(answer=answer)


def send_reported(
    here: Sitting,
    message: PartMessage,
    *,
    parts: int,
    before_retry: Callable[[], object] | None = None,
    question: Question | None = None,
) -> Rows | None:
    """Sends a part with everything that is told of it, and returns the answer to a question behind it.

    What its failure means is left to the caller. Raises what `send_part` does. The record is read anew in any case.
    Raises PrerequisiteError before anything is sent if the server was made read-only.
    """
    source = message.source
    here.require_writable()
    here.composer.used(message)
    require_rooms(here.connection, message)
    if message.alone:
        send_intent(here.connection, message)
    announce(here, message, parts=parts)
    behind = [part_question(message.part_id)]
    if question is not None:
        behind.append(question)
    if here.asks_writable_soon:
        behind.append(WRITES_REFUSED)
    try:
        with etiquette_of(here, source, before_retry) as etiquette:
            sent = send_part(
                here.connection, message, steering=here.steering, etiquette=etiquette,
                intended=message.alone, again=partial(_behind_leftovers, here), behind=behind,
            )  # fmt: skip
    except (StoppedError, PartFailedError):
        here.look_at_parts()
        raise
    if behind[-1] is WRITES_REFUSED:
        here.saw_writable(sent.answers[-1])
    committed_part(here, message, parts=parts, seconds=sent.seconds, rows=sent.answers[0])
    return sent.answers[1] if question is not None else None


def _behind_leftovers(here: Sitting, message: PartMessage) -> PartMessage:
    """A build outside of a transaction that met a deadlock leaves an invalid index of its name: that has to go first.

    It is looked at as before every run: what somebody else is building under that name is no leftover.
    """
    made = [item for origin, item in message.source.objects if origin == "made" and item.kind is ItemKind.INDEX]
    if not message.alone or not made:
        return message
    live = read_items(here.connection, here.settings.schema, made)
    left = [item for item in made if is_leftover(live.get(item.key), item)]
    return here.composer.behind_leftovers(here.situation, message, left)


def commit_checkpoint(here: Sitting, message: PartMessage) -> None:
    """Sends a part that holds nothing but its checkpoint.

    Raises EndedError if it failed or was cancelled, LockNotObtainedError when that is what the failure means,
    PrerequisiteError if the server was made read-only.
    """
    here.require_writable()
    here.composer.used(message)
    try:
        sent = send_part(
            here.connection, message, steering=here.steering, etiquette=Etiquette(here.settings.lock_patience_s),
            behind=[part_question(message.part_id)],
        )  # fmt: skip
    except StoppedError:
        here.look_at_parts()
        raise EndedError(outcome_now(here, "stopped")) from None
    except PartFailedError as failed:
        here.look_at_parts()
        raise EndedError(failed_part(here, failed)) from None
    here.look_at_part(message.part_id, sent.answers[0])


def announce(here: Sitting, message: PartMessage, *, parts: int) -> None:
    """Reports that a part is being sent."""
    source = message.source
    lines = (*message.quick, *message.lines)
    shown = ";\n".join(line.sql for line in lines if line.statement)
    here.emit(PartStarted(**_about(message), parts=parts, title=source.title, sql=shown))


def _about(message: PartMessage) -> dict[str, Any]:
    source = message.source
    return {"step": source.step, "part": source.part, "direction": source.direction}


def committed_part(
    here: Sitting, message: PartMessage, *, parts: int, seconds: float, rows: list[dict[str, Any]] | None = None
) -> None:
    """Reports a part that is done, with its statements as they stand in the log; `rows` were asked for behind it."""
    about = _about(message)
    here.emit(PartCommitted(**about, parts=parts, seconds=seconds))
    for row in here.look_at_part(message.part_id, rows):
        here.emit(
            StatementCommitted(
                **about, ordinal=row["ordinal"], sql=row["sql"], rows=row["logged_rows"],
                duration_ms=row["duration_ms"], xid=row["xid"],
            )
        )  # fmt: skip


@contextmanager
def etiquette_of(
    here: Sitting, source: PartSource, before_retry: Callable[[], object] | None = None
) -> Iterator[Etiquette]:
    """How this part asks for its locks, watched while the context is open; each wait is told with who is in the way.

    `before_retry` is called after each lock that could not be had in time, when nothing is held.
    """
    locks = _declared_locks(here, source)
    with here.watching(source.step, source.part, locks) as watch:

        def who() -> Seen:
            watch.waits(watch.began)
            return watch.after_try(here.connection)

        def deadlock_timeout_ms() -> int:
            row = here.connection.execute(query("deadlock_timeout")).fetchone()
            assert row is not None
            return int(row["ms"])

        def told(one: Try) -> None:
            waits_for = waits_for_words(one.seen.tables)
            here.emit(
                LockWaited(
                    step=source.step, part=source.part, attempt=one.attempt, sqlstate=one.sqlstate,
                    waited_s=one.waited_s, patience_s=here.settings.lock_patience_s, next_try_s=one.next_try_s,
                    next_timeout_ms=one.next_timeout_ms, waits_for=waits_for, sql=one.sql,
                )
            )  # fmt: skip
            here.watcher.tell(watch, one.seen, waits_for=waits_for, queued=False)
            if before_retry is not None:
                before_retry()

        yield Etiquette(
            here.settings.lock_patience_s, lock_timeout_ms=here.settings.lock_timeout_ms,
            begins=lambda: here.watcher.begin_try(watch), who=who, deadlock_timeout_ms=deadlock_timeout_ms, told=told,
            vacuumed=vacuumed_tables(here, source, locks),
        )  # fmt: skip


def _declared_locks(here: Sitting, source: PartSource) -> dict[str, str]:
    """What the part is known to lock, table to mode. Dropping takes the strongest lock of all."""
    try:
        step = here.situation.rollout.step(source.step)
    except KeyError:
        return {}
    if source.mode is not Mode.TRANSACTION or source.patient:
        return {}
    if source.direction == "revert":
        return {lock.table: "ACCESS EXCLUSIVE" for lock in step.locks}
    return {lock.table: lock.mode for lock in step.locks if lock.mode in STRONG_LOCKS}


def failed_part(here: Sitting, failed: PartFailedError) -> Outcome:
    """The failure, as the registry has it now, in its four parts."""
    failure: Failure | None = pending_failure(here.connection, here.situation)
    assert failure is not None
    here.emit(Failed(failure=failure))
    if failed.sqlstate in LOCK_CODES and failed.in_words:
        raise LockNotObtainedError(
            f"gave up step {failure.step}: {failed.error}",
            why=failure.state_now,
            fix="End or wait for the transaction that holds them; then run the same command again.",
        )
    if failed.sqlstate in LOCK_CODES:
        raise lock_not_obtained(here, f"in step {failure.step}", failed.seen, state_now=failure.state_now)
    return outcome_now(here, "failed", failure=failure)


def lock_not_obtained(here: Sitting, where: str, seen: Seen, *, state_now: str) -> LockNotObtainedError:
    """The patience is over: for which lock, who held it at the last try as far as this role may see, and what to do."""
    held = [f"In the way at the last try: {blocker_words(one)}." for one in seen.blockers]
    unknown = "Who held it is not known: it was let go before anybody could look."
    return LockNotObtainedError(
        f"gave up waiting for {waits_for_words(seen.tables)} {where} after {here.settings.lock_patience_s:.0f} s",
        why="\n".join((*(held or [unknown]), state_now)),
        fix="End or wait for the transaction that holds it; then run the same command again.",
    )


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
