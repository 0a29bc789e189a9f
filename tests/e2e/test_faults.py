"""Faults from outside into the installed command, at every request that writes; then the same command again.

After each fault the database has to equal that of an undisturbed run, every effect exactly once.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import pytest

from tests.support.cluster import Cluster
from tests.support.database import Database
from tests.support.program import Program
from tests.support.proxy import Fault, Proxy, proxy_to, url_through
from tests.support.series import SEED, sampled

VOLATILE = {"id", "created_at", "updated_at"}
LIMIT_S = 60


class Kind(Enum):
    """A fault, and what happens to the process."""

    KILL_BEFORE = "kill -9 before a request is sent"
    KILL_DURING = "kill -9 while the server works on a request"
    KILL_ANSWERED = "kill -9 after the server's answer, which nobody read"
    CUT_BEFORE = "TCP cut before a request is sent"
    CUT_DURING = "TCP cut while the server works on a request"
    CUT_ANSWERED = "TCP cut after COMMIT was sent and before its answer"
    CRASH = "server stopped with immediate while it works on a request, then started again"

    @property
    def fault(self) -> Fault:
        """What the proxy does."""
        name = {"BEFORE": Fault.CUT_BEFORE, "DURING": Fault.CUT_DURING, "ANSWERED": Fault.CUT_ANSWER}
        return name.get(self.name.partition("_")[2], Fault.CUT_DURING)


@dataclass(frozen=True)
class End:
    """What a run left behind, as far as two runs can be compared."""

    dump: str
    rows: dict[str, str]
    done: list[tuple[object, ...]]
    statements: list[tuple[object, ...]]

    @classmethod
    def of(cls, database: Database) -> End:
        """Schema, rows, and how often each part and statement took effect."""
        return cls(
            database.dump(),
            database.digest(VOLATILE, schemas=["public"]),
            database.query(
                "select step, part, direction, count(*) from rag_wizard.part where state = 'done'"
                " group by 1, 2, 3 order by 3, 1, 2"
            ),
            database.query(
                "select p.step, p.direction, s.ordinal, s.sql, s.rows, count(*) from rag_wizard.statement s"
                " join rag_wizard.part p using (part_id) where s.outcome = 'committed'"
                " group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4"
            ),
        )


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """A server of these tests' own: they crash it."""
    cluster = Cluster.start(os.environ.get("RAG_WIZARD_TEST_PG", "18"))
    yield cluster
    cluster.close()


class Ground:
    """Runs the command on fresh databases of one server, with or without a fault."""

    def __init__(self, cluster: Cluster, state_dir: Path) -> None:
        self.cluster = cluster
        self.state_dir = state_dir

    def database(self, direction: str) -> Database:
        """Where the direction starts from: a fresh database, rolled out if it is to be rolled back."""
        database = self.cluster.make_database()
        if direction == "rollback":
            assert Program.on(database, self.state_dir)("run", "--yes").code == 0
        return database

    def port(self) -> int:
        """Of the server, which changes when it was started again."""
        port = self.cluster.server.running_port()
        if port is None:
            raise OSError("the server is down")
        return port

    def undisturbed(self, direction: str) -> tuple[int, End]:
        """The number of writing requests, and the end that every other run has to reach."""
        database = self.database(direction)
        with proxy_to(self.port, lambda _number, _text: Fault.PASS) as proxy:
            process = self.start(direction, proxy, database)
            _, err = process.communicate(timeout=LIMIT_S)
            assert process.returncode == 0, err
            end = End.of(database)
            self.cluster.drop(database)
            return len(proxy.seen), end

    def start(self, direction: str, proxy: Proxy, database: Database) -> subprocess.Popen[str]:
        """The command through the proxy."""
        through = replace(Program.on(database, self.state_dir), common=("--dsn", url_through(proxy, database)))
        return through.start(direction, "--yes")

    def disturbed(self, direction: str, kind: Kind, number: int) -> End:
        """One fault at one request, then the same command again until it ends."""
        database = self.database(direction)
        hit: list[int] = []
        over = threading.Event()
        process: subprocess.Popen[str]

        def judge(request: int, _text: str) -> Fault:
            if request != number or hit:
                return Fault.PASS
            hit.append(request)
            if kind.name.startswith("KILL"):
                process.send_signal(signal.SIGKILL)
                process.wait()
            elif kind is Kind.CRASH:
                crash(self.cluster)
            over.set()
            return kind.fault

        with proxy_to(self.port, judge) as proxy:
            process = self.start(direction, proxy, database)
            out, err = process.communicate(timeout=LIMIT_S)
            # A crash at the last request of all: the process may end before the server is up again.
            assert over.wait(LIMIT_S)
            assert hit == [number], f"request {number} never came\n{out}\n{err}"
            if not kind.name.startswith("KILL"):
                assert process.returncode == 0, f"{kind.value} at {number}\n{out}\n{err}"
            again = Program.on(database, self.state_dir)(direction, "--yes")
            assert again.code == 0, f"{kind.value} at {number}, again:\n{again.out}\n{again.err}"
        end = End.of(database)
        self.cluster.drop(database)
        return end


def crash(cluster: Cluster) -> None:
    """Stops the server as a crash would, and starts it again."""
    pid = int((cluster.server.data_dir / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGQUIT)
    until = time.monotonic() + LIMIT_S
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < until
    cluster.server.start()


def survive(cluster: Cluster, state_dir: Path, direction: str, kind: Kind, *, everything: bool) -> None:
    ground = Ground(cluster, state_dir)
    existing, wanted = ground.undisturbed(direction)
    assert existing >= 25
    # The sample differs by kind and is the same every time.
    hit = range(existing) if everything else random.Random(f"{SEED} {kind.name}").sample(range(existing), 1)
    for number in hit:
        assert ground.disturbed(direction, kind, number) == wanted, f"{kind.value}, request {number}"
    print(f"{direction}, {kind.value}: {len(hit)} of {existing} boundaries")


@pytest.mark.parametrize("kind", sampled(list(Kind), 1), ids=lambda kind: kind.name)
def test_a_sample_of_faults_is_survived(own_cluster: Cluster, state_dir: Path, kind: Kind) -> None:
    """Each kind once, on the way forward or back in turn."""
    direction = ("run", "rollback")[list(Kind).index(kind) % 2]
    survive(own_cluster, state_dir, direction, kind, everything=False)


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.name)
@pytest.mark.parametrize("direction", ["run", "rollback"])
def test_every_fault_is_survived(own_cluster: Cluster, state_dir: Path, direction: str, kind: Kind) -> None:
    survive(own_cluster, state_dir, direction, kind, everything=True)
