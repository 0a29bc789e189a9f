"""Reads the database's catalog and makes the entries of a types file from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wizard.db.connect import Connection
from wizard.db.queries import query
from wizard.typescript.collation import order
from wizard.typescript.entries import BLOCKS, Property, Relationship, TableEntry, Target, Wanted
from wizard.typescript.functions import made_of_rows, scalar, signatures
from wizard.typescript.origins import resolved, showing, shown_columns
from wizard.typescript.rules import NamedType, Types, nullable, properties

Rows = list[dict[str, Any]]


def read_target(connection: Connection, schema: str, wanted: Wanted, schemas: Sequence[str]) -> Target:
    """What the wanted entries have to be on this database. `schemas` are those that the types file has."""
    tables = [*wanted.tables, *wanted.existing]
    key = {"schema": schema, "tables": tables}
    columns: Rows = connection.execute(query("types_columns"), key).fetchall()
    functions: Rows = connection.execute(
        query("types_functions"), {**key, "functions": list(wanted.functions)}
    ).fetchall()
    types = _types(connection, columns, functions, schemas)
    by_table: dict[str, list[dict[str, Property]]] = {}
    for column in sorted(columns, key=lambda column: order(column["name"])):
        by_table.setdefault(column["table"], []).append(properties(column, types.of))
    relationships = _relationships(connection, key, schemas)
    called = [row for row in functions if row["name"] in wanted.functions]
    beyond = {row["name"] for row in called if made_of_rows(row)}
    computed = [row for row in functions if row["row_of"] in wanted.tables and not row["returns_row"]]
    return Target(
        tables={
            table: TableEntry(_blocks(by_table[table], table, computed, types), tuple(relationships.get(table, ())))
            for table in wanted.tables
            if table in by_table
        },
        columns={
            table: {one["Row"].name: one for one in by_table.get(table, ()) if one["Row"].name in names}
            for table, names in wanted.columns.items()
        },
        relationships={
            table: tuple(one for one in relationships.get(table, ()) if one.key in names)
            for table, names in wanted.keys.items()
        },
        functions=signatures(schema, [row for row in called if row["name"] not in beyond], types),
        left_out=tuple(f"{name} takes or returns rows of a table" for name in sorted(beyond)),
    )


def _blocks(
    columns: Sequence[Mapping[str, Property]], table: str, computed: Iterable[Mapping[str, Any]], types: Types
) -> dict[str, tuple[Property, ...]]:
    blocks = {block: tuple(column[block] for column in columns) for block in BLOCKS}
    fields = sorted((row for row in computed if row["row_of"] == table), key=lambda row: order(row["name"]))
    more = (Property(row["name"], nullable(scalar(row, types), null=True)) for row in fields)
    return {**blocks, "Row": (*blocks["Row"], *more)}


def _types(connection: Connection, columns: Rows, functions: Rows, schemas: Sequence[str]) -> Types:
    names = {column["format"] for column in columns}
    for function in functions:
        names |= {function["returns"], *(argument["type"] for argument in function["arguments"])}
    rows = connection.execute(query("types_named"), {"names": [name.lstrip("_") for name in names] + list(names)})
    named = [NamedType(row["schema"], row["name"], row["section"], tuple(row["labels"])) for row in rows]
    return Types(named, schemas)


def _relationships(
    connection: Connection, key: Mapping[str, Any], schemas: Sequence[str]
) -> dict[str, list[Relationship]]:
    """Table -> its relationships in order: to tables, and to views of the same schema that show what is referred to."""
    keys: Rows = connection.execute(query("types_relationships"), key).fetchall()
    relations = sorted({row["relation_oid"] for row in keys})
    views: Rows = (
        connection.execute(query("types_views"), {"relations": relations, "schemas": list(schemas)}).fetchall()
        if relations
        else []
    )
    shown = resolved({view["oid"]: shown_columns(view["tree"]) for view in views})
    found: dict[str, list[Relationship]] = {}
    for row in keys:
        columns, numbers = tuple(row["columns"]), tuple(row["referenced_numbers"])
        mine = found.setdefault(row["table"], [])
        mine.append(Relationship(row["key"], columns, row["one_to_one"], row["relation"], tuple(row["referenced"])))
        for view in views:
            if view["schema"] != key["schema"]:
                continue
            for way in showing(shown[view["oid"]], row["relation_oid"], numbers):
                referenced = tuple(view["columns"][number - 1] for number in way)
                mine.append(Relationship(row["key"], columns, row["one_to_one"], view["name"], referenced))
    for each in found.values():
        each.sort(key=lambda one: one.place)
    return found
