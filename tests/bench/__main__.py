"""`make bench`: how long a run and the first paint take, beside psql and a bare Textual screen."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.timing import Pair, first_paint, in_turn, process
from tests.support.cluster import Cluster
from tests.support.database import Database
from tests.support.guide import GUIDE

RUNS = int(os.environ.get("BENCH_RUNS", "9"))
COMMAND = str(Path(sys.executable).parent / "rag-wizard")
ROWS = 40


@contextmanager
def fresh(cluster: Cluster) -> Iterator[Database]:
    """An almost empty CloneAI database."""
    database = cluster.make_database(rows=ROWS)
    try:
        yield database
    finally:
        cluster.drop(database)


def whole_run(cluster: Cluster, state: Path) -> Pair:
    """`rag-wizard run --yes` beside `psql -1 -f` with the guide's statements, both as whole processes."""

    def ours() -> float:
        with fresh(cluster) as database:
            return process([COMMAND, "--dsn", database.url(), "--state-dir", str(state), "run", "--yes"])

    def theirs() -> float:
        with fresh(cluster) as database:
            psql = str(database.server.client_dir / "psql")
            return process([psql, "-Xq1", "-v", "ON_ERROR_STOP=1", "-d", database.conninfo(), "-f", str(GUIDE)])

    return in_turn(ours, theirs, RUNS)


def paint(cluster: Cluster, state: Path) -> Pair:
    """The first frame of the screen beside that of the smallest Textual program."""
    with fresh(cluster) as database:
        command = [COMMAND, "--dsn", database.url(), "--state-dir", str(state)]
        hello = [sys.executable, str(Path(__file__).parent / "hello.py")]
        return in_turn(lambda: first_paint(command, b"Steps"), lambda: first_paint(hello, b"hello-world"), RUNS)


def main() -> None:
    """Prints the table."""
    cluster = Cluster.start("18")
    try:
        with tempfile.TemporaryDirectory() as folder:
            state = Path(folder)
            print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, PostgreSQL 18")
            print(whole_run(cluster, state).row("rag-wizard run --yes, whole process", "psql -1 -f guide.sql"))
            print(paint(cluster, state).row("first paint of the screen", "Textual hello world"))
    finally:
        cluster.close()


if __name__ == "__main__":
    main()
