"""The read sessions of an engine, and how another thread cancels them: they hold nothing, so nothing is lost by it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from wizard.db.connect import Connection, connect
from wizard.db.target import Target
from wizard.engine.settings import Settings
from wizard.errors import ExitCode, WizardError

AGAIN_S = 0.2
"""A cancel that comes between two statements is lost; so soon the next one is cancelled."""


class ReadingCancelledError(WizardError):
    """The operator wanted no more of it."""

    exit_code = ExitCode.INTERRUPTED
    cancelled = True

    def __init__(self) -> None:
        super().__init__("reading was cancelled", why="Nothing was changed by it.")


class _Read:
    """One session, from before it is opened until after it is closed."""

    connection: Connection | None = None
    """While a statement on it may be cancelled."""
    cancelled = False


class Reads:
    """Every read session that is open. `cancel` is meant to be called from another thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open: set[_Read] = set()
        self._over = False

    @contextmanager
    def session(self, target: Target, settings: Settings) -> Iterator[Connection]:
        """A read-only session. Raises ReadingCancelledError once it was cancelled, whatever came of it by then."""
        read = _Read()
        with self._changed:
            read.cancelled = self._over
            self._open.add(read)
        try:
            _require_wanted(read)
            with (
                connect(
                    target, schema=settings.schema, read_only=True, lock_timeout_ms=settings.lock_timeout_ms
                ) as connection,
                self._cancellable(read, connection),
            ):
                yield connection
            # A look that knows what to say of a refused statement has taken the cancel for one.
            _require_wanted(read)
        except Exception:
            _require_wanted(read)
            raise
        finally:
            with self._changed:
                self._open.discard(read)
                self._changed.notify_all()

    @contextmanager
    def _cancellable(self, read: _Read, connection: Connection) -> Iterator[None]:
        with self._changed:
            read.connection = connection
        try:
            _require_wanted(read)
            yield
        finally:
            with self._changed:
                read.connection = None

    def cancel(self, *, for_good: bool = False) -> None:
        """Cancels what is read now and returns once it has ended; `for_good`: nothing is read after it either."""
        with self._changed:
            self._over = self._over or for_good
            asked = set(self._open)
            for read in asked:
                read.cancelled = True
            while asked := asked & self._open:
                for read in asked:
                    if read.connection is not None:
                        read.connection.cancel_safe(timeout=5)
                self._changed.wait(AGAIN_S)


def _require_wanted(read: _Read) -> None:
    if read.cancelled:
        raise ReadingCancelledError from None
