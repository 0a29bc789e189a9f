"""One writing session: connection, advisory lock, registry session, and their orderly end on every path."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any, TypeVar

import psycopg
from psycopg import pq

from wizard import __version__
from wizard.db.connect import Connection, connect, faults
from wizard.db.prepared import ask
from wizard.db.target import Target
from wizard.engine.events import Connected, ConnectionLost, Listener, Noticed, Reconnected
from wizard.engine.looking.prerequisites import WRITES_REFUSED, require_writable
from wizard.engine.looking.situation import Situation, look
from wizard.engine.parts.compose import Composer
from wizard.engine.session.exclusive import UNCHANGED, server_pid, take_lock
from wizard.engine.session.heartbeat import Heartbeat
from wizard.engine.session.record import PartRecord
from wizard.engine.session.registry import (
    NewRollout,
    begin_session,
    create_registry,
    end_session,
    load_part,
    load_parts,
    part_of,
    read_record,
    resolve_intent,
)
from wizard.engine.session.watching import Watch, Watcher
from wizard.engine.settings import Settings
from wizard.engine.steering import Steering
from wizard.engine.words import committed
from wizard.errors import ConnectionUnsuitableError, OtherOperatorError
from wizard.rollout.model import Rollout
from wizard.rollout.render import Mode
from wizard.text import plural

RECONNECT_PATIENCE_S = 60.0
"""How long a lost connection is sought again before the operator is told."""
LOSSES_IN_A_ROW = 3
WRITABLE_S = 2.0
"""For so long a look that found the server writable holds."""
ASK_BEHIND_S = 0.5
"""After so long the next look travels behind a part: no round trip, but a millisecond of the server."""

Result = TypeVar("Result")


class Sitting:
    """The writing session of one operation. It outlives its connection: `reconnect` opens another."""

    def __init__(
        self,
        target: Target,
        rollout: Rollout,
        settings: Settings,
        *,
        composer: Composer,
        steering: Steering,
        emit: Listener,
    ) -> None:
        self.target = target
        self.rollout = rollout
        self.settings = settings
        self.composer = composer
        self.steering = steering
        self.emit = emit
        self._connecting = ExitStack()
        self._recorded = False
        self._heartbeat: Heartbeat | None = None
        self.backend_pid = 0
        """Of the working session, as the server gives it."""
        self.told_of: set[tuple[object, ...]] = set()
        self.told_vacuumed: set[str] = set()
        """Who was told to be in the way of a step before it began."""
        self.clear_until = 0.0
        """Until then, by the monotonic clock, nobody needs to be looked for."""
        self._seen_writable = 0.0
        self.watcher = Watcher(target, settings, emit)
        self.connection = self._connect()
        self.situation = self._look()
        record = self.situation.record
        self._last_before = max((part.number for part in record.parts), default=0) if record is not None else 0

    @property
    def done_now(self) -> frozenset[tuple[str, int]]:
        """(step, part) of what this operation brought to its checkpoint, by the record: whatever was lost since."""
        record = self.situation.active
        parts = record.parts if record is not None else ()
        return frozenset(
            (part.step, part.part)
            for part in parts
            if part.number > self._last_before and (part.direction, part.state) == ("deploy", "done")
        )

    def watching(self, step: str, part: int, modes: Mapping[str, str]) -> AbstractContextManager[Watch]:
        """Watches a part; `modes` is what it is known to lock, table name to mode."""
        return self.watcher.watching(Watch(step, part, self.backend_pid, self.settings.schema, modes))

    def _connect(self, patience_s: float = 0.0) -> Connection:
        """A connection that holds the advisory lock. Raises OtherOperatorError while somebody else has it."""
        name = f"rag-wizard {__version__} {self.settings.operator}"[:63]
        connection = self._connecting.enter_context(
            connect(
                self.target,
                schema=self.settings.schema,
                read_only=False,
                lock_timeout_ms=self.settings.lock_timeout_ms,
                application_name=name,
            )
        )
        try:
            take_lock(
                connection, self.settings.schema, self.target.name,
                # The operator's word was for whoever was in the way at the beginning.
                end_orphan=self.settings.end_orphan and not self.backend_pid,
                wait=self.steering.wait, told=lambda text: self.emit(Noticed(text=text)),
                own_backend=self.backend_pid, patience_s=patience_s,
                state_now=self._known_state() if self.backend_pid else UNCHANGED,
            )  # fmt: skip
        except BaseException:
            self._connecting.close()
            raise
        self.backend_pid = server_pid(connection)
        return connection

    def _known_state(self) -> str:
        """After a lost connection, while the database was not asked."""
        last = "What became of a part that was under way when the connection was lost, only the database knows."
        return f"{committed(self.situation)}. {last}"

    def reconnect(self) -> None:
        """After a lost connection: connects again, takes the lock again, and asks the database what was committed.

        Raises ConnectionUnsuitableError when the database cannot be asked in time, or the operator does not want to
        wait for it, OtherOperatorError when somebody else was faster, PrerequisiteError when it refuses writes by now.
        """
        began, attempt = time.monotonic(), 0
        while True:
            attempt += 1
            left = RECONNECT_PATIENCE_S - (time.monotonic() - began)
            pause = min(0.2 * 2**attempt, 5.0)
            self.emit(ConnectionLost(attempt=attempt, patience_s=RECONNECT_PATIENCE_S, next_try_s=pause))
            stopped = self.steering.wait(pause)
            self._connecting.close()
            try:
                # The server may need a while to notice that our old session is gone; it holds the lock until then.
                self.connection = self._connect(left)
                self._recorded = False
                self.situation = self._look()
                require_writable(self.situation, f"{committed(self.situation)}.")
                self.resolve()
            except OtherOperatorError as error:
                if error.pid == self.backend_pid:
                    own = f"the server still keeps the session that it had with us (pid {error.pid}), and its lock"
                    raise _out_of_reach(own) from None
                if self.steering.wait(0):
                    raise _out_of_reach(error.what) from None
                raise
            except (ConnectionUnsuitableError, psycopg.Error) as error:
                if stopped or left < 0:
                    raise _out_of_reach(getattr(error, "what", str(error))) from None
            else:
                self.emit(Reconnected(sentence=committed(self.situation)))
                return

    def _look(self) -> Situation:
        situation = look(self.connection, self.target.name, self.rollout, self.settings, holding=True)
        self._seen_writable = time.monotonic()
        return situation

    def require_writable(self) -> None:
        """Before each part. Raises PrerequisiteError if the server was made to refuse writes meanwhile.

        It is asked behind the part before, and so by itself only where that was a while ago.
        """
        if time.monotonic() - self._seen_writable > WRITABLE_S:
            self.saw_writable(ask(self.connection, WRITES_REFUSED))
        require_writable(self.situation, f"{committed(self.situation)}.")

    @property
    def asks_writable_soon(self) -> bool:
        """The next part would ask by itself, or soon: the question may as well travel behind this one."""
        return time.monotonic() - self._seen_writable > ASK_BEHIND_S

    def saw_writable(self, rows: list[dict[str, Any]]) -> None:
        """The answer to `WRITES_REFUSED`."""
        server = {**self.situation.server, "read_only_default": rows[0]["read_only"]}
        self.situation = replace(self.situation, server=server)
        self._seen_writable = time.monotonic()

    def look_again(self) -> Situation:
        """Reads the registry anew, which is there. What the steps were rendered for stays as when it began."""
        record = read_record(self.connection, self.rollout.name, self.settings.schema)
        self.situation = replace(self.situation, record=record)
        return self.situation

    def look_at_parts(self) -> Situation:
        """Reads only what became of the parts: all that a part of ours changes in the record."""
        record = self.situation.record
        assert record is not None
        parts = load_parts(self.connection, record.rollout_id)
        self.situation = replace(self.situation, record=replace(record, parts=parts))
        return self.situation

    def look_at_part(self, part_id: str, rows: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
        """Reads what became of our latest part, which is cheap however many there were; returns its log.

        `rows` were asked for behind it.
        """
        record = self.situation.record
        assert record is not None
        part, log = load_part(self.connection, part_id) if rows is None else part_of(rows)
        others = tuple(other for other in record.parts if other.part_id != part_id)
        self.situation = replace(self.situation, record=replace(record, parts=(*others, part)))
        return log

    def begin(self) -> None:
        """Records rollout and session before the first write; makes the registry if there is none."""
        if self._recorded:
            return
        if not self.situation.registry:
            create_registry(self.connection)
        record = begin_session(
            self.connection, self.composer.session_id, self.composer.rollout_id(self.situation), self.settings.operator,
            name=self.rollout.name, schema=self.settings.schema,
            new=self._new_rollout() if self.situation.active is None else None,
            answers=self.situation.asking.answers,
        )  # fmt: skip
        self.situation = replace(self.situation, record=record, registry=True)
        self._recorded = True
        if self._heartbeat is None:
            self._heartbeat = Heartbeat(self.target, self.settings, self.composer.session_id)
            self._heartbeat.start()

    def _new_rollout(self) -> NewRollout:
        names, facts = {decision.name for decision in self.rollout.decisions}, self.situation.facts
        return NewRollout(
            strategy=self.settings.strategy,
            facts={name: value for name, value in facts.items() if name not in names},
            decisions={name: value for name, value in facts.items() if name in names},
        )  # fmt: skip

    def resolve(self) -> None:
        """Finds out what became of a part whose session died before anything else is sent."""
        record = self.situation.active
        if record is None or record.unresolved is None:
            return
        part = record.unresolved
        outcome = resolve_intent(self.connection, part)
        found = _found(part, outcome)
        self.emit(Noticed(step=part.step, text=f"an earlier session ended inside step {part.step}: it {found}"))
        self.look_again()

    def end(self) -> None:
        """Closes the connection; ends the session in the registry, if it was recorded there and that still works."""
        self.watcher.stop()
        if self._heartbeat is not None:
            self._heartbeat.stop()
        with suppress(psycopg.Error), self._connecting:
            if self.connection.info.transaction_status != pq.TransactionStatus.IDLE:
                self.connection.execute("ROLLBACK")
            if self._recorded:
                end_session(self.connection, self.composer.session_id)


def _found(part: PartRecord, outcome: str) -> str:
    """What became of a part whose session died."""
    if outcome == "done":
        return "was committed"
    if part.mode == Mode.BATCHES.value:
        batches = f"{part.batches:,} batch{'' if part.batches == 1 else 'es'}"
        return f"committed {batches} ({plural(part.rows, 'row')}); it goes on behind the last one"
    if part.is_concurrent:
        doing = "building" if part.direction == "deploy" else "dropping"
        return f"was {doing} an index; the catalog says how far it came"
    return "was rolled back by the server and left nothing behind"


def _out_of_reach(reason: str) -> ConnectionUnsuitableError:
    return ConnectionUnsuitableError(
        f"the connection was lost and the database could not be asked again: {reason}",
        why="What was committed stays committed; a part that was not is rolled back by the server. Which of the two is "
        "true of the last part, only the database knows.",
        fix="When it answers again, run the same command: it asks first and goes on from there.",
    )


def resuming(here: Sitting, work: Callable[[], Result]) -> Result:
    """Does `work`, and after each lost connection does it again: resuming is the only recovery there is.

    `work` goes by what the registry holds, so what is committed is never done twice. Gives up when the connection is
    lost again and again without a part getting through in between.
    """
    fruitless, parts = 0, -1
    while True:
        try:
            return work()
        except psycopg.Error:
            # A session that the server ends by a time limit is no OperationalError to the driver.
            if not here.connection.broken:
                raise
        record = here.situation.record
        done = sum((part.state == "done") + part.batches for part in record.parts) if record is not None else 0
        fruitless = fruitless + 1 if done == parts else 0
        parts = done
        if fruitless >= LOSSES_IN_A_ROW:
            raise ConnectionUnsuitableError(
                f"the connection was lost {fruitless + 1} times in a row",
                why=f"{committed(here.situation)}.",
                fix="Find out why the server or the network ends it; then run the same command again.",
            )
        here.reconnect()


@contextmanager
def sitting(
    target: Target,
    rollout: Rollout,
    settings: Settings,
    *,
    composer: Composer,
    steering: Steering,
    emit: Listener,
) -> Iterator[Sitting]:
    """Opens a writing session that holds the advisory lock. Raises OtherOperatorError while somebody else has it."""
    with faults(target):
        here = Sitting(target, rollout, settings, composer=composer, steering=steering, emit=emit)
        try:
            emit(Connected(target=target.name, server=here.situation.server["version"]))
            require_writable(here.situation)
            here.resolve()
            yield here
        finally:
            here.end()
            steering.forget()
