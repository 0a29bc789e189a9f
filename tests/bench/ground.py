"""What the benchmarks run on: a cluster of their own on disk, databases of a given size, and the commands beside it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.table import count
from tests.support.cluster import Cluster
from tests.support.database import Database
from tests.support.guide import GUIDE
from wizard.demo.seed import FOLDER
from wizard.demo.server import client_environment

SERVER = "18"
COMMAND = str(Path(sys.executable).parent / "rag-wizard")

SETTINGS = {
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "fsync": "on",
    "full_page_writes": "on",
    "statement_timeout": "0",  # with a hosted project's 2 minutes the guide would only fail on large tables
    "max_connections": "60",
    "log_min_messages": "error",
}
"""What a small hosted project has; the rest is PostgreSQL's default (autovacuum on), and wal_level logical."""

DROPS = """
drop index public.clones_creator_id_idx, public.knowledge_clone_id_idx;
alter table public.knowledge drop constraint knowledge_clone_id_fkey, drop constraint knowledge_pkey;
alter table public.clones drop constraint clones_pkey"""
INDEXES = """
alter table public.clones add primary key (id);
alter table public.knowledge add primary key (id);
alter table public.knowledge add foreign key (clone_id) references public.clones (id) on delete cascade;
create index clones_creator_id_idx on public.clones (creator_id);
create index knowledge_clone_id_idx on public.knowledge (clone_id)"""

BYTES_A_CLONE = 5_200
"""Disk that a run of the benchmarks needs for each clone: template, one copy, what rollout and load add to it."""
BYTES_BESIDE = 6 * 1024**3
"""WAL, and the cluster itself."""


@dataclass(frozen=True)
class Ground:
    """One cluster for a whole run of the benchmarks, and a folder for the program's state."""

    cluster: Cluster
    folder: Path
    by_key: bool = False
    """Rows lie in the order of their ids; else, as in a real table with random ids, in that of their age."""
    _templates: dict[int, Database] = field(default_factory=dict)

    @contextmanager
    def database(self, rows: int) -> Iterator[Database]:
        """A copy of the template with `rows` clones; the template is made when it is first asked for."""
        if rows not in self._templates:
            self._templates[rows] = self.cluster.make_database()
            fill(self._templates[rows], rows, by_key=self.by_key)
        database = self.cluster.copy(self._templates[rows])
        try:
            yield database
        finally:
            self.cluster.drop(database)

    def wizard(self, url: str, *words: str) -> list[str]:
        """The program's command line on a database, as a user types it."""
        return [COMMAND, "--dsn", url, "--state-dir", str(self.folder), "--strategy", "auto", *words]

    def forget(self, rows: int) -> None:
        """Removes the template of this size."""
        self.cluster.drop(self._templates.pop(rows))


def fill(database: Database, rows: int, *, by_key: bool) -> None:
    """Puts the demo's own rows into a database; their indexes are built behind them, which takes a third less."""
    text = (FOLDER / "data.sql").read_text(encoding="utf-8")
    if not by_key:
        assert text.count("\norder by 1;") == 2
        text = text.replace("\norder by 1;", ";")
    head = "delete from auth.users; truncate public.user_profiles, public.clones, public.knowledge;\n"
    text = text.replace("\ncommit;", f"\n{INDEXES};\ncommit;")
    database.psql(f"{head}{DROPS};\n{text}", options=["-v", f"rows={rows}"])


@contextmanager
def ground(sizes: Sequence[int], *, by_key: bool = False) -> Iterator[Ground]:
    """A running cluster, removed at the end however that comes. Ends the program if the disk is too small."""
    require_space(max(sizes, default=0))
    cluster = Cluster.start(SERVER, SETTINGS, on_disk=True)
    try:
        with tempfile.TemporaryDirectory(prefix="rag-wizard-bench-") as folder:
            yield Ground(cluster, Path(folder), by_key)
    finally:
        cluster.close()


def require_space(rows: int) -> None:
    """Ends the program unless the largest database, a copy of it and what they write have room."""
    needed, free = rows * BYTES_A_CLONE + BYTES_BESIDE, shutil.disk_usage(tempfile.gettempdir()).free
    if free < needed:
        raise SystemExit(
            f"{count(rows)} clones need {needed >> 30} GiB in {tempfile.gettempdir()}, {free >> 30} GiB are free;"
            " name another folder: TMPDIR=... make bench"
        )


def guide_by_psql(database: Database, *options: str) -> list[str]:
    """psql with the guide's file; statement by statement unless the options say otherwise."""
    psql = str(database.server.client_dir / "psql")
    return [psql, "-Xq", "-v", "ON_ERROR_STOP=1", "-d", database.conninfo(), *options, "-f", str(GUIDE)]


@dataclass(frozen=True)
class Ran:
    """How a process ended that had to succeed."""

    seconds: float
    out: str
    peak_kib: int
    """The most memory that it had at a time (ru_maxrss)."""


def run(command: Sequence[str]) -> Ran:
    """Runs a process to its end. One that fails ends the program with its words."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=client_environment())
        _, status, usage = os.wait4(process.pid, 0)
        elapsed = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0), err.seek(0)
        if process.returncode:
            raise SystemExit(f"{Path(command[0]).name} ended with {process.returncode}:\n{err.read()}")
        peak = usage.ru_maxrss if sys.platform != "darwin" else usage.ru_maxrss // 1024
        return Ran(elapsed, out.read(), peak)


def describe() -> str:
    """The machine and the server in a sentence, for the head of a report."""
    settings = ", ".join(f"{name} {value}" for name, value in SETTINGS.items() if name != "log_min_messages")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB of memory, "
        f"{platform.system()}, Python {platform.python_version()}, PostgreSQL {SERVER}: {settings}, on disk."
    )
