"""How long the application waits while the schema is rolled out beside it: by the guide, by rag-wizard, by nobody."""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench.ground import Ground, guide_by_psql, run
from tests.bench.load import Sample, load_on
from tests.bench.table import count, milliseconds, table, times
from tests.support.wire import wire_to

ROUND_TRIP_S = 0.1
WARM_UP_S = 3.0
HEAD = ("rows", "beside the application", "took", "p50", "p99", "worst, median", "worst of all", "beside nothing")


@dataclass(frozen=True)
class Period:
    """A stretch of time in which one thing went on beside the application, a whole number of windows long."""

    name: str
    begin: float
    end: float
    took: float
    """Seconds of what went on; the rest of the last window is its aftermath, queues included."""


@dataclass(frozen=True)
class Stall:
    """What the application noticed in periods of one kind."""

    name: str
    took: float
    latencies: tuple[float, ...]
    worsts: tuple[float, ...]
    """Of each window."""
    errors: tuple[str, ...]

    @property
    def worst(self) -> float:
        """Of all windows."""
        return max(self.worsts)

    def quantile(self, share: float) -> float:
        """The latency that `share` of the transactions stay within."""
        ordered = sorted(self.latencies)
        return ordered[min(math.ceil(share * len(ordered)), len(ordered)) - 1]


class Watch:
    """Notes what went on when, in windows of one length."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self.periods: list[Period] = []

    def during(self, name: str, work: Callable[[], object]) -> Period:
        """Does `work`, then waits for its last window to be full."""
        begin = time.monotonic()
        work()
        took = time.monotonic() - begin
        end = begin + math.ceil(took / self._window_s) * self._window_s
        time.sleep(max(end - time.monotonic(), 0))
        period = Period(name, begin, end, took)
        self.periods.append(period)
        return period

    def nothing(self, windows: int) -> None:
        """So many windows in which only the application runs."""
        for _ in range(windows):
            self.during(NOTHING, lambda: time.sleep(self._window_s * 0.99))

    def length(self, name: str) -> float:
        """Seconds watched under this name."""
        return sum(period.end - period.begin for period in self.periods if period.name == name)

    def stalls(self, samples: Sequence[Sample]) -> list[Stall]:
        """What the application measured, by name, in the order they began."""
        return [self._stall(name, samples) for name in dict.fromkeys(period.name for period in self.periods)]

    def _stall(self, name: str, samples: Sequence[Sample]) -> Stall:
        periods = [period for period in self.periods if period.name == name]
        inside = [s for s in samples if any(p.begin <= s.due < p.end for p in periods)]
        worsts = []
        for period in periods:
            for number in range(round((period.end - period.begin) / self._window_s)):
                begin = period.begin + number * self._window_s
                window = [s.latency for s in inside if begin <= s.due < begin + self._window_s]
                worsts.append(max(window, default=0.0))
        return Stall(
            name, max(period.took for period in periods), tuple(s.latency for s in inside), tuple(worsts),
            tuple(s.error for s in inside if s.error),
        )  # fmt: skip


NOTHING = "nothing"
SIZE = "select pg_database_size(current_database())"
EXPIRY_S = 40.0
"""By then Linux has written back what was written (it begins after `vm.dirty_expire_centisecs`: 30 s)."""


def write_file(size: int, seconds: float) -> None:
    """Writes a file evenly over so many seconds, as the server writes what a table grows by: it waits for no disk.

    Returns once the system has written it back by itself.
    """
    began = time.monotonic()
    with tempfile.NamedTemporaryFile() as file:
        for done in range(0, size, 1 << 20):
            file.write(b"\0" * (1 << 20))
            time.sleep(max(began + seconds * done / size - time.monotonic(), 0))
        file.flush()
        time.sleep(max(began + seconds + EXPIRY_S - time.monotonic(), 0))


def stalls(here: Ground, rows: int, *, window_s: float, guide: bool, far: bool) -> list[Stall]:
    """Everything at one size, nothing first, so that the others can be told beside it.

    Nothing is watched beside rag-wizard, before and after it, for at least as long as the longest of the others.
    Large sizes may be measured without the guide; and near the server only, without a file.
    """
    theirs = [_beside_guide(here, rows, window_s)] if guide else []
    away = _beside_wizard(here, rows, window_s, round_trip_s=ROUND_TRIP_S) if far else []
    longest = max((stall.took for stall in (*theirs, *away)), default=window_s)
    near = _beside_wizard(here, rows, window_s, nothing_s=longest, file=far)
    return [near[0], *theirs, *near[1:], *away]


def _beside_guide(here: Ground, rows: int, window_s: float) -> Stall:
    watch = Watch(window_s)
    with here.database(rows) as database, load_on(database, rows) as load:
        time.sleep(WARM_UP_S)
        watch.during("the guide by psql", lambda: run(guide_by_psql(database)))
        return watch.stalls(load.stop())[0]


def _beside_wizard(
    here: Ground, rows: int, window_s: float, *, round_trip_s: float = 0.0, nothing_s: float = 0.0, file: bool = False
) -> list[Stall]:
    """A run and a rollback; with `nothing_s`, nothing before and after them, for that long or as long as the longer.

    And last, if asked for, a file: what of all this is the disk's.
    """
    watch = Watch(window_s)
    behind = f", {round_trip_s * 1000:.0f} ms away" if round_trip_s else ""
    with here.database(rows) as database, wire_to(database, round_trip_s) as (_, far), load_on(database, rows) as load:
        url = far if round_trip_s else database.url()
        time.sleep(WARM_UP_S)
        if nothing_s:
            watch.nothing(1)
        before = database.value(SIZE)
        ran = watch.during(f"rag-wizard run{behind}", lambda: run(here.wizard(url, "run", "--yes")))
        grown = database.value(SIZE) - before
        watch.during(f"rag-wizard rollback{behind}", lambda: run(here.wizard(url, "rollback", "--yes")))
        if nothing_s:
            longest = max(nothing_s, *(period.end - period.begin for period in watch.periods))
            watch.nothing(max(math.ceil((longest - watch.length(NOTHING)) / window_s), 1))
        if file:
            watch.during(f"a file of {grown >> 20} MB", lambda: write_file(grown, ran.took))
        return watch.stalls(load.stop())


def report(rows: int, found: Sequence[Stall]) -> list[tuple[str, ...]]:
    """Rows of the table; ratios are those of the worst of all, beside the worst while nothing ran."""
    nothing = found[0]
    return [
        (
            count(rows), stall.name, f"{stall.took:.1f} s" if stall.name != NOTHING else "",
            milliseconds(stall.quantile(0.5)), milliseconds(stall.quantile(0.99)),
            milliseconds(statistics.median(stall.worsts)), milliseconds(stall.worst),
            times(stall.worst / nothing.worst),
        )
        for stall in found
    ]  # fmt: skip


def lines(found: Sequence[Stall]) -> list[str]:
    """What the table has no column for: how much was measured, and transactions that failed."""
    return [
        f"{stall.name}: {count(len(stall.latencies))} transactions in {len(stall.worsts)} windows"
        + (f", failed: {', '.join(sorted(set(stall.errors)))} ({len(stall.errors)})" if stall.errors else "")
        for stall in found
    ]


def stall_table(rows: Sequence[tuple[str, ...]]) -> str:
    """The whole table."""
    return table(HEAD, rows)
