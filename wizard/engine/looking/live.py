"""Reads what the target schema holds now, as items that can be compared with those of a rollout. It judges nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from psycopg import errors, sql

from wizard.db.connect import Connection
from wizard.db.prepared import Question, ask
from wizard.db.reading import read_rows
from wizard.rollout.shape import Item, ItemKind

Live = dict[tuple[ItemKind, str, str], Item]
"""Key of an item -> the item as it is."""

_SHAPE = {"schema": "text", "tables": "text[]", "indexes": "text[]", "functions": "text[]"}
"""Parameters of shape.sql, of which planning takes most of the time: it is read after every step."""


def read_items(connection: Connection, schema: str, expected: Iterable[Item], *, also: Iterable[str] = ()) -> Live:
    """All items of the tables and functions that `expected` names, and the rows it expects, as they are now.

    `also`: further tables.
    """
    wanted = tuple(expected)
    if not wanted and not also:
        return {}
    found = objects_of(ask(connection, question_about(schema, wanted, also=also)))
    rows = [item for item in wanted if item.kind is ItemKind.ROW and (ItemKind.TABLE, item.table, "") in found]
    return {item.key: item for item in (*found.values(), *_rows(connection, rows))}


def function_name(signature: str) -> str:
    """`map(text)` -> `map`, as the catalog has it."""
    name = signature.rpartition("(")[0]
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def question_about(schema: str, wanted: Iterable[Item], *, also: Iterable[str] = ()) -> Question:
    """Asks for all items of the tables and functions of `wanted`, and of further tables."""
    items = tuple(wanted)
    return objects_question(
        schema,
        tables={*also, *(item.table for item in items if item.table)},
        indexes={item.name for item in items if item.kind is ItemKind.INDEX},
        functions={function_name(item.name) for item in items if item.kind is ItemKind.FUNCTION},
    )


def objects_question(schema: str, *, tables: set[str], indexes: set[str], functions: set[str]) -> Question:
    """Asks for the items of these tables and functions, and what else has the name of one of these indexes."""
    names = {"tables": sorted(tables), "indexes": sorted(indexes), "functions": sorted(functions)}
    return Question("shape", _SHAPE, {"schema": schema, **names})


def objects_of(rows: Iterable[dict[str, Any]]) -> Live:
    """The items that the answer to such a question holds."""
    items = (
        Item(kind=_KINDS[row["kind"]], table=row["table"], name=row["name"], definition=row["definition"])
        for row in rows
    )
    return {item.key: item for item in items}


_KINDS = {kind.value: kind for kind in ItemKind}


def _rows(connection: Connection, expected: list[Item]) -> Iterator[Item]:
    """The expected rows that are there, with the columns that are expected of them."""
    for _, same in groupby(expected, key=lambda item: (item.table, tuple(json.loads(item.definition)))):
        items = list(same)
        try:
            yield from _rows_of(connection, items)
        except (errors.UndefinedColumn, errors.UndefinedTable):
            continue  # The table is another one: that is told by its columns.
        except errors.InsufficientPrivilege:
            continue  # A role that only looks. One that runs has to own the table, and so sees its rows.


def _rows_of(connection: Connection, items: list[Item]) -> Iterator[Item]:
    table, columns, key = items[0].table, list(json.loads(items[0].definition)), list(json.loads(items[0].name))
    select = sql.SQL(
        "SELECT {name}::text AS name, {definition}::text AS definition FROM {table} AS r WHERE {name} = ANY ({keys})"
    ).format(
        name=json_object("r", key),
        definition=json_object("r", columns),
        table=sql.Identifier(table),
        keys=sql.SQL("ARRAY[{}]::jsonb[]").format(sql.SQL(", ").join(sql.Literal(item.name) for item in items)),
    )
    for row in read_rows(connection, select.as_string()):
        yield Item(kind=ItemKind.ROW, table=table, name=row["name"], definition=row["definition"])


def json_object(alias: str, columns: Iterable[str]) -> sql.Composed:
    """jsonb_build_object of these columns of a row."""
    pairs = (sql.SQL("{}, {}").format(sql.Literal(column), sql.Identifier(alias, column)) for column in columns)
    return sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(pairs))
