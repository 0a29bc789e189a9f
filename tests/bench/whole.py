"""Whole processes as a user starts them: a run beside psql, and the first frame of the screen beside a bare one."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench.ground import COMMAND, guide_by_psql
from tests.bench.table import table, times
from tests.bench.timing import Pair, first_paint, in_turn, process
from tests.support.cluster import Cluster
from tests.support.database import Database

HEAD = ("", "time", "beside", "time", "ratio")


def whole_run(cluster: Cluster, state: Path, runs: int) -> Pair:
    """`rag-wizard run --yes` beside `psql -1 -f` with the guide's statements, on an almost empty database."""

    def ours(database: Database) -> float:
        return process([COMMAND, "--dsn", database.url(), "--state-dir", str(state), "run", "--yes"])

    def theirs(database: Database) -> float:
        return process(guide_by_psql(database, "-1"))

    return in_turn(lambda: _on_new(cluster, ours), lambda: _on_new(cluster, theirs), runs)


def paint(cluster: Cluster, state: Path, runs: int) -> Pair:
    """The first frame of the screen beside that of the smallest Textual program."""
    hello = [sys.executable, str(Path(__file__).parent / "hello.py")]

    def both(database: Database) -> Pair:
        command = [COMMAND, "--dsn", database.url(), "--state-dir", str(state)]
        return in_turn(lambda: first_paint(command, b"Steps"), lambda: first_paint(hello, b"hello-world"), runs)

    database = cluster.make_database()
    try:
        return both(database)
    finally:
        cluster.drop(database)


def _on_new(cluster: Cluster, measure: Callable[[Database], float]) -> float:
    database = cluster.make_database()
    try:
        return measure(database)
    finally:
        cluster.drop(database)


def whole_table(run: Pair, screen: Pair) -> str:
    """Medians; the ratio is the median of the ratios of neighbours."""
    named = (
        ("`rag-wizard run --yes`, whole process", "`psql -1 -f` with the guide", run),
        ("first paint of the screen", "the smallest Textual program", screen),
    )
    return table(
        HEAD,
        [
            (ours, f"{statistics.median(pair.ours):.3f} s", theirs, f"{statistics.median(pair.theirs):.3f} s",
             times(pair.ratio))
            for ours, theirs, pair in named
        ],
    )  # fmt: skip
