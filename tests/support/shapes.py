"""Writes a rollout's sql/shapes.json: runs its SQL on real servers, statement by statement, and notes what each adds.

`make shapes` writes the files of the built-in rollout and of those in tests/rollouts; a test compares them with what
PostgreSQL 15, 17 and 18 really make.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import postgast
import psycopg

from tests.support.cluster import Cluster
from tests.support.database import Database
from tests.support.rollout_sql import facts_of
from wizard.db.connect import Connection, connect
from wizard.db.prepared import ask
from wizard.engine.looking.live import Live, json_object, objects_of, objects_question
from wizard.rollout.load import load_rollout
from wizard.rollout.model import Rollout
from wizard.rollout.render import Group, Renderer
from wizard.rollout.shape import Item, ItemKind, Shape, write_shapes
from wizard.rollout.statements import Statement

ROLLOUTS = Path(__file__).parent.parent / "rollouts"
TINY = ROLLOUTS / "tiny"
THINGS = ROLLOUTS / "things"
Variant = tuple[tuple[str, ...], Mapping[str, str]]
"""Variants of the starting database, and answers to decisions: together they reach every way a step is rendered."""
PHASE_1: tuple[Variant, ...] = (
    ((), {}),
    (("no_shared_function",), {}),
    (("creator_id_uuid", "category_enum"), {}),
    (("creator_id_varchar",), {}),
    (("other_shared_function",), {"shared_function": "replace"}),
)
OTHERS: tuple[Variant, ...] = (((), {}), ((), {"samples": "with"}))
ONLINE: tuple[Variant, ...] = ((("things",), {}),)
Entries = dict[tuple[str, int, str], tuple[Shape, ...]]


def author(cluster: Cluster, rollout: Rollout, variants: Iterable[Variant]) -> Entries:
    """(file, line, statement) -> the shapes it was seen to add."""
    entries: Entries = {}
    for names, answers in variants:
        database = cluster.make_database(*names)
        try:
            for key, shape in _run(database, rollout, answers):
                known = entries.get(key, ())
                entries[key] = known if shape in known else (*known, shape)
        finally:
            cluster.drop(database)
    return dict(sorted(entries.items(), key=lambda entry: (_place(rollout, entry[0][0]), entry[0])))


def _place(rollout: Rollout, file: str) -> int:
    files = [fragment.sql for step in rollout.steps for fragment in step.deploy]
    return files.index(file)


def _run(
    database: Database, rollout: Rollout, answers: Mapping[str, str]
) -> Iterator[tuple[tuple[str, int, str], Shape]]:
    facts = facts_of(database, rollout, {d.name: answers[d.name] for d in rollout.decisions if d.name in answers})
    with connect(database.target(), schema="public", read_only=False, lock_timeout_ms=1000) as connection:
        for step in Renderer(rollout, facts).steps:
            for group in (group for part in step.parts for group in part.deploy):
                for statement in group.statements:
                    shape = _added(connection, statement, group)
                    if shape is not None:
                        yield (statement.file, statement.line, statement.sql), shape


def _added(connection: Connection, statement: Statement, group: Group) -> Shape | None:
    """What the statement adds; None if it does something else, which is nothing that an item could say."""
    before = _everything(connection)
    rows = _rows(connection, statement) if statement.kind == "insert_stmt" else None
    connection.execute(statement.sql.encode())
    after = _everything(connection)
    changed = [item for key, item in before.items() if after.get(key) != item]
    if changed and not (group.replaces and {item.kind for item in changed} == {ItemKind.FUNCTION}):
        return None
    added = tuple(item for key, item in after.items() if before.get(key) != item)
    if statement.kind == "insert_stmt":
        seen = {} if rows is None else rows
        new = _rows(connection, statement)
        return None if new is None else tuple(item for key, item in new.items() if key not in seen)
    if statement.changes_data or statement.kind == "do_stmt":
        return None
    if statement.kind != "grant_stmt":
        # What default privileges give a new table depends on the database, not on the statement.
        added = tuple(item for item in added if item.kind is not ItemKind.GRANT)
    return tuple(sorted(added, key=_order))


def _order(item: Item) -> tuple[int, str, str]:
    """Tables before columns before constraints: the order in which they could be made one by one."""
    return (list(ItemKind).index(item.kind), item.table, "" if item.kind is ItemKind.COLUMN else item.name)


def _everything(connection: Connection) -> Live:
    names: Any = connection.execute(
        "SELECT ARRAY(SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        "             AND relkind IN ('r', 'p')) AS tables,"
        "       ARRAY(SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace) AS functions"
    ).fetchone()
    tables, functions = set(names["tables"]), set(names["functions"])
    question = objects_question("public", tables=tables, indexes=set(), functions=functions)
    return objects_of(ask(connection, question))


def _rows(connection: Connection, statement: Statement) -> Live | None:
    """The rows of a table that INSERT ... VALUES writes to, by their key; None if they depend on other data."""
    insert = postgast.parse(statement.sql).stmts[0].stmt.insert_stmt
    columns = [column.res_target.name for column in insert.cols]
    conflict = [element.index_elem.name for element in insert.on_conflict_clause.infer.index_elems]
    if not columns or not insert.select_stmt.select_stmt.values_lists:
        return None
    select = psycopg.sql.SQL("SELECT {key}::text AS name, {row}::text AS definition FROM {table} AS r").format(
        key=json_object("r", conflict or columns),
        row=json_object("r", columns),
        table=psycopg.sql.Identifier(insert.relation.relname),
    )
    items = [
        Item(kind=ItemKind.ROW, table=insert.relation.relname, name=row["name"], definition=row["definition"])
        for row in connection.execute(select)
    ]
    return {item.key: item for item in items}


def main() -> None:
    """Writes all files, with the newest server."""
    cluster = Cluster.start("18")
    try:
        for folder, variants in ((None, PHASE_1), (TINY, OTHERS), (THINGS, ONLINE)):
            rollout = load_rollout(folder) if folder else load_rollout()
            write_shapes(rollout.folder, author(cluster, rollout, variants))
    finally:
        cluster.close()


if __name__ == "__main__":
    sys.exit(main())
