"""How far a backfill or an index build is, in words; and the steps in which the operator changes its pace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wizard.limits import BATCH_ROWS, DELAY_S
from wizard.text import clock, duration

if TYPE_CHECKING:
    from wizard.engine.events import BackfillProgressed, IndexProgressed

BATCHES = tuple(
    rows for power in (100, 1_000, 10_000) for rows in (power, 2 * power, 5 * power)
    if BATCH_ROWS[0] <= rows <= BATCH_ROWS[1]
)  # fmt: skip
"""Batch sizes that a key moves between, each about twice the one before."""
DELAYS = tuple(
    seconds for seconds in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)
    if DELAY_S[0] <= seconds <= DELAY_S[1]
)  # fmt: skip
"""Seconds between two batches that a key moves between. Below them is the delay that others get, below that none."""
SAFE = "Safe to stop at any time"


def larger(rungs: tuple[float, ...], now: float) -> float:
    """The rung above `now`; the last one stays."""
    return next((rung for rung in rungs if rung > now), rungs[-1])


def smaller(rungs: tuple[float, ...], now: float) -> float:
    """The rung below `now`; the first one stays."""
    return next((rung for rung in reversed(rungs) if rung < now), rungs[0])


def longer_delay(now: float | None) -> float | None:
    """The delay above `now`; the longest one stays."""
    if now is None:
        return DELAYS[0]
    return larger(DELAYS, now) if now else None


def shorter_delay(now: float | None) -> float | None:
    """The delay below `now`: None below the shortest, no delay below None, which stays."""
    if not now:
        return 0.0
    return smaller(DELAYS, now) if now > DELAYS[0] else None


def percent(done: int, total: int | None) -> int | None:
    """Whole per cent that are done, never rounded up; None where the whole is not known."""
    return min(done * 100 // total, 100) if total else None


def rows_words(backfill: BackfillProgressed) -> str:
    """`412,000 of ~1,000,000 rows`: the application goes on writing, so the whole is never exact."""
    if backfill.total is None:
        return f"{backfill.rows:,} rows"
    if not (backfill.rows or backfill.total):
        return "no row to change"
    return f"{backfill.rows:,} of ~{backfill.total:,} rows"


def rate_words(backfill: BackfillProgressed) -> str:
    """`57,100 rows/s, about 0:10 left`; empty while nothing was measured."""
    if backfill.rows_per_s is None:
        return ""
    left = f", about {clock(backfill.eta_s)} left" if backfill.eta_s is not None else ""
    return f"{backfill.rows_per_s:,.0f} rows/s{left}"


def batch_words(backfill: BackfillProgressed) -> str:
    """`batches of 5,000 rows`."""
    return f"batches of {backfill.batch_rows:,} rows"


def delay_words(backfill: BackfillProgressed) -> str:
    """`no delay`, `100 ms between two`, `gives way to others`."""
    if backfill.delay_s is None:
        return "gives way to others"
    return f"{duration(backfill.delay_s)} between two" if backfill.delay_s else "no delay"


def doing_words(backfill: BackfillProgressed) -> str:
    """What it does when it is not plainly filling; empty else."""
    return {
        "counting": f"counting the rows of {backfill.table} that are to be changed",
        "sweeping": f"looking once more through {backfill.table}, for rows that others had locked",
    }.get(backfill.phase, "")


def backfill_doing(backfill: BackfillProgressed) -> str:
    """How the State line of a backfill begins; `SAFE` goes behind it."""
    verb = "BACKFILLING" if backfill.direction == "deploy" else "ROLLING BACK"
    if backfill.phase == "counting" and not backfill.rows:
        return f"{verb} {backfill.step}: counting rows"
    committed = " committed" if backfill.rows or backfill.total else ""
    return f"{verb} {backfill.step}: {rows_words(backfill)}{committed}"


def index_words(index: IndexProgressed) -> str:
    """`building index: scanning table, 412 of 1,000 blocks, 41 %`."""
    if not index.total:
        return index.phase
    return f"{index.phase}, {index.done:,} of {index.total:,} {index.unit}, {percent(index.done, index.total)} %"
