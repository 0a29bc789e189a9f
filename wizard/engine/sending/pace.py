"""How fast a backfill goes: rows a batch, the delay between two, what slows it down, and what is told of it."""

from __future__ import annotations

import random
import time
from collections import deque
from typing import TYPE_CHECKING, Literal

from psycopg import errors, sql

from wizard.db.queries import query
from wizard.engine.events import BackfillProgressed
from wizard.engine.looking.prerequisites import WRITES_REFUSED
from wizard.engine.parts.source import PartMessage
from wizard.engine.sending.others import Others
from wizard.engine.sending.send import PartFailedError, StoppedError
from wizard.limits import AIMED_BATCH_ROWS, ALONE_AIM_S, BATCH_AIM_S

if TYPE_CHECKING:
    from wizard.engine.sitting import Sitting

Phase = Literal["counting", "filling", "sweeping"]

FIRST_ROWS = 200.0
"""Rows of the first batch, before anything is known of how long they take."""
LONG_BATCH_S = 1.0
"""A batch that takes longer keeps its rows locked too long, whatever the operator asked for: the next are smaller."""
SHORT_BATCH_S = 0.4
MOST_LAG = 64 << 20
"""Bytes of WAL that a replica or a logical slot may be behind before the backfill waits for it."""
APPLY_PATIENCE_S = 60.0
"""How long it waits for a replica that has received everything and is behind in applying it: one that is delayed on
purpose never catches up."""
MANY_WAITING = 3
"""So many sessions that have waited for a lock for 100 ms and longer: the server has enough to do."""
READ_ONLY = "the database was made read-only while the backfill ran (default_transaction_read_only): is the disk full?"
FAR_S = 0.01
"""A server that takes this long to be reached is far away."""
TOGETHER_S = 0.1
MESSAGE_S = 0.4
"""How long the batches of one message take together, and at most: the farther the server, the longer."""
RELIEF_S = 0.5
LOOK_S = 1.0
FIRST_LOOKS_S = 0.1
"""Between the first two looks: enough for those who commit some dozen times a second to be seen."""
TELL_S = 0.25
_PRESSURE = sql.SQL("SELECT * FROM ({}) AS pressure, ({}) AS writes").format(
    sql.SQL(query("pressure")), sql.SQL(query(WRITES_REFUSED.name))
)
"""What says that it should go slower, and whether it may go on at all: one request."""


class Pace:
    """The pace of one part in batches. Its rows and delay follow the operator's at once."""

    def __init__(self, here: Sitting, message: PartMessage, parts: int) -> None:
        self._here = here
        self._source = message.source
        self._parts = parts
        self.total = 0
        self._rows = 0
        self._batches = 0
        self._density = 0.0
        self._aimed = FIRST_ROWS
        """Rows of a batch that holds its locks for as long as it should, by what the last ones took."""
        self._looks: deque[float] = deque(maxlen=8)
        """How long the last looks took from here to the answer."""
        self._held_s = 2 * TOGETHER_S
        """How long a batch holds its locks, by the last ones. The first travels alone."""
        self._share = 1.0
        """Of the rows that the operator asked for: less while batches take far too long."""
        self._recent: deque[tuple[float, int]] = deque(maxlen=64)
        self._looked = 0.0
        self._told = 0.0
        self._phase: Phase = "filling"
        self._slowed = ""
        self._relief_s = 0.0
        self._worked_s = 0.0
        """How long the server has worked for the backfill since it last rested, its disk included."""
        self._others = Others()
        self._rolled_back = 0
        self._waiting_since: float | None = None
        self._applying_since: float | None = None
        """Since when a replica has been behind in applying."""

    def begin(self, *, batches: int, rows: int, total: int) -> None:
        """What is committed of this pass already, and how much there is to do in all."""
        self.total = total
        self._rows, self._batches = rows, batches
        self._recent.append((time.monotonic(), self._rows))

    @property
    def changed(self) -> int:
        """Rows that this pass has changed so far."""
        return self._rows

    def expect(self, blocks: float) -> None:
        """The rows lie in so many blocks."""
        self._density = self.total / max(blocks, 1)

    @property
    def rows(self) -> int:
        """Rows of the next batch: what the operator asked for, else as many as the aim allows, as a round number."""
        asked = self._here.steering.batch_rows
        return int(float(f"{self._aimed:.2g}")) if asked is None else max(int(asked * self._share), 1)

    def blocks(self, most: int) -> int:
        """Blocks of the next batch: as many as hold its rows, by what the last ones held."""
        return max(1, min(int(self.rows / self._density) if self._density else most, most))

    def batches_a_message(self) -> int:
        """How many travel together, so that the server need not wait for us between any two of them.

        A pause takes effect between two messages. With a delay between two batches each travels by itself, as those do
        whose size somebody chose, unless the server is far away. So do all while others write: what several batches
        write would reach the disk at once, and the others' commits wait for it.
        """
        steering = self._here.steering
        if steering.delay_s or self._relief_s:
            return 1
        gives_way = steering.delay_s is None and self._others.writing
        together = TOGETHER_S if steering.batch_rows is None and not gives_way else 0.0
        if self._way_s >= FAR_S:
            together = max(together, min(2 * self._way_s, MESSAGE_S))
        return max(1, min(int(together / max(self._held_s, 0.001)), 20))

    def rolled_back(self) -> None:
        """A batch did not get through, since somebody was in its way."""
        self._rolled_back += 1

    @property
    def _way_s(self) -> float:
        """What a message takes on its way: as a look does, which waits for no disk; the quickest of late."""
        return min(self._looks, default=0.0)

    def travelled(self, seconds: float) -> None:
        """A message of batches was under way for so long, without the time that they held locks.

        What of it is not the way, the server waited for its disk: others wait for that too.
        """
        self._worked_s += max(seconds - self._way_s, 0.0)

    def committed(self, phase: Phase, rows: int, seconds: float, *, blocks: float = 0.0) -> None:
        """A batch is committed, that held its locks for so many seconds."""
        self._rows += rows
        self._batches += 1
        self._held_s = 0.5 * self._held_s + 0.5 * seconds
        self._worked_s += seconds
        if rows:
            self._waiting_since = None
        self._recent.append((time.monotonic(), self._rows))
        if blocks:
            self._density = 0.5 * self._density + 0.5 * rows / blocks
        if rows and seconds:
            # Half or twice as many at most: one batch that happened to be quick is no promise.
            aim_s = ALONE_AIM_S if self._others.none else BATCH_AIM_S
            aimed = min(max(rows / seconds * aim_s, self._aimed / 2), self._aimed * 2)
            self._aimed = min(max(aimed, AIMED_BATCH_ROWS[0]), AIMED_BATCH_ROWS[1])
        if seconds > LONG_BATCH_S:
            self._share = max(self._share / 2, 0.01)
        elif seconds < SHORT_BATCH_S:
            self._share = min(self._share * 1.25, 1.0)
        self._phase = phase
        self.tell(phase)

    def wait(self) -> None:
        """Between two messages: the operator's pause and delay, or the rest that others get; whatever asks for mercy.

        Raises StoppedError if the operator wants to stop.
        """
        self._rest_if_paused()
        self._look()
        asked = self._here.steering.delay_s
        delay = max(self._rest_s() if asked is None else asked, self._relief_s)
        self._worked_s = 0.0
        if delay and self._here.steering.wait(delay):
            raise StoppedError

    def see_others(self) -> None:
        """Before the first batch of a large table: whether others write is known now, not only in a second.

        Raises StoppedError if the operator wants to stop.
        """
        if self.total <= AIMED_BATCH_ROWS[1]:
            return
        self._look()
        if self._here.steering.wait(FIRST_LOOKS_S):
            raise StoppedError
        self._looked = 0.0
        self._look()

    def _rest_if_paused(self) -> None:
        # Whoever pauses compares what is told with what the database has.
        if self._here.steering.wait_if_paused(lambda: self.tell(self._phase, always=True)):
            raise StoppedError

    def _rest_s(self) -> float:
        """While others write: as long as the server worked, without the time that it had for itself on the way."""
        return max(self._worked_s - self._way_s, 0.0) if self._others.writing else 0.0

    def _look(self) -> None:
        """Once a second: lag, waits, whether others write. While a replica or slot is far behind, nothing is sent."""
        while time.monotonic() - self._looked >= LOOK_S:
            asked = time.monotonic()
            row = self._here.connection.execute(_PRESSURE, WRITES_REFUSED.values).fetchone() or {}
            self._looked = time.monotonic()
            self._looks.append(self._looked - asked)
            self._others.look(self._looked, row.get("next_xid") or 0, self._batches + self._rolled_back)
            self._relief_s, self._slowed = 0.0, self._share_words()
            if row.get("read_only"):
                raise PartFailedError(errors.ReadOnlySqlTransaction(READ_ONLY), None, (0, 0))
            lag = _behind(row, "replica", "is") or _behind(row, "slot", "is") or self._applying(row)
            if row.get("waiting", 0) >= MANY_WAITING:
                self._relief_s = RELIEF_S
                self._slowed = f"{row['waiting']} sessions wait for locks; {RELIEF_S} s between batches for now"
            if not lag:
                return
            self._slowed = f"waits: {lag}"
            self.tell(self._phase, always=True)
            if self._here.steering.wait(LOOK_S):
                raise StoppedError
            self._rest_if_paused()

    def _applying(self, row: dict[str, object]) -> str:
        """What it waits for while a replica applies; empty once it has waited long enough, which is said."""
        behind = _behind(row, "applied", "has received everything and applies")
        if not behind:
            self._applying_since = None
            return ""
        now = time.monotonic()
        self._applying_since = self._applying_since or now
        if now - self._applying_since < APPLY_PATIENCE_S:
            return behind
        self._slowed = f"{behind}; waited {APPLY_PATIENCE_S:.0f} s for it, goes on"
        return ""

    def _share_words(self) -> str:
        if self._share >= 1.0 or self._here.steering.batch_rows is None:
            return ""
        return f"batches took longer than {LONG_BATCH_S:.0f} s; {self.rows:,} rows each for now"

    def _others_words(self) -> str:
        if not self._others.writing or self._here.steering.delay_s is not None:
            return ""
        return f"others write {self._others.writing:,.0f} transactions/s; half of the time is theirs"

    def locked_out(self, left: int, holders: str, attempt: int) -> None:
        """Rows that others have locked are all that is left: waits before the next look, within the patience.

        Raises PartFailedError (55P03) when that is over, StoppedError if the operator wants to stop.
        """
        now = time.monotonic()
        self._waiting_since = self._waiting_since or now
        patience = self._here.settings.lock_patience_s
        words = f"{left:,} rows of {self._table} are locked by {holders}"
        if now - self._waiting_since > patience:
            raise PartFailedError(errors.LockNotAvailable(f"{words}, for longer than {patience:.0f} s"), None, (0, 0))
        self._slowed = f"waits: {words}"
        self.tell("sweeping", always=True)
        if self._here.steering.wait(min(0.1 * 2 ** min(attempt, 4), 2.0) * random.uniform(0.75, 1.25)):  # noqa: S311
            raise StoppedError

    @property
    def _table(self) -> str:
        assert self._source.batch is not None
        return self._source.batch.update.table

    def tell(self, phase: Phase, *, always: bool = False, last: bool = False) -> None:
        """Reports how far it is, a few times a second at most."""
        now = time.monotonic()
        if not (always or last) and phase != "counting" and now - self._told < TELL_S:
            return
        self._told = now
        rate = self._rate()
        left = max(self.total - self._rows, 0)
        source = self._source
        self._here.emit(
            BackfillProgressed(
                step=source.step, part=source.part, parts=self._parts,
                direction="deploy" if source.direction == "deploy" else "revert", table=self._table, phase=phase,
                batches=self._batches, rows=self._rows, total=None if phase == "counting" else self.total,
                rows_per_s=rate, eta_s=left / rate if rate else None, batch_rows=self.rows,
                delay_s=self._delay_s, slowed="" if last else self._slowed or self._others_words(),
            )
        )  # fmt: skip

    @property
    def _delay_s(self) -> float | None:
        asked = self._here.steering.delay_s
        return asked if asked is None and not self._relief_s else max(asked or 0.0, self._relief_s)

    def _rate(self) -> float | None:
        """Rows a second over the last batches; None before there is anything to measure."""
        (began, first), (ended, last) = (
            self._recent[0] if self._recent else (0.0, 0),
            self._recent[-1] if self._recent else (0.0, 0),
        )
        return (last - first) / (ended - began) if ended - began > 0.2 and last > first else None


def _behind(row: dict[str, object], what: str, verb: str) -> str:
    """`replica one is 80 MB behind`; empty if it is not far, or this role may not see it."""
    behind = row.get(f"{what}_bytes")
    if not isinstance(behind, int) or behind <= MOST_LAG:
        return ""
    kind = "slot" if what == "slot" else "replica"
    return f"{kind} {row.get(what) or 'of another role'} {verb} {behind >> 20:,} MB behind"
