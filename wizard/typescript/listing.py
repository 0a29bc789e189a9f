"""Compares a listing of types that a guide prints with what the database has. Reads no database and no file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wizard.typescript.collation import order
from wizard.typescript.edit import relationship_of, same_property
from wizard.typescript.entries import BLOCKS, Property, Relationship, Target, Wanted
from wizard.typescript.syntax import OBJECTS, Source, parse

if TYPE_CHECKING:
    from tree_sitter import Node


def listing_differences(listing: bytes, wanted: Wanted, target: Target) -> tuple[str, ...]:
    """Where the listing is wrong about this database, a sentence each. What the database has not is not compared."""
    source = parse(listing)
    schemas = source.schemas
    name = next(iter(schemas))
    tables = source.section(name, "Tables")
    functions = source.section(name, "Functions")
    found: list[str] = []
    for table in (*wanted.tables, *wanted.existing):
        found += _table(source, tables, table, target)
    listed = source.members(functions) if functions is not None else {}
    found += [f"{name}() is not in it" for name in sorted(target.functions) if name not in listed]
    if tables is not None and _unsorted(source, tables):
        found.append("tables, columns or relationships are in another order than the generator's")
    return tuple(found)


def _table(source: Source, tables: Node | None, table: str, target: Target) -> Iterator[str]:
    entry = target.tables.get(table)
    columns = target.columns.get(table, {})
    if entry is None and not columns and not target.relationships.get(table):
        return
    body = _body(source, tables, table)
    if body is None:
        yield f"{table} is not in it"
        return
    names = [one.name for one in entry.blocks["Row"]] if entry is not None else list(columns)
    for column in names:
        yield from _column(source, body, table, column, _blocks(target, table, column))
    relationships = entry.relationships if entry is not None else target.relationships.get(table, ())
    yield from _relationships(source, body, table, relationships)


def _blocks(target: Target, table: str, column: str) -> dict[str, Property]:
    entry = target.tables.get(table)
    if entry is None:
        return dict(target.columns[table][column])
    return {block: one for block in BLOCKS for one in entry.blocks[block] if one.name == column}


def _column(source: Source, body: Node, table: str, column: str, blocks: dict[str, Property]) -> Iterator[str]:
    wrong = {}
    for block, one in blocks.items():
        there = _body(source, body, block)
        member = source.members(there).get(column) if there is not None else None
        if member is None:
            wrong[block] = "not there"
        elif not same_property(source, member, one):
            value = source.value(member)
            optional = "?" if source.is_optional(member) else ""
            wrong[block] = f"{column}{optional}: {source.text(value) if value is not None else ''}"
    if wrong:
        block = next(iter(wrong))
        is_ = f"{column}{'?' if blocks[block].optional else ''}: {blocks[block].type}"
        yield f"{table}, {', '.join(wrong)}: {is_}; the guide has {wrong[block]}"


def _relationships(source: Source, body: Node, table: str, wanted: tuple[Relationship, ...]) -> Iterator[str]:
    member = source.members(body).get("Relationships")
    value = source.value(member) if member is not None else None
    nodes = value.named_children if value is not None and value.type == "tuple_type" else []
    listed = [one for node in nodes if (one := relationship_of(source, node)) is not None]
    keys = {one.key for one in listed}
    for one in wanted:
        if one in listed:
            continue
        if one.key not in keys:
            yield f"{table}, Relationships: {one.key} to {one.relation} is not in it"
        elif all(other.relation != one.relation for other in listed if other.key == one.key):
            yield f"{table}, Relationships: {one.key} also leads to the view {one.relation}"
        else:
            yield f"{table}, Relationships: {one.key} differs"


def _unsorted(source: Source, tables: Node) -> bool:
    bodies = [tables]
    for table in source.members(tables):
        body = _body(source, tables, table)
        bodies += [found for block in BLOCKS if body is not None and (found := _body(source, body, block)) is not None]
    return any(list(names) != sorted(names, key=order) for names in map(source.members, bodies))


def _body(source: Source, parent: Node | None, name: str) -> Node | None:
    member = source.members(parent).get(name) if parent is not None else None
    value = source.value(member) if member is not None else None
    return value if value is not None and value.type in OBJECTS else None
