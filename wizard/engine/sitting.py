"""One writing session: connection, advisory lock, registry session, and their orderly end on every path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import psycopg
from psycopg import pq

from wizard import __version__
from wizard.db.connect import Connection, connect, faults
from wizard.db.target import Target
from wizard.engine.compose import Composer
from wizard.engine.events import Connected, Event, Listener, Noticed
from wizard.engine.registry import (
    begin_rollout,
    begin_session,
    create_registry,
    end_session,
    load_record,
    lock_key,
    registry_exists,
    resolve_intent,
    try_lock,
)
from wizard.engine.settings import Settings
from wizard.engine.situation import Situation, look
from wizard.engine.steering import Steering
from wizard.engine.words import holder_words
from wizard.errors import OtherOperatorError
from wizard.rollout.model import Rollout

LOCK_TRIES = 5
LOCK_PAUSE_S = 0.2


class Sitting:
    """The writing session of one operation."""

    def __init__(
        self,
        connection: Connection,
        target: str,
        rollout: Rollout,
        settings: Settings,
        *,
        composer: Composer,
        steering: Steering,
        emit: Listener,
    ) -> None:
        self.connection = connection
        self.target = target
        self.rollout = rollout
        self.settings = settings
        self.composer = composer
        self.steering = steering
        self.emit = emit
        self.situation = look(connection, target, rollout, settings)
        self._recorded = False

    def look_again(self) -> Situation:
        """Reads the registry anew. What the steps were rendered for stays as it was when the sitting began."""
        record = load_record(self.connection, self.rollout.name, self.settings.schema)
        self.situation = replace(self.situation, record=record)
        return self.situation

    def begin(self) -> None:
        """Records rollout and session before the first write; makes the registry if there is none."""
        if self._recorded:
            return
        if not registry_exists(self.connection):
            create_registry(self.connection)
        rollout_id = self.composer.rollout_id(self.situation)
        if self.situation.active is None:
            names = {decision.name for decision in self.rollout.decisions}
            facts = self.situation.facts
            begin_rollout(
                self.connection, rollout_id, name=self.rollout.name, schema=self.settings.schema, strategy="atomic",
                facts={name: value for name, value in facts.items() if name not in names},
                decisions={name: value for name, value in facts.items() if name in names},
            )  # fmt: skip
        begin_session(self.connection, self.composer.session_id, rollout_id, self.settings.operator)
        self._recorded = True
        self.look_again()

    def resolve(self) -> None:
        """Finds out what became of a part whose session died before anything else is sent."""
        record = self.situation.active
        if record is None or record.unresolved is None:
            return
        part = record.unresolved
        outcome = resolve_intent(self.connection, part)
        found = "was committed" if outcome == "done" else "was rolled back by the server and left nothing behind"
        self.emit(Noticed(step=part.step, text=f"an earlier session ended inside step {part.step}: it {found}"))
        self.look_again()

    def end(self) -> None:
        """Ends the session in the registry, if it was recorded there and the connection still works."""
        if self.connection.broken or self.connection.closed:
            return
        with suppress(psycopg.Error):
            if self.connection.info.transaction_status != pq.TransactionStatus.IDLE:
                self.connection.execute("ROLLBACK")
            if self._recorded and registry_exists(self.connection):
                end_session(self.connection, self.composer.session_id)


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
    name = f"rag-wizard {__version__} {settings.operator}"[:63]
    with (
        faults(target),
        connect(
            target,
            schema=settings.schema,
            read_only=False,
            lock_timeout_ms=settings.lock_timeout_ms,
            application_name=name,
        ) as connection,
    ):
        _take_lock(connection, rollout, settings, target)
        steering.attach(connection)
        here = Sitting(connection, target.name, rollout, settings, composer=composer, steering=steering, emit=emit)
        try:
            connected: Event = Connected(target=target.name, server=here.situation.server["version"])
            emit(connected)
            here.resolve()
            yield here
        finally:
            steering.detach()
            here.end()


def _take_lock(connection: Connection, rollout: Rollout, settings: Settings, target: Target) -> None:
    """Polls for a moment: a session that is just closing still holds it."""
    import time

    key = lock_key(settings.schema)
    for attempt in range(LOCK_TRIES):
        if try_lock(connection, key):
            return
        if attempt < LOCK_TRIES - 1:
            time.sleep(LOCK_PAUSE_S)
    who = holder_words(look(connection, target.name, rollout, settings))
    raise OtherOperatorError(
        f"another operator is rolling out on {target.name}: {who}",
        why="Nothing was changed by this command.",
        fix="Wait until that session ends, or talk to its operator; then run the same command again.",
    )
