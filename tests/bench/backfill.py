"""How fast step 6.2 fills its column, beside the guide's one UPDATE, and how much memory the program takes for it."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.bench.ground import Ground, run
from tests.bench.table import count, table, times
from tests.support.database import Database
from tests.support.guide import guide_steps

STEP = "6.2"
ROUNDS = 3
OFTEN = 1_000_000
"""Rounds of up to so many rows; more are measured once."""
BEFORE = "6.1"
"""The last step of the guide before it."""
HEAD = (
    "rows", "rag-wizard", "rows/s", "the guide's UPDATE", "rows/s", "ratio", "triggers held back", "ratio",
    "µs a row", "beside the smallest", "peak memory", "beside the smallest",
)  # fmt: skip


@dataclass(frozen=True)
class Backfill:
    """The same rows filled on three copies of one database, one after the other, nothing else running."""

    rows: int
    ours_s: float
    """From the beginning of the step to its last commit, the function that it makes included."""
    guide_s: float | None
    """The UPDATE as the guide has it: the application's triggers fire for every row."""
    held_s: float | None
    """The same UPDATE with session_replication_role = replica, as rag-wizard sends it."""
    peak_kib: int
    """Of the program's process over the whole run."""


def backfill(here: Ground, rows: int, *, guide: bool) -> Backfill:
    """Measures one size, without the guide if need be; the medians of some rounds, of one where they take long."""
    rounds = [_round(here, rows, guide=guide) for _ in range(ROUNDS if rows <= OFTEN else 1)]

    def middle(figure: Callable[[Backfill], float | None]) -> float | None:
        figures = [found for one in rounds if (found := figure(one)) is not None]
        return statistics.median(figures) if figures else None

    return Backfill(
        rows, middle(lambda one: one.ours_s) or 0.0, middle(lambda one: one.guide_s), middle(lambda one: one.held_s),
        max(one.peak_kib for one in rounds),
    )  # fmt: skip


def _round(here: Ground, rows: int, *, guide: bool) -> Backfill:
    with here.database(rows) as database:
        run(here.wizard(database.url(), "run", "--yes", "--to", BEFORE))
        ran = run(here.wizard(database.url(), "run", "--yes", "--from", STEP, "--to", STEP, "--json"))
        ours, ours_filled = _seconds(ran.out), _filled(database)
    if ours_filled != rows:
        raise SystemExit(f"step {STEP} filled {count(ours_filled)} of {count(rows)} rows")
    theirs, held = (_guide(here, rows, hold_triggers=hold) if guide else None for hold in (False, True))
    return Backfill(rows, ours, theirs, held, ran.peak_kib)


def _seconds(events: str) -> float:
    """From the step's beginning to the last commit of a part of it, as the events say."""
    told = [json.loads(line) for line in events.splitlines()]
    began = next(e["at"] for e in told if e["event"] == "step_started" and e["step"] == STEP)
    ended = [e["at"] for e in told if e["event"] == "part_committed" and e["step"] == STEP][-1]
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()


def _guide(here: Ground, rows: int, *, hold_triggers: bool) -> float:
    """Seconds of the guide's own step on a twin."""
    with here.database(rows) as database:
        steps = guide_steps()
        before = list(steps)[: list(steps).index(STEP)]
        database.psql("".join(steps[step] for step in before))
        with database.connect() as connection:
            if hold_triggers:
                connection.execute("set session_replication_role = replica")
            began = time.perf_counter()
            connection.execute(steps[STEP].encode())
            elapsed = time.perf_counter() - began
        assert _filled(database) == rows
        return elapsed


def _filled(database: Database) -> int:
    return int(database.value("select count(*) from public.clones where rag_domain_mapping is not null"))


def _took(one: Backfill, seconds: float | None) -> tuple[str, str]:
    """Seconds, rows a second; nothing where it was left out."""
    return ("", "") if seconds is None else (f"{seconds:.2f} s", count(round(one.rows / seconds)))


def _times(one: Backfill, seconds: float | None) -> str:
    return "" if seconds is None else times(seconds / one.ours_s)


def backfill_table(found: Sequence[Backfill]) -> str:
    """One line a size."""
    smallest = found[0]
    return table(
        HEAD,
        [
            (
                count(one.rows), *_took(one, one.ours_s), *_took(one, one.guide_s), _times(one, one.guide_s),
                *_took(one, one.held_s)[:1], _times(one, one.held_s),
                f"{one.ours_s / one.rows * 1e6:.1f}",
                times((one.ours_s / one.rows) / (smallest.ours_s / smallest.rows)),
                f"{one.peak_kib / 1024:.0f} MiB", times(one.peak_kib / smallest.peak_kib),
            )
            for one in found
        ],
    )  # fmt: skip
