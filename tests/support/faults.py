"""Faults from outside into a running command, at a chosen request; then the same command again; what is left then."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

import psycopg

from tests.support.cluster import Cluster
from tests.support.database import Database
from tests.support.forks import Fork, Forks
from tests.support.program import Ended, Program
from tests.support.proxy import Fault, proxy_to, url_through

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
        return name.get(self.name.partition("_")[2], Fault.CRASH)


@dataclass(frozen=True)
class Series:
    """What is run and rolled back, on which database."""

    variant: tuple[str, ...] = ()
    rows: int = 40
    options: tuple[str, ...] = ()
    """Of both directions."""
    forward: tuple[str, ...] = ()
    """Of the way forward."""
    held: str = ""
    """A query that locks rows of a backfill: held from before its first batch until its sweep has begun."""

    def arguments(self, direction: str) -> tuple[str, ...]:
        """The command."""
        return (direction, "--yes", *self.options, *(self.forward if direction == "run" else ()))


@dataclass(frozen=True)
class End:
    """What a run left behind, as far as two runs can be compared."""

    dump: str
    rows: dict[str, str]
    done: list[tuple[object, ...]]
    batches: list[tuple[object, ...]]
    statements: list[tuple[object, ...]]

    @classmethod
    def of(cls, database: Database) -> End:
        """Schema, rows, and how often each part, batch and statement took effect."""
        return cls(
            database.dump(rooms=False),
            database.digest(VOLATILE, schemas=["public"]),
            database.query(
                "select step, part, direction, count(*) from rag_wizard.part where state = 'done'"
                " group by 1, 2, 3 order by 3, 1, 2"
            ),
            database.query(
                "select p.step, p.part, p.direction, p.rows, sum(b.rows)::int from rag_wizard.part p"
                " join rag_wizard.batch b using (part_id) group by p.part_id order by 3, 1, 2"
            )
            if database.value("select to_regclass('rag_wizard.batch') is not null")
            else [],
            # What an index that was left invalid takes more is no effect of its own.
            database.query(
                "select p.step, p.part, p.direction, s.sql, s.rows, count(*) from rag_wizard.statement s"
                " join rag_wizard.part p using (part_id) where s.outcome = 'committed' and s.finished_at is not null"
                " and not (p.direction = 'deploy' and s.sql like 'DROP INDEX CONCURRENTLY %')"
                " group by 1, 2, 3, 4, 5 order by 3, 1, 2, 4"
            ),
        )


class Holder:
    """Somebody who has rows locked while a backfill comes by."""

    def __init__(self, query: str, database: Database) -> None:
        self._query = query
        self._database = database
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None
        self._came = False

    def see(self, text: str) -> None:
        """A request is about to be sent."""
        if self._query and "SET total" in text and not self._came:
            self._came = True
            self._connection = psycopg.connect(self._database.conninfo())
            self._connection.execute(self._query.encode())
        elif "settled AS" in text:
            self.let_go()

    def let_go(self) -> None:
        """Before the sweep is sent, or if it never comes. The server may be gone."""
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.rollback()
            self._connection.close()
            self._connection = None


@dataclass
class Attempt:
    """One run through the proxy, and the fault that is put in."""

    cluster: Cluster
    holder: Holder
    kind: Kind | None = None
    number: int = -1
    hit: list[str] = field(default_factory=list)
    fork: Fork | None = None
    started: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def judge(self, request: int, text: str) -> Fault:
        """What becomes of a request."""
        self.holder.see(text)
        if self.kind is None or request != self.number or self.hit:
            return Fault.PASS
        self.hit.append(text)
        if self.kind.name.startswith("KILL"):
            assert self.started.wait(LIMIT_S) and self.fork is not None
            self.fork.kill()
        if self.kind is not Kind.CRASH:
            self.over.set()
        return self.kind.fault

    def crash(self) -> None:
        """The server has just got the request."""
        crash(self.cluster)
        self.over.set()


class Ground:
    """Runs the command on fresh databases of one server, with or without a fault."""

    def __init__(self, cluster: Cluster, forks: Forks, state_dir: Path, series: Series) -> None:
        self.cluster = cluster
        self.forks = forks
        self.state_dir = state_dir
        self.series = series
        self._begins: dict[str, Database] = {}
        self._wanted: dict[str, tuple[list[str], End]] = {}

    def database(self, direction: str) -> Database:
        """Where the direction starts from: a fresh database, rolled out if it is to be rolled back."""
        if direction not in self._begins:
            database = self.cluster.make_database(*self.series.variant, rows=self.series.rows)
            if direction == "rollback":
                done = self.forks(Program.on(database, self.state_dir), *self.series.arguments("run"))
                assert done.code == 0, done.err
            self._begins[direction] = database
        return self.cluster.copy(self._begins[direction])

    def port(self) -> int:
        """Of the server, which changes when it was started again."""
        port = self.cluster.server.running_port()
        if port is None:
            raise OSError("the server is down")
        return port

    def undisturbed(self, direction: str) -> tuple[list[str], End]:
        """The writing requests, and the end that every other run has to reach."""
        if direction not in self._wanted:
            database = self.database(direction)
            attempt = Attempt(self.cluster, Holder(self.series.held, database))
            ended, seen = self._through_proxy(attempt, direction, database)
            assert ended.code == 0, ended.err
            self._wanted[direction] = seen, End.of(database)
            self.cluster.drop(database)
        return self._wanted[direction]

    def disturbed(self, direction: str, kind: Kind, number: int) -> int:
        """One fault at one request, then the same command again until it ends: as if nothing had been.

        Returns the number of the request that was hit.
        """
        requests, wanted = self.undisturbed(direction)
        database = self.database(direction)
        attempt = Attempt(self.cluster, Holder(self.series.held, database), kind, number)
        ended, seen = self._through_proxy(attempt, direction, database)
        where = f"{kind.value} at {number}, {seen[number][:200] if number < len(seen) else 'which never came'}\n"
        # A crash at the last request of all: the process may end before the server is up again.
        assert attempt.hit and attempt.over.wait(LIMIT_S), f"{where}{ended.out}\n{ended.err}"
        assert beginning(attempt.hit[0]) == beginning(requests[number]), f"{where}is another request this time"
        attempt.holder.let_go()
        if not kind.name.startswith("KILL"):
            assert ended.code == 0, f"{where}{ended.out}\n{ended.err}"
        again = self.forks(Program.on(database, self.state_dir), *self.series.arguments(direction))
        assert again.code == 0, f"{where}again:\n{again.out}\n{again.err}"
        assert End.of(database) == wanted, where
        self.cluster.drop(database)
        return number

    def killed(self, direction: str, number: int, database: Database) -> None:
        """Kills the command after the answer to a request, and leaves it at that."""
        attempt = Attempt(self.cluster, Holder("", database), Kind.KILL_ANSWERED, number)
        self._through_proxy(attempt, direction, database)
        assert attempt.hit

    def _through_proxy(self, attempt: Attempt, direction: str, database: Database) -> tuple[Ended, list[str]]:
        with proxy_to(self.port, attempt.judge, attempt.crash) as proxy:
            program = Program.on(database, self.state_dir)
            through = replace(program, common=("--dsn", url_through(proxy, database), *program.common[2:]))
            attempt.fork = self.forks.start(through, *self.series.arguments(direction))
            attempt.started.set()
            return attempt.fork.end(), proxy.seen


def beginning(request: str) -> str:
    """What it is: its first words, behind type and length, which know no id yet."""
    return request[5:45]


def crash(cluster: Cluster) -> None:
    """Stops the server as a crash would, and starts it again."""
    pid = int((cluster.server.data_dir / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGQUIT)
    until = time.monotonic() + LIMIT_S
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    cluster.server.start()
