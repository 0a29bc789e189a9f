"""Brings an archive's rows into temporary tables with the live types, and sorts out those that cannot go back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from psycopg import sql

from wizard.db.connect import Connection
from wizard.db.copying import LazyFile, copy_out, fixed_settings
from wizard.db.queries import query
from wizard.engine.keeping import merging
from wizard.engine.keeping.manifest import ArchivedFile, OpenedArchive, cannot_write, damaged
from wizard.engine.keeping.merging import Column, ForeignKey, Merge, Refill, Value
from wizard.engine.keeping.restoring import Script
from wizard.engine.looking.situation import Situation
from wizard.errors import PrerequisiteError, RefusedError

NOTHING = "Nothing was restored: an archive is restored whole or not at all."


@dataclass
class Table:
    """One guard's rows of an archive and the live table that they belong to."""

    tag: str
    """What its temporary tables are called after: no other restore's, so that the log replays."""
    name: str
    what: str
    whole: bool
    files: tuple[ArchivedFile, ...]
    columns: tuple[Column, ...]
    """Of the live table."""
    key: tuple[str, ...]
    """As archived."""
    archived: tuple[str, ...]
    """Names of the archived columns."""
    keys_out: tuple[ForeignKey, ...]
    keys_in: tuple[ForeignKey, ...]
    uniques: tuple[tuple[str, ...], ...]
    sequences: tuple[tuple[str, str], ...] = ()
    """(column, sequence) of columns that are generated from one."""
    merge: Merge | None = None
    refill: Refill | None = None
    """Columns that belong to no foreign key."""
    keyed: Refill | None = None
    """Columns of foreign keys: with triggers on, since those are the checks."""
    seeds: int = 0
    names_here: dict[str, str] = field(default_factory=dict)
    """Archived column -> its name in the temporary table."""

    @property
    def refills(self) -> tuple[Refill, ...]:
        """Both, those without keys first."""
        return tuple(one for one in (self.refill, self.keyed) if one is not None)


class Orphans:
    """Rows whose parent is gone: counted and refused, or written to a folder beside the archive and left out."""

    def __init__(self, archive: Path, at: datetime, *, skip: bool) -> None:
        self.folder = archive.with_name(f"{archive.name}.orphans-{at:%Y%m%dT%H%M%S.%fZ}")
        self.skip = skip
        self.rows = 0
        self.words: list[str] = []

    def write(self, script: Script, table: Table, condition: sql.Composable) -> None:
        """Keeps their lines, on disk before anything is restored."""
        try:
            self.folder.mkdir(exist_ok=True, mode=0o700)
            number = 1 + sum(1 for _ in self.folder.iterdir())
            file = LazyFile(self.folder / f"{number:03}-{Path(table.files[0].file).name.partition('-')[2]}")
            self.rows += copy_out(script.connection, merging.lines_of(table.tag, condition), file).rows
        except OSError as error:
            raise cannot_write(error, self.folder, state=NOTHING) from None

    def refuse(self) -> None:
        """Raises RefusedError if there are any and they are not to be skipped."""
        if self.words and not self.skip:
            raise RefusedError(
                "archived rows belong to rows that are gone",
                why="\n".join([*self.words, NOTHING]),
                fix="Bring those back first (if another archive holds them, restore that one first), or restore the "
                "rest: --skip-orphans writes these rows to a file beside the archive.",
            )


def read_tables(connection: Connection, situation: Situation, archive: OpenedArchive) -> list[Table]:
    """The live tables, parents first. Raises PrerequisiteError or RefusedError if the rows do not fit them."""
    groups: dict[tuple[str, int], list[ArchivedFile]] = {}
    for file in archive.manifest.files:
        groups.setdefault(file.place, []).append(file)
    tables = []
    run = uuid4().hex[:8]
    for number, files in enumerate(groups.values(), start=1):
        table = _read_table(connection, situation.schema, f"{number}_{run}", sorted(files, key=lambda file: file.late))
        _require_fit(table)
        if table.whole:
            table.merge = _merge(connection, situation, table)
        else:
            table.refill, table.keyed = _refills(situation, table)
        tables.append(table)
    return _parents_first(tables)


def _read_table(connection: Connection, schema: str, tag: str, files: list[ArchivedFile]) -> Table:
    first = files[0]
    where = {"schema": schema, "table": first.table}
    columns = tuple(Column(**row) for row in connection.execute(query("archive_columns"), where))
    rows = connection.execute(query("restore_keys"), where).fetchall()
    keys = [
        (
            row["kind"],
            ForeignKey(
                row["name"], (row["child_schema"], row["child"]), tuple(row["columns"]),
                (row["parent_schema"], row["parent"]), tuple(row["parent_columns"]),
            ),
        )
        for row in rows
    ]  # fmt: skip
    archived = tuple(dict.fromkeys(column.name for file in files for column in file.columns))
    own = (schema, first.table)
    return Table(
        tag, first.table, first.what, first.whole_rows, tuple(files), columns, first.key, archived,
        tuple(key for _, key in keys if key.child == own and key.parent[1]),
        tuple(key for _, key in keys if key.parent == own),
        tuple(key.columns for kind, key in keys if kind == "unique"),
        tuple(_sequences(connection, schema, first.table, columns)),
    )  # fmt: skip


def _sequences(connection: Connection, schema: str, table: str, columns: Sequence[Column]) -> Iterator[tuple[str, str]]:
    name = sql.Identifier(schema, table).as_string()
    for column in columns:
        row = connection.execute("SELECT pg_get_serial_sequence(%s, %s) AS name", (name, column.name)).fetchone()
        if row is not None and row["name"]:
            yield column.name, row["name"]


def _require_fit(table: Table) -> None:
    """The live table takes every archived column, and needs none that was not archived."""
    live = {column.name: column for column in table.columns}
    if not live:
        raise PrerequisiteError(
            f"table {table.name} is not there",
            why="Nothing was changed.",
            fix=f"Run step {table.files[0].step} first, then restore again.",
        )
    missing = [name for name in table.archived if name not in live]
    if missing and not table.whole and set(table.key) <= set(live):
        raise PrerequisiteError(
            f"table {table.name} has no column {', '.join(missing)}",
            why="Nothing was changed.",
            fix=f"Run step {table.files[0].step} first, then restore again.",
        )
    if missing:
        types = {column.name: column.type for file in table.files for column in file.columns}
        raise RefusedError(
            f"table {table.name} has no column {', '.join(missing)} any more, and the archived rows have",
            why=NOTHING,
            fix="Add what is missing, then restore again: "
            + "; ".join(f"ALTER TABLE {table.name} ADD COLUMN {name} {types[name]}" for name in missing),
        )
    needed = [column.name for column in table.columns if column.needs_value and column.name not in table.archived]
    if table.whole and needed:
        raise RefusedError(
            f"table {table.name} has a new column {', '.join(needed)} that must not be empty, and the archive has no "
            "value for it",
            why=NOTHING,
            fix="Give the column a default, then restore again.",
        )


def _merge(connection: Connection, situation: Situation, table: Table) -> Merge:
    assert situation.active is not None
    standing = [
        part.part_id
        for step in dict.fromkeys(part.step for part in situation.active.parts)
        for part in situation.active.standing(step)
    ]
    guard = connection.execute(query("restore_guard"), {"parts": standing, "table": table.name}).fetchone()
    written = tuple(column for column in table.columns if column.name in table.archived and not column.generated)
    key = tuple(column.name for column in table.columns if column.is_key)
    return Merge(
        table.tag, situation.schema, table.name, tuple(column.name for column in written),
        frozenset(column.name for column in written if column.always_identity),
        key if set(key) <= set(table.archived) else (),
        tuple(unique for unique in table.uniques if set(unique) <= set(table.archived)),
        guard["sql"] if guard is not None else "", table.keys_in,
    )  # fmt: skip


def _refills(situation: Situation, table: Table) -> tuple[Refill | None, Refill | None]:
    """One for plain columns, one for those of foreign keys."""
    own = {
        name: condition
        for step in situation.rollout.steps
        for loss in step.loses
        if loss.table == table.name
        for name, condition in loss.columns.items()
    }
    keys_here = tuple(f"_rag_wizard_k{number}" for number, _ in enumerate(table.key, start=1))
    names = [name for name in table.archived if name not in table.key]
    here = {name: f"_rag_wizard_v{number}" for number, name in enumerate(names, start=1)}
    table.names_here = {**dict(zip(table.key, keys_here, strict=True)), **here}
    in_keys = {name for key in table.keys_out for name in key.columns}

    def refill(chosen: list[str]) -> Refill | None:
        values = tuple(
            Value(name, here[name], own.get(name) or sql.Identifier(name).as_string() + " IS NOT NULL")
            for name in chosen
        )
        made = Refill(table.tag, situation.schema, table.name, table.key, keys_here, values)
        return made if values else None

    plain, keyed = [n for n in names if n not in in_keys], [n for n in names if n in in_keys]
    return refill(plain), refill(keyed)


def _parents_first(tables: list[Table]) -> list[Table]:
    """Whole tables in the order of their foreign keys, then values of existing tables."""
    left = [table for table in tables if table.whole]
    ordered: list[Table] = []
    while left:
        waiting = {table.name for table in left}
        free = [t for t in left if not any(k.parent[1] in waiting - {t.name} for k in t.keys_out)] or left[:1]
        ordered += free
        left = [table for table in left if table not in free]
    return ordered + [table for table in tables if not table.whole]


def stage(script: Script, archive: OpenedArchive, tables: Sequence[Table], orphans: Orphans) -> None:
    """Loads and sorts out; only temporary tables are written. Raises RefusedError, psycopg.Error.

    What it sends belongs into the log, before the statements that read those tables.
    """
    script.unlogged(fixed_settings(local=False))
    for table in tables:
        _load(script, archive, table)
    whole = {table.name: table.tag for table in tables if table.whole}
    for table in tables:
        _sort_out(script, table, whole, orphans)
    orphans.refuse()


def _load(script: Script, archive: OpenedArchive, table: Table) -> None:
    tag = table.tag
    script.run(merging.make_raw(tag))
    late = False
    for file in table.files:
        if file.late and not late:
            script.run(merging.late_from_now(tag))
            late = True
        copied = script.load(f"archived_{tag}", archive.path(file))
        if (copied.rows, copied.sha256) != (file.rows, file.sha256):
            raise damaged(archive.path(file), "it changed while it was read")
    live = {column.name: column for column in table.columns}
    keyed = _keyed(table)
    # What is generated is never written back, but a row may be known by it.
    wanted = [
        (name, live[name].input, table.names_here.get(name, name))
        for name in table.archived
        if not live[name].generated or name in keyed
    ]
    script.run(merging.make_wanted(tag, wanted))
    if late and not table.key:
        script.run(merging.drop_archived(tag))
    elif late:
        uniques = table.uniques if table.whole else ()
        keys = dict.fromkeys([table.key, *(unique for unique in uniques if set(unique) <= set(table.archived))])
        for key in keys:
            script.run(merging.drop_superseded(tag, [table.names_here.get(name, name) for name in key]))
    script.unlogged(merging.analyze(tag))


def _keyed(table: Table) -> set[str]:
    """Columns by which rows are found, here or from another table."""
    keys = (table.key, *table.uniques, *(key.columns for key in table.keys_out))
    return {name for columns in keys for name in columns}


def _sort_out(script: Script, table: Table, whole: dict[str, str], orphans: Orphans) -> None:
    """Finds rows whose parent is gone; leaves them out if that is wanted."""
    if table.refills:
        live = sql.Identifier(table.refills[0].schema, table.name)
        here = tuple(table.names_here[name] for name in table.key)
        condition = merging.gone(live, table.key, here)
        if count := script.number(merging.count_wanted(table.tag, condition)):
            orphans.words.append(f"{count} rows of {table.name} that values belong to are gone")
            if orphans.skip:
                orphans.write(script, table, condition)
                script.run(merging.drop_wanted(table.tag, condition))
    found = True
    while found:  # a row may be the parent of another one in the same table
        found = False
        for key in table.keys_out:
            if not set(key.columns) <= set(table.archived):
                continue
            columns = tuple(table.names_here.get(name, name) for name in key.columns)
            local = ForeignKey(key.name, key.child, columns, key.parent, key.parent_columns)
            condition = merging.orphans(local, whole.get(key.parent[1]))
            count = script.number(merging.count_wanted(table.tag, condition))
            if not count:
                continue
            words = f"{count} rows of {table.name}: their row in {key.parent[1]} is gone ({key.name})"
            orphans.words.append(words)
            if not orphans.skip:
                continue
            found = table.whole
            orphans.write(script, table, condition)
            _leave_out(script, table, key, condition)


def _leave_out(script: Script, table: Table, key: ForeignKey, condition: sql.Composable) -> None:
    """A whole row, or of an existing row the one value."""
    if table.keyed is None:
        script.run(merging.drop_wanted(table.tag, condition))
        return
    for value in table.keyed.values:
        if value.name in key.columns:
            script.run(table.keyed.forget_value(value, condition))
