"""What the application has and does: its rows to compare, its audit trail, and its own writes beside the engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, LiteralString

from psycopg import sql

from tests.support.database import Database
from tests.support.polling import Loop
from wizard.demo.server import SUPERUSER
from wizard.engine.events import Event, PartCommitted

Counts = Counter[tuple[str, str]]
"""Rows by table and command, as in ("clones", "UPDATE")."""


class Rows:
    """Every row of the application, in the columns that were there at the start. `expected` is what they should be."""

    def __init__(self, database: Database, *, aside: str = "") -> None:
        """`aside`: a column that is left out."""
        self._database = database
        self._columns = {
            table: sql.SQL(", ").join(sql.Identifier("t", column) for column in columns if column != aside)
            for table, columns in database.query(_COLUMNS)
        }
        self.expected = self.now()

    def now(self) -> dict[tuple[str, str], str]:
        """Table and id to the row's text."""
        with self._database.connect() as conn:
            return {
                (table, key): row
                for table in self._columns
                for key, row in conn.execute(
                    sql.SQL("select id::text, {} from {} as t").format(
                        self.text(table), sql.Identifier("public", table)
                    )
                )
            }

    def text(self, table: str) -> sql.Composed:
        """A row of `table`, called t, as one text."""
        return sql.SQL("row({})::text").format(self._columns[table])

    def assert_kept(self, moment: str) -> None:
        """Fail with the rows that are not as expected, that are missing or that nobody made."""
        now = self.now()
        different = [key for key in {*self.expected, *now} if self.expected.get(key) != now.get(key)]
        shown = "\n".join(f"{key}\n- {self.expected.get(key)}\n+ {now.get(key)}" for key in sorted(different)[:5])
        assert not different, f"{len(different)} rows differ {moment}:\n{shown}"


class Audit:
    """A trigger of the application that notes every row written to clones and knowledge, in a table of its own.

    Pass `hear` to Operator.listen: `parts` then says what was noted while each part was sent.
    """

    def __init__(self, database: Database, firing: str = "") -> None:
        """`firing`: `always` or `replica`, as in ENABLE ALWAYS TRIGGER."""
        self._database = database
        self.parts: list[tuple[str, Counts]] = []
        """In order, the parts during which something was noted, as in "deploy 6.2"."""
        database.execute(_AUDIT)
        for table in ("clones", "knowledge") if firing else ():
            database.execute(f"alter table {table} enable {firing} trigger audited")
        self._heard = self.noted()

    def noted(self) -> Counts:
        """Everything it noted since the start."""
        rows = self._database.query("select on_table, command, count(*) from audit group by 1, 2")
        return Counter({(table, command): number for table, command, number in rows})

    def changed(self) -> set[str]:
        """The columns that any noted update changed."""
        return {column for (column,) in self._database.query("select distinct unnest(changed) from audit")}

    def hear(self, event: Event) -> None:
        """Adds what was noted since the part before."""
        if isinstance(event, PartCommitted):
            noted = self.noted()
            if noted != self._heard:
                self.parts.append((f"{event.direction} {event.step}", noted - self._heard))
            self._heard = noted


class Application:
    """The application at work: inserts and updates clones and knowledge, one statement after the other.

    Tells `rows` of every row that it wrote, as the database gave it back. `hear` holds the engine after each committed
    part until the application wrote once more: it met every state of the database. In between it never stops.
    """

    def __init__(self, database: Database, rows: Rows) -> None:
        self.wrote: Counts = Counter()
        self._rows = rows
        self._connection = database.connect()
        self._clones = [key for (key,) in database.query("select id::text from clones order by id")]
        self._pieces = [key for (key,) in database.query("select id::text from knowledge order by id")]
        self._numbers = count()
        self._loop = Loop("application", self._work)

    def __enter__(self) -> Application:
        self._loop.__enter__()
        return self

    def __exit__(self, *about: Any) -> None:
        with self._connection:
            self._loop.__exit__(*about)

    @property
    def turns(self) -> int:
        """How often it wrote its four rows."""
        return self._loop.turns

    def hear(self, event: Event) -> None:
        """Holds the engine until the application wrote again."""
        if isinstance(event, PartCommitted):
            self._loop.full_turn()

    def _work(self) -> None:
        number = next(self._numbers)
        clone = self._clones[number * 7 % len(self._clones)]
        piece = self._pieces[number * 3 % len(self._pieces)]
        category = ("medical", "gaming", None)[number % 3]
        self._write("clones", "UPDATE", "update clones as t set bio = %s where id = %s", f"bio {number}", clone)
        self._write("knowledge", "UPDATE", "update knowledge as t set title = %s where id = %s", f"{number}", piece)
        made = self._write(
            "clones", "INSERT", "insert into clones as t (creator_id, name, category) values ('app', %s, %s)",
            f"clone {number}", category,
        )  # fmt: skip
        added = self._write(
            "knowledge", "INSERT", "insert into knowledge as t (clone_id, title, content_type) values (%s, %s, 'link')",
            made, f"piece {number}",
        )  # fmt: skip
        self._clones.append(made)
        self._pieces.append(added)

    def _write(self, table: str, command: str, statement: LiteralString, *values: object) -> str:
        """The id of the one row it wrote."""
        returning = sql.SQL(" returning t.id::text, {}").format(self._rows.text(table))
        ((key, row),) = self._connection.execute(sql.SQL(statement) + returning, values).fetchall()
        self._rows.expected[table, key] = row
        self.wrote[table, command] += 1
        return str(key)


@contextmanager
def triggers_not_to_be_held_back(database: Database) -> Iterator[None]:
    """Takes from `postgres` the right to set session_replication_role, for the whole server while the block runs."""
    parameter = "set on parameter session_replication_role"
    database.execute(f"revoke {parameter} from postgres", user=SUPERUSER)
    try:
        yield
    finally:
        database.execute(f"grant {parameter} to postgres", user=SUPERUSER)


_COLUMNS = """
select c.relname::text, array_agg(a.attname::text order by a.attname)
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'public'::regnamespace and c.relname in ('user_profiles', 'clones', 'knowledge')
group by 1
"""

_AUDIT = """
create table public.audit (
    id bigint generated always as identity primary key,
    on_table text not null,
    command text not null,
    changed text[]
);
create function public.audit_row() returns trigger language plpgsql as $$
begin
    insert into public.audit (on_table, command, changed)
    select tg_table_name, tg_op,
           case when tg_op = 'UPDATE' then array(select now.key from jsonb_each(to_jsonb(new)) as now
                                                 where now.value is distinct from to_jsonb(old) -> now.key) end;
    return null;
end
$$;
create trigger audited after insert or update or delete on public.clones
    for each row execute function public.audit_row();
create trigger audited after insert or update or delete on public.knowledge
    for each row execute function public.audit_row();
"""
