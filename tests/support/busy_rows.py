"""An application that writes to clones in every way it can, and knows what each row must hold at the end."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import errors

from tests.support.database import Database

VALUES = ("rag_enabled", "rag_initialization_status", "rag_expert_name", "rag_domain_mapping", "rag_config")
READ = ", ".join(("id", *(f"{name}::text as {name}" for name in VALUES)))
Row = tuple[Any, ...]

TRIGGER = """
create function stamp() returns trigger language plpgsql as $$
begin
    if new.bio like 'stamp %' then new.rag_expert_name := new.bio; end if;
    return new;
exception when undefined_column then return new;
end $$;
create trigger aaa_stamp before insert or update on clones for each row execute function stamp();
create trigger stamp_late after update of avatar_url on clones for each row execute function stamp_late();
"""
LATE = """
create function stamp_late() returns trigger language plpgsql as $$
begin
    update clones set rag_config = to_jsonb(new.avatar_url) where id = new.id;
    return null;
exception when undefined_column then return null;
end $$;
"""
"""Triggers of the application that change columns which no statement names, before and after the fact."""


def rows_now(database: Database) -> dict[Any, Row]:
    """Key to values."""
    return {row[0]: row for row in database.query(f"select {READ} from clones")}


class BusyApplication:
    """Writes until the columns are gone; then only what needs none of them. A context manager.

    `rows` is what every clone held when it was last written while the columns were there.
    """

    def __init__(self, database: Database) -> None:
        database.execute(LATE + TRIGGER)
        self._database = database
        self.rows = rows_now(database)
        self._start = tuple(self.rows)
        self.problems: list[BaseException] = []
        self.rounds = 0
        self.writes = 0
        self._over = threading.Event()
        self._turned = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="busy", daemon=True)

    def __enter__(self) -> BusyApplication:
        self._thread.start()
        self.full_round()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(60)
        assert not self._thread.is_alive()

    def full_round(self) -> None:
        """Waits until everything was done once more."""
        with self._turned:
            wanted = self.rounds + 2
            assert self._turned.wait_for(lambda: bool(self.problems) or self.rounds >= wanted, 60), "no round"

    def _run(self) -> None:
        works = [
            self._insert, self._positional, self._copy, self._values, self._back_to_defaults, self._by_trigger,
            self._after_trigger, self._other_column, self._key, self._replica, self._undone, self._many, self._delete,
        ]  # fmt: skip
        with self._database.connect() as conn:
            try:
                while not self._over.is_set():
                    self.rounds += 1
                    for work in tuple(works):
                        try:
                            work(conn, self.rounds)
                            self.writes += 1
                        except (errors.UndefinedColumn, errors.SyntaxError):
                            works.remove(work)
                            conn.rollback()
                    with self._turned:
                        self._turned.notify_all()
            except BaseException as error:  # the test fails with it
                self.problems.append(error)
                with self._turned:
                    self._turned.notify_all()

    def _do(self, conn: psycopg.Connection[Any], text: str, *values: object) -> list[Row]:
        rows = conn.execute(f"{text} returning {READ}".encode(), values).fetchall()
        self.rows.update({row[0]: row for row in rows})
        return rows

    def _some(self, number: int) -> Any:
        return self._start[number * 7919 % len(self._start)]

    def _insert(self, conn: psycopg.Connection[Any], n: int) -> None:
        self._do(conn, "insert into clones (creator_id, name, rag_expert_name) values ('app', %s, 'own')", f"n{n}")

    def _positional(self, conn: psycopg.Connection[Any], n: int) -> None:
        self._do(
            conn,
            "insert into clones values (gen_random_uuid(), 'app', %s, 'medical', null, null, false, null, '{}', now(),"
            " now(), true, 'ready', 'by position', null, '{\"x\": 1.10}')",
            f"p{n}",
        )

    def _copy(self, conn: psycopg.Connection[Any], n: int) -> None:
        keys = [uuid4(), uuid4()]
        with conn.cursor() as cursor:
            with cursor.copy("copy clones (id, creator_id, name, rag_domain_mapping) from stdin") as copy:
                for key in keys:
                    copy.write_row((key, "app", f"c{n}", "copied"))
            for key in keys:
                self.rows[key] = (key, "false", "pending", None, "copied", "{}")

    def _values(self, conn: psycopg.Connection[Any], n: int) -> None:
        self._do(
            conn, "update clones set rag_config = jsonb_build_object('n', %s::int), rag_enabled = true where id = %s",
            n, self._some(n),
        )  # fmt: skip

    def _back_to_defaults(self, conn: psycopg.Connection[Any], n: int) -> None:
        self._do(
            conn,
            "update clones set rag_config = '{}', rag_enabled = false, rag_initialization_status = 'pending',"
            " rag_expert_name = null where id = %s",
            self._some(n - 2),
        )

    def _by_trigger(self, conn: psycopg.Connection[Any], n: int) -> None:
        self._do(conn, "update clones set bio = %s where id = %s", f"stamp {n}", self._some(n + 3))

    def _after_trigger(self, conn: psycopg.Connection[Any], n: int) -> None:
        """What an AFTER trigger writes is not in RETURNING; read before anybody can drop a column."""
        key = self._some(n + 5)
        with conn.transaction():
            conn.execute("update clones set avatar_url = %s where id = %s", (f"late {n}", key))
            row = conn.execute(f"select {READ} from clones where id = %s".encode(), (key,)).fetchone()
        assert row is not None
        self.rows[key] = row

    def _other_column(self, conn: psycopg.Connection[Any], n: int) -> None:
        """The statement names none of our columns; a trigger may change one all the same."""
        self._do(conn, "update clones set category = 'legal' where id = %s", self._some(n + 11))

    def _key(self, conn: psycopg.Connection[Any], n: int) -> None:
        (row,) = self._do(conn, "insert into clones (creator_id, name, rag_enabled) values ('app', %s, true)", f"k{n}")
        self._do(conn, "update clones set id = gen_random_uuid() where id = %s", row[0])
        del self.rows[row[0]]

    def _replica(self, conn: psycopg.Connection[Any], n: int) -> None:
        conn.execute("set session_replication_role = replica")
        try:
            self._do(conn, "update clones set rag_expert_name = %s where id = %s", f"replica {n}", self._some(n + 13))
        finally:
            conn.execute("set session_replication_role = origin")

    def _undone(self, conn: psycopg.Connection[Any], n: int) -> None:
        """In a subtransaction that is rolled back, within one that is not."""
        with conn.transaction():
            self._do(conn, "update clones set rag_initialization_status = 'ready' where id = %s", self._some(n + 17))
            with conn.transaction(force_rollback=True):
                conn.execute("update clones set rag_expert_name = 'undone'")

    def _many(self, conn: psycopg.Connection[Any], n: int) -> None:
        if n % 5 == 0:
            self._do(conn, "update clones set rag_config = to_jsonb(%s::int) where creator_id <> 'app'", n)

    def _delete(self, conn: psycopg.Connection[Any], n: int) -> None:
        for (key,) in conn.execute(
            "delete from clones where name = any (%s) returning id", ([f"n{n - 9}", f"p{n - 4}", f"c{n - 6}"],)
        ).fetchall():
            self.rows.pop(key, None)
