"""What goes on beside the engine: a loop in a thread of its own, and role `anon` that tries the six tables in one."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Literal, TypeVar, cast

import psycopg
from psycopg import errors, sql

from tests.support.database import Database
from wizard.demo.server import SUPERUSER
from wizard.engine.events import Event, Failed, PartCommitted, PartStarted

T = TypeVar("T")
PATIENCE_S = 60.0
"""How long one turn may take before the test is told that the loop hangs."""


class Loop(Generic[T]):
    """Takes one turn after the other in a thread of its own while the block runs; raises there what a turn raised."""

    def __init__(self, name: str, turn: Callable[[], T]) -> None:
        self._turn = turn
        self._changed = threading.Condition()
        self._begun = 0
        self._ended = 0
        self._last: T | None = None
        self._fault: BaseException | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._go, name=name, daemon=True)

    @property
    def turns(self) -> int:
        """How many turns have ended."""
        return self._ended

    def full_turn(self) -> T:
        """Waits for a turn that began after this call, and returns what it returned."""
        with self._changed:
            wanted = self._begun + 1
            there = self._changed.wait_for(lambda: self._fault is not None or self._ended >= wanted, PATIENCE_S)
            if self._fault is not None:
                raise self._fault
            assert there, f"{self._thread.name} took no turn in {PATIENCE_S:.0f} s"
            return cast(T, self._last)

    def _go(self) -> None:
        while not self._stopping:
            with self._changed:
                self._begun += 1
            try:
                result = self._turn()
            except BaseException as fault:  # handed to the test's thread
                with self._changed:
                    self._fault = fault
                    self._changed.notify_all()
                return
            with self._changed:
                self._last = result
                self._ended += 1
                self._changed.notify_all()

    def __enter__(self) -> Loop[T]:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        self._thread.join(PATIENCE_S)
        if self._fault is not None and error is None:
            raise self._fault
        assert not self._thread.is_alive(), f"{self._thread.name} did not end"


RAG_TABLES: Mapping[str, str] = {
    "domains": "(domain_name) values ('by {who}')",
    "experts": "(name, domain, context, clone_id) select 'by {who}', 'other', '', {clone}",
    "rag_documents": "(name, document_link, domain, clone_id) select 'by {who}', '', 'other', {clone}",
    "vector_stores": "(vector_id, domain_name, clone_id) select 'by {who}', 'other', {clone}",
    "assistants": "(assistant_id, domain_name, expert_name, clone_id) select 'by {who}', 'other', '', {clone}",
    "clone_rag_mapping": "(clone_id, expert_name, domain_name) select {clone}, 'by {who}', 'other'",
}
"""The six tables, and how a row gets into each that only rights and policies can refuse."""

COMMANDS = ("select", "insert", "update", "delete", "truncate")
State = Literal["absent", "no policy", "policy"]
Outcome = Literal["absent", "denied", "nothing", "lock", "reached"]
"""What a try came to: no such table, permission or row level security said no, no row seen or changed, a lock was in
the way, or it got at the table."""


@dataclass(frozen=True)
class Attempt:
    """One command of `anon` on one table; `told` is what it saw or what the server said."""

    table: str
    command: str
    outcome: Outcome
    told: str


def _statement(table: str, command: str, clone: str) -> sql.Composed:
    texts = {
        "select": sql.SQL("select * from public.{table}"),
        "insert": sql.SQL("insert into public.{table} {row}"),
        "update": sql.SQL("update public.{table} set created_at = now()"),
        "delete": sql.SQL("delete from public.{table}"),
        "truncate": sql.SQL("truncate public.{table}"),
    }
    return texts[command].format(table=sql.Identifier(table), row=_row(table, "anon", clone))


def _row(table: str, who: str, clone: str) -> sql.SQL:
    return sql.SQL(cast(Any, RAG_TABLES[table].format(who=who, clone=f"'{clone}'::uuid")))


class AnonWatch:
    """`anon` tries every command on every table, over and over, on a connection of its own.

    Pass `hear` to Operator.listen: it is called in the engine's thread, so the engine stands still after each part
    until `anon` went once around all six tables in exactly the state that was committed. Between two statements of a
    part there is no further state to find: a new table, a dropped policy, a right is invisible to others until the part
    commits. There `anon` gets the state before the part, or waits for the one after it where the part holds the lock.

    Each table gets a row from its owner as soon as it is there: "no rows" then means that there was one to see.
    """

    def __init__(self, database: Database) -> None:
        self.reached: list[tuple[str, Attempt]] = []
        """Every try that got at a table, TRUNCATE aside, with the last event before it."""
        self.truncated: Counter[str] = Counter()
        """Tables that TRUNCATE got at. Row level security has no say in it; the right alone decides."""
        self.tried: Counter[tuple[str, State, str, Outcome]] = Counter()
        """Tries while the engine stood still: table, its state, command, outcome."""
        self.open: list[tuple[str, set[str]]] = []
        """For each round in `tried`: after which part it was, as in "deploy 1.1", and the tables that it got at."""
        self.sending = 0
        """Tries that began and ended while a part was being sent."""
        self.database = database
        self._clone = str(database.value("select id from clones where is_published order by id limit 1"))
        self._after, self._sends = "start", False
        self._loop = Loop("anon", self._around)
        self._connection = database.connect()

    def __enter__(self) -> AnonWatch:
        # As the API does for a request without a user: the role, and claims that name it.
        self._connection.execute("set role anon")
        self._connection.execute("""set request.jwt.claims = '{"role": "anon"}'""")
        self._connection.execute("set lock_timeout = '2s'")
        self._loop.__enter__()
        return self

    def __exit__(self, *about: Any) -> None:
        with self._connection:
            self._loop.__exit__(*about)

    @property
    def rounds(self) -> int:
        """How often it went around all tables, whether the engine stood still or not."""
        return self._loop.turns

    def hear(self, event: Event) -> None:
        """Holds the engine, after a part or its failure, until `anon` tried everything in the state that is left."""
        self._sends = isinstance(event, PartStarted)
        if isinstance(event, PartCommitted):
            self._after = f"{event.direction} {event.step}"
        elif isinstance(event, Failed):
            self._after = f"failure {event.failure.step}"
        if isinstance(event, PartCommitted | Failed):
            self.look()

    def look(self, rounds: int = 1) -> None:
        """So many full rounds in the state that stands now, counted by state."""
        states = self._states()
        for _ in range(rounds):
            attempts = self._loop.full_turn()
            for attempt in attempts:
                self.tried[attempt.table, states[attempt.table], attempt.command, attempt.outcome] += 1
            reached = {a.table for a in attempts if a.outcome == "reached" and a.command != "truncate"}
            self.open.append((self._after, reached))

    def _states(self) -> dict[str, State]:
        """The state of each table; puts a row into those that have none of ours."""
        states: dict[str, State] = {}
        with self.database.connect(SUPERUSER) as conn:
            for table in RAG_TABLES:
                (states[table],) = conn.execute(_STATE, {"table": f"public.{table}"}).fetchone() or ()
                if states[table] != "absent":
                    parts = {"table": sql.Identifier(table), "row": _row(table, "its owner", self._clone)}
                    conn.execute(sql.SQL("insert into public.{table} {row} on conflict do nothing").format(**parts))
        return states

    def _around(self) -> list[Attempt]:
        return [self._try(table, command) for table in RAG_TABLES for command in COMMANDS]

    def _try(self, table: str, command: str) -> Attempt:
        sends = self._sends
        attempt = Attempt(table, command, *self._outcome(table, command))
        self.sending += sends and self._sends
        if attempt.outcome == "reached" and command == "truncate":
            self.truncated[table] += 1
        elif attempt.outcome == "reached":
            self.reached.append((self._after, attempt))
        return attempt

    def _outcome(self, table: str, command: str) -> tuple[Outcome, str]:
        """Whatever it gets at, it leaves as it was: the next try must find the rows again."""
        try:
            with self._connection.transaction(force_rollback=True):
                rows = self._connection.execute(_statement(table, command, self._clone)).rowcount
        except errors.UndefinedTable as absent:
            return "absent", str(absent)
        except errors.InsufficientPrivilege as denied:
            return "denied", str(denied)
        except (errors.LockNotAvailable, errors.DeadlockDetected) as waited:
            return "lock", str(waited)
        except psycopg.Error as other:
            # Past rights and policies, or it would not have come to this error.
            return "reached", f"{other.sqlstate} {other}"
        # TRUNCATE does not say how many rows it removed.
        return "reached" if rows or command == "truncate" else "nothing", f"{rows} rows"


_STATE = """
select case when to_regclass(%(table)s) is null then 'absent'
            when exists (select from pg_policy where polrelid = to_regclass(%(table)s)) then 'policy'
            else 'no policy' end
"""
