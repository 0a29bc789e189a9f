"""The application beside the rollout: processes that read and write random clones and knowledge rows at a fixed rate.

A transaction's latency counts from the moment it was scheduled, not from the moment a connection was free for it: what
queues behind a lock is as late as its users see it.
"""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Any, NamedTuple

import psycopg

from tests.support.database import Database

RATE = 150.0
"""Transactions a second, of all connections together."""
PROCESSES = 2
CONNECTIONS = 4
"""Of each process."""

READ_CLONE = (
    "select id, name, category, bio, (select count(*) from public.knowledge as k where k.clone_id = c.id)"
    " from public.clones as c where id = md5('clone ' || %(clone)s::int)::uuid"
)
READ_KNOWLEDGE = (
    "select id, title, content_preview from public.knowledge where clone_id = md5('clone ' || %(clone)s::int)::uuid"
)
UPDATE_CLONE = "update public.clones set base_price = %(price)s::int where id = md5('clone ' || %(clone)s::int)::uuid"
UPDATE_KNOWLEDGE = (
    "update public.knowledge set content_preview = 'Read again, for ' || %(price)s::int"
    " where id = md5('knowledge ' || %(clone)s::int || ' 1')::uuid"
)
INSERT_KNOWLEDGE = (
    "insert into public.knowledge (clone_id, title, content_type)"
    " select id, 'Added while it ran', 'text' from public.clones where id = md5('clone ' || %(clone)s::int)::uuid"
)
INSERT_CLONE = (
    "insert into public.clones (creator_id, name, category) values ('somebody', 'Made while it ran', 'business')"
)
MIX = (
    (READ_CLONE, 40), (READ_KNOWLEDGE, 20), (UPDATE_CLONE, 20), (UPDATE_KNOWLEDGE, 12),
    (INSERT_KNOWLEDGE, 6), (INSERT_CLONE, 2),
)  # fmt: skip
"""Statements, each a transaction, and how many of 100 they are."""


class Sample(NamedTuple):
    """One transaction."""

    due: float
    """When it was scheduled, on the system's monotonic clock, which all processes share."""
    latency: float
    """Seconds from then to its end."""
    error: str
    """SQLSTATE; empty if it succeeded."""


@dataclass(frozen=True)
class Plan:
    """What one process does."""

    conninfo: str
    rows: int
    rate: float
    connections: int
    seed: int


class Load:
    """The running application."""

    def __init__(self, database: Database, rows: int, rate: float = RATE) -> None:
        conninfo = f"{database.conninfo()} application_name=application"
        spawn = multiprocessing.get_context("spawn")
        self._pipes: list[Any] = []
        self._processes = []
        for number in range(PROCESSES):
            ours, theirs = spawn.Pipe()
            plan = Plan(conninfo, rows, rate / PROCESSES, CONNECTIONS, number)
            process = spawn.Process(target=serve, args=(plan, theirs), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)
        for pipe in self._pipes:
            pipe.recv()

    def stop(self) -> list[Sample]:
        """Ends it, once all that is due by now is done; everything it did, in the order it was due."""
        for pipe in self._pipes:
            pipe.send("stop")
        samples = [sample for pipe in self._pipes for sample in pipe.recv()]
        self.end()
        return sorted(samples)

    def end(self) -> None:
        """Ends it whatever it does."""
        for process in self._processes:
            process.kill()
            process.join()


@contextmanager
def load_on(database: Database, rows: int, rate: float = RATE) -> Iterator[Load]:
    """The application for as long as the block runs; `stop` gives what it measured."""
    load = Load(database, rows, rate)
    try:
        yield load
    finally:
        load.end()


def serve(plan: Plan, pipe: Pipe) -> None:
    """One process: says when it is connected, works until it is told to stop, hands over what it measured."""
    samples: list[Sample] = []
    ends_at: list[float] = []
    connected = threading.Barrier(plan.connections + 1)
    threads = [
        threading.Thread(target=_work, args=(plan, number, connected.wait, ends_at, samples), daemon=True)
        for number in range(plan.connections)
    ]
    for thread in threads:
        thread.start()
    connected.wait()
    pipe.send("connected")
    pipe.recv()
    ends_at.append(time.monotonic())
    for thread in threads:
        thread.join()
    pipe.send(samples)


def _work(
    plan: Plan, number: int, connected: Callable[[], object], ends_at: list[float], samples: list[Sample]
) -> None:
    """One connection: a transaction somewhere in each slot of its schedule, late ones one after the other."""
    chance = random.Random(plan.seed * 1000 + number)
    statements, weights = zip(*MIX, strict=True)
    slot = plan.connections / plan.rate
    with psycopg.connect(plan.conninfo, autocommit=True) as connection:
        # Plans are made now, not in the first moments that are measured.
        for statement in statements * 6:
            connection.execute(statement, {"clone": chance.randint(1, plan.rows), "price": 10})
        connected()
        begin = time.monotonic()
        turn = 0
        while True:
            due = begin + (turn + chance.random()) * slot
            turn += 1
            while (left := due - time.monotonic()) > 0 and not ends_at:
                time.sleep(min(left, 0.1))
            if ends_at and due > ends_at[0]:
                return
            (statement,) = chance.choices(statements, weights)
            error = ""
            try:
                connection.execute(statement, {"clone": chance.randint(1, plan.rows), "price": chance.randint(9, 99)})
            except psycopg.Error as fault:
                error = fault.sqlstate or type(fault).__name__
                if connection.broken:
                    raise
            samples.append(Sample(due, time.monotonic() - due, error))
