"""How a part asks for a table lock: briefly, then it lets go, and comes again; within a bound. It sends nothing itself.

Whoever waits for a lock queues everybody who comes after, so a try is short. One case needs a longer one: a vacuum that
the server itself started gives way only to a session that has waited for `deadlock_timeout`. Where it is known of
beforehand, a lock is waited for that long behind which nobody queues.
https://www.postgresql.org/docs/current/runtime-config-locks.html
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from psycopg import sql

from wizard.engine.parts.source import Line, PartMessage
from wizard.engine.session.blockers import Seen

LOCK_CODES = frozenset({"55P03", "40P01"})
"""lock_not_available and deadlock_detected: nothing is wrong, somebody was first."""

LONGEST_PAUSE_S = 4.0
VACUUM_TRIES = 2
"""So many tries in a row that only a vacuum stood in the way of; the next one waits until the server cancels it."""
VACUUM_MARGIN_MS = 250
"""Beyond `deadlock_timeout`, when the waiting session looks who is in its way."""

_LOCK_TIMEOUT = "SET LOCAL lock_timeout = "


@dataclass(frozen=True)
class Try:
    """A try that did not get its lock. Nothing is held or queued when it is told."""

    attempt: int
    """From 1."""
    sqlstate: str
    waited_s: float
    """Since the first one began."""
    next_try_s: float
    next_timeout_ms: int | None
    """How long the next try waits, where that is not what the part's text says."""
    sql: str
    """The statement that did not get it."""
    seen: Seen
    """Who was in the way."""


class Etiquette:
    """The tries of one part, whose text has a lock_timeout of `lock_timeout_ms`.

    `begins` hears that a try begins, `who` looks who was in the way of the one that has just ended,
    `deadlock_timeout_ms` asks the server for that setting, `told` hears of each try that is followed by another.
    `vacuumed` names tables of the part that are vacuumed, or the like, as it begins.
    """

    def __init__(
        self,
        patience_s: float,
        *,
        lock_timeout_ms: int = 700,
        begins: Callable[[], None] = lambda: None,
        who: Callable[[], Seen] = Seen,
        deadlock_timeout_ms: Callable[[], int] = lambda: 1000,
        told: Callable[[Try], None] = lambda _: None,
        vacuumed: Sequence[str] = (),
    ) -> None:
        self._patience_s = patience_s
        self._lock_timeout_ms = lock_timeout_ms
        self._begins = begins
        self._who = who
        self._deadlock_timeout_ms = deadlock_timeout_ms
        self._told = told
        self._vacuumed = vacuumed
        self._began = time.monotonic()
        self._attempt = 0
        self._vacuums = 0
        self._timeout_ms: int | None = None
        self.seen = Seen()
        """Who was in the way of the last try."""

    def begin_anew(self) -> None:
        """Another message of the same part: it has the whole patience."""
        self._began, self._attempt, self._vacuums, self._timeout_ms = time.monotonic(), 0, 0, None

    def next_try(self, message: PartMessage) -> PartMessage:
        """The message as it is sent now: its text, for how long this try waits, and what makes a vacuum give way."""
        self.begin_try()
        if self._timeout_ms is None and not self._vacuumed:
            return message
        return replace(message, lines=tuple(now for line in message.lines for now in self._as_sent(line)))

    def _as_sent(self, line: Line) -> Iterator[Line]:
        if line.statement is not None or not line.sql.startswith(_LOCK_TIMEOUT):
            yield line
            return
        if self._vacuumed:
            yield Line(f"{_LOCK_TIMEOUT}'{self._deadlock_timeout_ms() + VACUUM_MARGIN_MS}ms'")
            names = sql.SQL(", ").join(map(sql.Identifier, self._vacuumed))
            yield Line(sql.SQL("LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE").format(names).as_string())
        yield line if self._timeout_ms is None else replace(line, sql=f"{_LOCK_TIMEOUT}'{self._timeout_ms}ms'")

    def begin_try(self) -> None:
        """A try begins."""
        self._attempt += 1
        self._begins()

    def let_go(self, sqlstate: str, sql: str) -> float | None:
        """After a failed try: seconds until the next one; None if no lock was missing, or the bound is reached."""
        if sqlstate not in LOCK_CODES:
            return None
        self.seen = self._who()
        elapsed = time.monotonic() - self._began
        if elapsed >= self._patience_s:
            return None
        vacuum_only = bool(self.seen.blockers) and all(one.kind == "autovacuum" for one in self.seen.blockers)
        self._vacuums = self._vacuums + 1 if vacuum_only else 0
        self._timeout_ms = self._longer() if self._vacuums >= VACUUM_TRIES else None
        pause = pause_before(self._attempt + 1)
        self._told(Try(self._attempt, sqlstate, elapsed, pause, self._timeout_ms, sql, self.seen))
        return pause

    def _longer(self) -> int | None:
        """How long a try has to wait for a vacuum to give way, unless each try is that long anyway."""
        needed = self._deadlock_timeout_ms() + VACUUM_MARGIN_MS
        return needed if needed > self._lock_timeout_ms else None


def pause_before(attempt: int) -> float:
    """Seconds before this try: growing, bounded, and never in step with another waiter."""
    return float(min(0.25 * 2 ** min(attempt - 2, 4), LONGEST_PAUSE_S) * random.uniform(0.75, 1.25))  # noqa: S311
