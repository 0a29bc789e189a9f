"""One database of the test server as tests handle it: connect, run psql, dump, digest, compare."""

from __future__ import annotations

import difflib
import re
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from pydantic import SecretStr

from wizard.db.target import Target
from wizard.demo.server import HOST, SUPERUSER, Server, client_environment
from wizard.engine.session.registry import CREATE_ROOM, TABLES

Statement = str | sql.Composable

ROOMS = tuple(table for tables in TABLES.values() for table in tables)
"""Tables of the registry that are made when they are first needed."""


@dataclass(frozen=True)
class Snapshot:
    """A database's schema (pg_dump) and rows (digests); two are equal when nobody could tell the databases apart."""

    dump: str
    digest: Mapping[str, str]

    def difference(self, other: Snapshot) -> str:
        """What is different in `other`, as a readable diff; empty when equal."""
        mine = [*self.dump.splitlines(), *(f"{name}: {value}" for name, value in self.digest.items())]
        theirs = [*other.dump.splitlines(), *(f"{name}: {value}" for name, value in other.digest.items())]
        return "\n".join(difflib.unified_diff(mine, theirs, "before", "after", lineterm="", n=2))


@dataclass(frozen=True)
class Database:
    """`user` is always one of the server's login roles; the default is the operator's `postgres`, no superuser."""

    server: Server
    name: str

    @property
    def password(self) -> str:
        """The password of all login roles: what must never show up in any output."""
        return self.server.password

    def conninfo(self, user: str = "postgres") -> str:
        """libpq's connection string, with password."""
        return self.server.conninfo(user, self.name)

    def admin_conninfo(self) -> str:
        """The same as supabase_admin, the superuser."""
        return self.conninfo(SUPERUSER)

    def url(self, user: str = "postgres") -> str:
        """The same as a URL for --dsn."""
        return f"postgresql://{user}:{self.password}@{HOST}:{self._port()}/{self.name}"

    def _port(self) -> int:
        return int(psycopg.conninfo.conninfo_to_dict(self.conninfo())["port"] or 0)

    def target(self, user: str = "postgres", name: str = "acme-test") -> Target:
        """A local, non-production Target on this database."""
        return Target(
            conninfo=SecretStr(self.conninfo(user)),
            name=name,
            host=HOST,
            port=self._port(),
            dbname=self.name,
            user=user,
            source="--dsn",
            env="local",
            production=False,
            local=True,
        )

    def connect(self, user: str = "postgres", *, autocommit: bool = True) -> psycopg.Connection[tuple[Any, ...]]:
        """A psycopg connection; use it as a context manager."""
        return psycopg.connect(self.conninfo(user), autocommit=autocommit)

    def query(
        self, statement: Statement, params: Sequence[object] | None = None, *, user: str = "postgres"
    ) -> list[tuple[Any, ...]]:
        """All rows of one statement, on a connection of its own."""
        with self.connect(user) as conn:
            return conn.execute(_composed(statement), params).fetchall()

    def value(self, statement: Statement, params: Sequence[object] | None = None, *, user: str = "postgres") -> Any:
        """The first column of the first row."""
        return self.query(statement, params, user=user)[0][0]

    def execute(self, statement: Statement, params: Sequence[object] | None = None, *, user: str = "postgres") -> None:
        """One statement, or several without parameters, on a connection of its own."""
        with self.connect(user) as conn:
            conn.execute(_composed(statement), params)

    def psql(
        self,
        source: str | Path,
        *,
        user: str = "postgres",
        single_transaction: bool = False,
        check: bool = True,
        options: Sequence[str] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run SQL text (from standard input) or a file with the real psql: -X, ON_ERROR_STOP, unaligned, tuples only.

        With `check`, an AssertionError carries psql's words when it fails.
        """
        done = subprocess.run(
            [
                *(str(self.server.client_dir / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.conninfo(user)),
                *(["-1"] if single_transaction else []),
                *options,
                *("-f", "-" if isinstance(source, str) else str(source)),
            ],
            env=client_environment(),
            input=source if isinstance(source, str) else None,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, f"psql ended with {done.returncode}:\n{done.stderr}"
        return done

    def dump(self, *, rooms: bool = True) -> str:
        """The whole schema, as the superuser sees it; `rooms`: with the registry's tables that come when needed."""
        without = () if rooms else tuple(f"--exclude-table={table}" for table in ROOMS)
        program = str(self.server.client_dir / "pg_dump")
        done = subprocess.run(
            [program, "--schema-only", "--restrict-key=x", *without, "-d", self.admin_conninfo()],
            env=client_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def dump_with_every_room(self) -> str:
        """The whole schema once the registry has the tables too that were not needed: any two rollouts compare."""
        for room, tables in TABLES.items():
            if self.value("select to_regclass(%s) is null", (tables[0],)):
                self.execute(CREATE_ROOM[room])
        return self.dump()

    def digest(self, exclude: Collection[str] = (), *, schemas: Collection[str] = ()) -> dict[str, str]:
        """Every table's row count and a digest of its rows, and every sequence's position, by qualified name.

        `exclude` names columns ("updated_at") or columns of one table ("public.domains.id") to leave out, as two
        separate runs differ in generated ids and times. `schemas` limits it; default: all that are not the system's.
        """
        with self.connect(SUPERUSER) as conn:
            conn.execute("set search_path = ''; set timezone = 'UTC'; set extra_float_digits = 1")
            found: dict[str, str] = {}
            for schema, relation, kind, columns in conn.execute(_RELATIONS).fetchall():
                if schemas and schema not in schemas:
                    continue
                name = f"{schema}.{relation}"
                if kind == "S":
                    found[name] = str(
                        conn.execute(_from("select last_value, is_called from {}", schema, relation)).fetchone()
                    )
                    continue
                kept = [c for c in columns or () if c not in exclude and f"{name}.{c}" not in exclude]
                row = sql.SQL("row({})::text").format(sql.SQL(", ").join(sql.Identifier("t", c) for c in kept))
                counted = conn.execute(
                    _from(
                        "select count(*), md5(string_agg({0}, chr(10) order by {0})) from {1} as t",
                        schema,
                        relation,
                        row,
                    )
                )
                found[name] = "{} rows, {}".format(*(counted.fetchone() or ()))
            return found

    def snapshot(self, exclude: Collection[str] = ()) -> Snapshot:
        """Schema and rows together; compare two with assert_same."""
        return Snapshot(self.dump(), self.digest(exclude))

    def log_statements(self) -> None:
        """From the next connection on, the server logs every statement sent to this database; read it with `logged`."""
        self.execute(
            sql.SQL("alter database {} set log_statement = 'all'").format(sql.Identifier(self.name)), user=SUPERUSER
        )

    def logged(self, user: str = "postgres") -> list[str]:
        """The statements that the server's log holds for this database and user, in order, as they were sent."""
        statement = re.compile(r"LOG:  (?:statement|execute [^:]*): (.*)", re.DOTALL)
        entries = re.split(
            r"^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC \[)", self.server.log_text(), flags=re.MULTILINE
        )
        matches = (statement.search(entry) for entry in entries if f" {user}@{self.name} " in entry.split("LOG:", 1)[0])
        # Continuation lines are indented by one tab in the log.
        return [match.group(1).rstrip("\n").replace("\n\t", "\n") for match in matches if match]


def assert_same(before: Snapshot, after: Snapshot) -> None:
    """Fail with a diff unless both snapshots are equal."""
    assert before == after, f"the database differs:\n{before.difference(after)}"


def make_readonly_role(database: Database, name: str = "reader") -> str:
    """Make a login role that may read everything and write nothing; returns its name, for `user=`.

    It is created once for a server; like `postgres` it can connect to every database.
    """
    literal, identifier = sql.Literal(database.password), sql.Identifier(name)
    with database.connect(SUPERUSER) as conn:
        if conn.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone() is None:
            conn.execute(sql.SQL("create role {} login password {}").format(identifier, literal))
            conn.execute(sql.SQL("grant pg_read_all_data to {}").format(identifier))
    return name


def _composed(statement: Statement) -> Any:
    return statement.encode() if isinstance(statement, str) else statement


def _from(text: str, schema: str, relation: str, row: sql.Composable | None = None) -> sql.Composed:
    table = sql.Identifier(schema, relation)
    return sql.SQL(text).format(*([table] if row is None else [row, table]))


# Columns by name, not by position: a table whose column was dropped and added again holds the same.
_RELATIONS = """
select n.nspname, c.relname, c.relkind::text,
       (select array_agg(a.attname::text order by a.attname)
        from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'S')
  and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_toast%'
  and n.nspname not like 'pg\\_temp%'
order by 1, 2
"""
