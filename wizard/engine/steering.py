"""How another thread steers a running engine: stop, pause, go on, cancel. It holds no database state."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors

from wizard.limits import BATCH_ROWS, DELAY_S

if TYPE_CHECKING:
    from wizard.db.connect import Connection


class CancelledError(errors.QueryCanceled):
    """As the server says it of a running statement: what comes next was cancelled before it was sent."""


class Steering:
    """Thread-safe switches. The engine looks at them between parts and while it waits."""

    def __init__(self, batch_rows: int | None = None, delay_s: float | None = None) -> None:
        self._stop = threading.Event()
        self._go = threading.Event()
        self._go.set()
        self._lock = threading.Lock()
        self.resting = False
        """True while the engine waits between two parts because a pause was asked for: nothing is held then."""
        self._in_flight: Connection | None = None
        self._tidying = False
        self.cancelled = False
        """True once a cancel was asked for: a cancelled statement is then no failure."""
        self.batch_rows = batch_rows
        """Rows of the next batch of a backfill; None: as many as take no longer than they should."""
        self.delay_s = delay_s
        """Seconds between two batches; None: as long as others need it, who write meanwhile."""

    def forget(self) -> None:
        """The operation is over: what was asked for does not concern the next one."""
        self.cancelled = False
        self._stop.clear()
        self._go.set()

    @contextmanager
    def cancellable(self, connection: Connection) -> Iterator[None]:
        """While a part's transaction is on its way on `connection`, `cancel` may interrupt it: at no other time.

        Raises CancelledError, also before it begins: a cancel that came between two requests is for the next one.
        """
        with self._lock:
            self._require_wanted()
            self._in_flight = connection
        try:
            yield
        finally:
            with self._lock:
                self._in_flight = None

    def look(self) -> None:
        """Between two messages of what is on its way. Raises CancelledError; what follows that is not interrupted."""
        with self._lock:
            self._require_wanted()

    def _require_wanted(self) -> None:
        if self.cancelled and not self._tidying:
            self._in_flight = None
            raise CancelledError("canceled before it was sent")

    @contextmanager
    def tidying(self) -> Iterator[None]:
        """While what was begun is taken away again, which is sent also after a cancel; a new one interrupts it."""
        self._tidying = True
        try:
            yield
        finally:
            self._tidying = False

    def stop(self) -> None:
        """End after the running part."""
        self._stop.set()
        self._go.set()

    def pause(self) -> None:
        """Wait after the running part."""
        self._go.clear()

    def go_on(self) -> None:
        """End a pause."""
        self._go.set()

    def cancel(self) -> None:
        """Cancel the running statement and stop. Its part is rolled back by the server.

        One that cannot be reached hears nothing of it: the connection is lost then, and what runs ends with that.
        """
        self.cancelled = True
        self.stop()
        with self._lock, suppress(psycopg.Error):
            if self._in_flight is not None:
                self._in_flight.cancel_safe(timeout=5)

    def set_batch_rows(self, rows: int) -> None:
        """Larger or smaller batches from the next one on, within `BATCH_ROWS`."""
        self.batch_rows = min(max(rows, BATCH_ROWS[0]), BATCH_ROWS[1])

    def set_delay(self, seconds: float | None) -> None:
        """Another delay from the next batch on, within `DELAY_S`; None: as long as others need it."""
        self.delay_s = None if seconds is None else min(max(seconds, DELAY_S[0]), DELAY_S[1])

    @property
    def paused(self) -> bool:
        """True while a pause is asked for."""
        return not self._go.is_set()

    def wait_if_paused(self, before: Callable[[], None] = lambda: None) -> bool:
        """Returns at once, or does `before` and returns when the pause ends; True if the engine shall stop."""
        if not self._go.is_set():
            before()
            self.resting = True
            self._go.wait()
            self.resting = False
        return self._stop.is_set()

    def wait(self, seconds: float) -> bool:
        """Waits, at most until a stop is asked for; True if the engine shall stop."""
        return self._stop.wait(seconds)
