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
ROUNDS = 3
"""Each on a fresh copy of the database; of one transaction in thousands, the slowest of one round is chance."""
SINGLE_FROM = 1_000_000
"""Larger sizes have one round."""
HEAD = (
    "rows", "beside the application", "took", "p50", "p99", "worst of a window", "beside nothing", "worst of a round",
    "beside nothing", "worst of all",
)  # fmt: skip


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
    rounds: tuple[tuple[float, ...], ...]
    """The worst latency of each window of each round."""
    errors: tuple[str, ...]

    @property
    def windows(self) -> list[float]:
        """The worst latency of each window."""
        return [worst for windows in self.rounds for worst in windows]

    @property
    def worst_of_a_window(self) -> float:
        """Median of all windows."""
        return statistics.median(self.windows)

    @property
    def worst_of_a_round(self) -> float:
        """Median of all rounds."""
        return statistics.median(max(windows) for windows in self.rounds)

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

    def idle(self, name: str, windows: int) -> None:
        """So many windows in which only the application runs."""
        for _ in range(windows):
            self.during(name, lambda: time.sleep(self._window_s * 0.99))

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
            name, max(period.took for period in periods), tuple(s.latency for s in inside), (tuple(worsts),),
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
    """Everything at one size; "nothing" goes before what is told beside it, and was watched in the same rounds.

    Large sizes may be measured without the guide; and near the server only, without a file.
    """
    theirs = [_beside_guide(here, rows, window_s)] if guide else []
    rounds = ROUNDS if rows <= SINGLE_FROM else 1
    near = [_beside_wizard(here, rows, window_s, file=far and not number) for number in range(rounds)]
    away = [_beside_wizard(here, rows, window_s, round_trip_s=ROUND_TRIP_S) for _ in range(rounds if far else 0)]
    nothing, *ours = together(near)
    return [nothing, *theirs, *ours, *together(away)]


def together(rounds: Sequence[Sequence[Stall]]) -> list[Stall]:
    """What was measured in several rounds, by name, in the order of the first."""
    found = [stall for one in rounds for stall in one]
    names = dict.fromkeys(stall.name for stall in found)
    return [_of_all_rounds([stall for stall in found if stall.name == name]) for name in names]


def _of_all_rounds(stalls: Sequence[Stall]) -> Stall:
    return Stall(
        stalls[0].name,
        statistics.median(stall.took for stall in stalls),
        tuple(latency for stall in stalls for latency in stall.latencies),
        tuple(windows for stall in stalls for windows in stall.rounds),
        tuple(error for stall in stalls for error in stall.errors),
    )


def _beside_guide(here: Ground, rows: int, window_s: float) -> Stall:
    watch = Watch(window_s)
    with here.database(rows) as database, load_on(database, rows) as load:
        time.sleep(WARM_UP_S)
        watch.during("the guide by psql", lambda: run(guide_by_psql(database)))
        return watch.stalls(load.stop())[0]


def _beside_wizard(
    here: Ground, rows: int, window_s: float, *, round_trip_s: float = 0.0, file: bool = False
) -> list[Stall]:
    """A round: a run and a rollback, nothing before and after them, together for as long as the longer of them.

    And last, if asked for, a file: what of all this is the disk's.
    """
    watch = Watch(window_s)
    behind = f", {round_trip_s * 1000:.0f} ms away" if round_trip_s else ""
    with here.database(rows) as database, wire_to(database, round_trip_s) as (_, far), load_on(database, rows) as load:
        url = far if round_trip_s else database.url()
        nothing = f"{NOTHING}, in the rounds{behind}" if round_trip_s else NOTHING
        time.sleep(WARM_UP_S)
        watch.idle(nothing, 1)
        before = database.value(SIZE)
        ran = watch.during(f"rag-wizard run{behind}", lambda: run(here.wizard(url, "run", "--yes")))
        grown = database.value(SIZE) - before
        watch.during(f"rag-wizard rollback{behind}", lambda: run(here.wizard(url, "rollback", "--yes")))
        longest = max(period.end - period.begin for period in watch.periods)
        watch.idle(nothing, max(math.ceil((longest - watch.length(nothing)) / window_s), 1))
        if file:
            watch.during(f"a file of {grown >> 20} MB", lambda: write_file(grown, ran.took))
        return watch.stalls(load.stop())


def report(rows: int, found: Sequence[Stall]) -> list[tuple[str, ...]]:
    """Rows of the table; ratios are those to what was measured in the same rounds while nothing ran."""
    told, nothing = [], found[0]
    for stall in found:
        idle = stall.name.startswith(NOTHING)
        nothing = stall if idle else nothing
        told.append((
            count(rows), stall.name, "" if idle else f"{stall.took:.1f} s",
            milliseconds(stall.quantile(0.5)), milliseconds(stall.quantile(0.99)),
            milliseconds(stall.worst_of_a_window), times(stall.worst_of_a_window / nothing.worst_of_a_window),
            milliseconds(stall.worst_of_a_round), times(stall.worst_of_a_round / nothing.worst_of_a_round),
            milliseconds(max(stall.windows)),
        ))  # fmt: skip
    return told


def lines(found: Sequence[Stall]) -> list[str]:
    """What the table has no column for: how much was measured, and transactions that failed."""
    return [
        f"{stall.name}: {count(len(stall.latencies))} transactions in {len(stall.windows)} windows,"
        f" {len(stall.rounds)} round{'s' if len(stall.rounds) > 1 else ''}"
        + (f", failed: {', '.join(sorted(set(stall.errors)))} ({len(stall.errors)})" if stall.errors else "")
        for stall in found
    ]


def stall_table(rows: Sequence[tuple[str, ...]]) -> str:
    """The whole table."""
    return table(HEAD, rows)
