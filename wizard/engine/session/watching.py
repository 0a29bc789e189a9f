"""Watches a part while it is on its way: who is in its way, how far an index build is. On a connection of its own.

A watcher is a courtesy. What it cannot see or ask is left out, and no part ever depends on it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg

from wizard.db.connect import Connection, connect
from wizard.db.queries import query
from wizard.db.target import Target
from wizard.engine.events import BlockersSeen, Event, IndexProgressed, Listener
from wizard.engine.session.blockers import Seen, WantedLock, find_blockers, mode_words, waits_for_words, wanted_locks
from wizard.engine.settings import Settings
from wizard.engine.views import Blocker
from wizard.errors import WizardError

AFTER_S = 0.4
"""A part that is committed sooner never costs a second connection."""
EVERY_S = 1.0
NAME = "rag-wizard watcher"
"""Its application name."""

OLD_SNAPSHOTS = "waiting for old snapshots"
"""Phase of a concurrent index build in which it waits for every transaction that might see rows it does not hold."""


class Watch:
    """One part that is watched. The engine's thread and the watcher's share it; each field is set as a whole."""

    def __init__(self, step: str, part: int, backend_pid: int, schema: str, modes: Mapping[str, str]) -> None:
        self.step = step
        self.part = part
        self.backend_pid = backend_pid
        self._schema = schema
        self._modes = dict(modes)
        """What the part is known to lock, for a try that let go before anybody looked: table name to mode."""
        self.began = self._try_began = time.monotonic()
        self.due = self.began + AFTER_S
        """When the watcher looks next."""
        self.waits_since: float | None = None
        self.told = False
        """The last that was told is that somebody is in the way."""
        self.progress: tuple[Any, ...] = ()
        self._wanted: tuple[WantedLock, ...] | None = None
        self._in_flight = Seen()
        """Who was seen while a statement of the last try waited: exactly those that it waited for."""

    @property
    def waited_s(self) -> float:
        """Since it was first seen to wait."""
        return 0.0 if self.waits_since is None else time.monotonic() - self.waits_since

    def waits(self, since: float) -> None:
        """It has to wait, since then if not since longer."""
        self.waits_since = min(since, self.waits_since or since)

    def waited_for(self, wanted: WantedLock | None, seen: Seen) -> None:
        """A statement was seen to wait: what it wants is now known better than from what the part declares."""
        self._in_flight = seen
        if wanted is not None:
            self._wanted = (wanted,)

    def next_try(self) -> None:
        """A try begins: it is looked at while it waits, and what was seen before says nothing about it."""
        self._in_flight, self._try_began = Seen(), time.monotonic()
        self.due = self._try_began + AFTER_S

    def after_try(self, connection: Connection) -> Seen:
        """Who was in the way of the try that has just let go."""
        return self._in_flight if self._in_flight.blockers else self.look(connection)

    def look(self, connection: Connection) -> Seen:
        """Who of those in the way of the last try still is, between two tries.

        Whoever began after it stood behind it: the application's own queries, which are short and come and go.
        """
        if self._wanted is None:
            self._wanted = wanted_locks(connection, self._schema, self._modes)
        seen = find_blockers(connection, self.backend_pid, self._wanted)
        # Not before: the server tells how old a transaction is when it is asked, and who began while we were on our
        # way to it would seem to be older than the try.
        since = time.monotonic() - self._try_began
        known = {one.pid for one in self._in_flight.blockers}

        def was_there(one: Blocker) -> bool:
            if one.transaction_s is None and one.kind == "session":
                return not known or one.pid in known
            return one.transaction_s is None or one.transaction_s >= since

        return Seen(tuple(filter(was_there, seen.blockers)), seen.tables or tuple(self._modes))


class Watcher:
    """A thread and a connection for one sitting. Both come into being when a part takes its time."""

    def __init__(self, target: Target, settings: Settings, emit: Listener) -> None:
        self._target = target
        self._settings = settings
        self._emit = emit
        self._changed = threading.Condition()
        self._watch: Watch | None = None
        self._over = False
        self._thread: threading.Thread | None = None

    @contextmanager
    def watching(self, watch: Watch) -> Iterator[Watch]:
        """Watches while the context is open. At its end nobody is in the way any more, and that is told."""
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
                self._thread.start()
            self._watch = watch
        try:
            yield watch
        finally:
            with self._changed:
                self._watch = None
            if watch.told:
                self._emit(_nobody(watch))

    def begin_try(self, watch: Watch) -> None:
        """Another try of the part is about to be sent."""
        with self._changed:
            watch.next_try()

    def stop(self) -> None:
        """Ends the thread and its connection."""
        with self._changed:
            self._over, self._watch = True, None
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout=2)

    def tell(self, watch: Watch, seen: Seen, *, waits_for: str, queued: bool) -> None:
        """Reports who is in the way of a part, or once that nobody is."""
        with self._changed:
            if self._watch is not watch or not (seen.blockers or watch.told):
                return
            watch.told = bool(seen.blockers)
            self._emit(
                BlockersSeen(
                    step=watch.step, part=watch.part, waits_for=waits_for, waited_s=watch.waited_s, queued=queued,
                    blockers=seen.blockers,
                )
                if seen.blockers
                else _nobody(watch)
            )  # fmt: skip

    def _next(self) -> Watch | None:
        """Waits until a part is due to be looked at; None when the sitting is over."""
        with self._changed:
            while not self._over:
                watch, now = self._watch, time.monotonic()
                if watch is not None and watch.due <= now:
                    watch.due = now + EVERY_S
                    return watch
                # Nobody wakes it for a part that begins: no part is due sooner than this, and most are over by then.
                self._changed.wait(AFTER_S if watch is None else min(watch.due - now, AFTER_S))
            return None

    def _run(self) -> None:
        with ExitStack() as open_connection:
            connection: Connection | None = None
            while (watch := self._next()) is not None:
                try:
                    if connection is None:
                        connection = open_connection.enter_context(
                            connect(
                                self._target, schema=self._settings.schema, read_only=True, application_name=NAME,
                            )
                        )  # fmt: skip
                    self._look(connection, watch)
                except (WizardError, psycopg.Error):
                    open_connection.close()
                    connection = None

    def _look(self, connection: Connection, watch: Watch) -> None:
        row = connection.execute(query("waiting"), {"pid": watch.backend_pid}).fetchone()
        if row is None:
            return
        if row["phase"] is not None:
            self._tell_progress(watch, row)
        if not row["active"]:
            # Between two tries: nothing of ours is held or queued, but who was in the way may still be there.
            if watch.waits_since is not None:
                seen = watch.look(connection)
                self.tell(watch, seen, waits_for=waits_for_words(seen.tables), queued=False)
            return
        if not row["blocking"]:
            self.tell(watch, Seen(), waits_for="", queued=False)
            return
        watch.waits(time.monotonic() - (row["waited_s"] or 0.0))
        wanted = WantedLock(row["relation"], mode_words(row["mode"])) if row["locktype"] == "relation" else None
        seen = find_blockers(
            connection, watch.backend_pid, (wanted or _of_index(row),) if row["relation"] else (), pids=row["blocking"],
            holders=False, snapshots_before=row["query_start"] if row["phase"] == OLD_SNAPSHOTS else None,
        )  # fmt: skip
        watch.waited_for(wanted, seen)
        self.tell(watch, seen, waits_for=_waits_for(row), queued=True)

    def _tell_progress(self, watch: Watch, row: dict[str, Any]) -> None:
        done, total, unit = next(
            (
                (row[f"{unit}_done"] or 0, row[f"{unit}_total"], words)
                for unit, words in (("lockers", "transactions"), ("blocks", "blocks"), ("tuples", "rows"))
                if row[f"{unit}_total"]
            ),
            (0, 0, ""),
        )
        progress = (row["phase"], done, total, unit)
        with self._changed:
            if self._watch is not watch or progress == watch.progress:
                return
            watch.progress = progress
            event: Event = IndexProgressed(
                step=watch.step, part=watch.part, phase=row["phase"], done=done, total=total, unit=unit
            )
            self._emit(event)


def _nobody(watch: Watch) -> BlockersSeen:
    return BlockersSeen(
        step=watch.step, part=watch.part, waits_for="", waited_s=watch.waited_s, queued=False, blockers=()
    )


def _of_index(row: dict[str, Any]) -> WantedLock:
    """A concurrent index build waits for transactions, not for a lock; what those hold of its table is shown."""
    return WantedLock(row["relation"], "SHARE")


def _waits_for(row: dict[str, Any]) -> str:
    if row["phase"] == OLD_SNAPSHOTS:
        return "transactions that began before"
    if row["locktype"] == "relation":
        return waits_for_words((row["table_name"],))
    if row["phase"] is not None:
        return f"transactions that use {row['table_name']}"
    return "a row" if row["locktype"] in {"transactionid", "tuple"} else "a lock"
