"""Compares a types file with what its wanted entries have to be, and brings it up to date. Reads and writes no file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wizard.typescript.entries import BLOCKS, Property, Relationship, TableEntry, Target, Wanted
from wizard.typescript.printer import Lines, Printer
from wizard.typescript.rules import JSON
from wizard.typescript.splice import Editor, spliced
from wizard.typescript.style import style_of
from wizard.typescript.syntax import OBJECTS, NotATypesFileError, Source, parse

if TYPE_CHECKING:
    from tree_sitter import Node

MARK = b"\xef\xbb\xbf"
"""What some editors begin a UTF-8 file with."""
TABLE_DEPTH = 3
"""Levels above a table's name: Database, schema, Tables."""


@dataclass
class Changes:
    """What an edit does, in words for people: `orders.paid`, `tickets`."""

    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    """Was there already, and differs from what the database has."""
    removed: list[str] = field(default_factory=list)
    """Is in the file and not in the database."""
    notes: list[str] = field(default_factory=list)


def edit(data: bytes, schema: str, wanted: Wanted, target: Target) -> tuple[bytes, Changes]:
    """The file's text with the wanted entries as `target` has them. Raises NotATypesFileError."""
    if data.startswith(MARK):
        result, changes = edit(data.removeprefix(MARK), schema, wanted, target)
        return MARK + result, changes
    source = parse(data)
    changes = Changes(notes=[*target.left_out])
    work = _Edit(source, schema, wanted, target, changes)
    work.tables()
    for table in wanted.existing:
        work.existing(table)
    work.functions()
    result = spliced(data, work.editor.splices)
    if result != data:
        _require_json(source, target)
        parse(result)
    return result, changes


class _Edit:
    """One pass over one file."""

    def __init__(self, source: Source, schema: str, wanted: Wanted, target: Target, changes: Changes) -> None:
        self.source = source
        self.schema = schema
        self.wanted = wanted
        self.target = target
        self.changes = changes
        style = style_of(source)
        self.printer = Printer(style)
        self.editor = Editor(source, style)
        self.body = source.tables(schema)

    def tables(self) -> None:
        """Whole entries."""
        there = self.source.members(self.body)
        added: dict[str, Lines] = {}
        removed = []
        for name in self.wanted.tables:
            entry = self.target.tables.get(name)
            if entry is None:
                removed += [name] * (name in there)
                continue
            lines = self.printer.table(name, entry, TABLE_DEPTH)
            if name not in there:
                added[name] = lines
            elif not same_table(self.source, there[name], entry):
                self.editor.replace(there[name], lines)
                self.changes.replaced.append(name)
        self.changes.added += added
        self.changes.removed += removed
        self.editor.change_members(self.body, added, removed)

    def existing(self, table: str) -> None:
        """Added columns and foreign keys in the entry of a table that was there before."""
        member = self.source.members(self.body).get(table)
        body = self.source.value(member) if member is not None else None
        if body is None or body.type not in OBJECTS:
            what = "has no entry" if member is None else "is not written as an object type"
            self.changes.notes.append(f"{table} {what} in the file, so its new columns are not added")
            return
        blocks = self.source.members(body)
        touched: dict[str, list[str]] = {"added": [], "replaced": [], "removed": []}
        for block in BLOCKS:
            value = self.source.value(blocks[block]) if block in blocks else None
            if value is not None and value.type in OBJECTS:
                self._columns(table, block, value, touched)
            else:
                self.changes.notes.append(f"{table} has no {block} in the file that columns could be added to")
        for kind, names in touched.items():
            getattr(self.changes, kind).extend(f"{table}.{name}" for name in dict.fromkeys(names))
        if self.wanted.keys.get(table):
            self._relationships(table, blocks.get("Relationships"))

    def _columns(self, table: str, block: str, value: Node, touched: dict[str, list[str]]) -> None:
        there = self.source.members(value)
        added: dict[str, Lines] = {}
        removed = []
        for column in self.wanted.columns.get(table, ()):
            one = self.target.columns.get(table, {}).get(column, {}).get(block)
            if one is None:
                removed += [column] * (column in there)
                continue
            lines = self.printer.property(one, TABLE_DEPTH + 2)
            if column not in there:
                added[column] = lines
            elif not same_property(self.source, there[column], one):
                self.editor.replace(there[column], lines)
                touched["replaced"].append(column)
        touched["added"] += added
        touched["removed"] += removed
        self.editor.change_members(value, added, removed)

    def _relationships(self, table: str, member: Node | None) -> None:
        value = self.source.value(member) if member is not None else None
        if value is None or value.type != "tuple_type":
            self.changes.notes.append(f"{table} has no list of Relationships in the file, so none is added to it")
            return
        elements = [node for node in value.named_children if node.type != "comment"]
        there = [relationship_of(self.source, node) for node in elements]
        wanted = self.target.relationships.get(table, ())
        ours = self.wanted.keys[table]
        removed = [n for n, one in enumerate(there) if one is not None and one.key in ours and one not in wanted]
        missing = [one for one in wanted if one not in there]
        again = {there[number].key for number in removed if there[number] is not None}  # type: ignore[union-attr]
        self.changes.replaced += [f"{table}: {one.key}" for one in missing if one.key in again]
        self.changes.added += dict.fromkeys(f"{table}: {one.key}" for one in missing if one.key not in again)
        known = {one.key for one in missing}
        self.changes.removed += [f"{table}: {key}" for key in sorted(again - known)]
        added = [(_position(there, one), self.printer.relationship(one, TABLE_DEPTH + 2)) for one in missing]
        self.editor.change_elements(value, added, removed)

    def functions(self) -> None:
        """Entries of functions; a schema without that section gets it."""
        if not self.wanted.functions:
            return
        body = self.source.section(self.schema, "Functions")
        there = self.source.members(body) if body is not None else {}
        added: dict[str, Lines] = {}
        removed = []
        for name in self.wanted.functions:
            signatures = self.target.functions.get(name)
            if signatures is None:
                removed += [name] * (name in there)
                continue
            lines = self.printer.function(name, signatures, TABLE_DEPTH)
            if name not in there:
                added[name] = lines
            elif not _same_text(self.source.text(there[name]), " ".join(lines)):
                self.editor.replace(there[name], lines)
                self.changes.replaced.append(f"{name}()")
        self.changes.added += [f"{name}()" for name in added]
        self.changes.removed += [f"{name}()" for name in removed]
        if body is not None:
            self.editor.change_members(body, added, removed)
        elif added:
            lines = ["Functions: {", *self.printer.members(added.values()), "}"]
            self.editor.change_members(self.source.schemas[self.schema], {"Functions": lines}, ())


def _require_json(source: Source, target: Target) -> None:
    tables = [one for entry in target.tables.values() for block in entry.blocks.values() for one in block]
    columns = [one for names in target.columns.values() for blocks in names.values() for one in blocks.values()]
    if any(re.search(rf"\b{JSON}\b", one.type) for one in (*tables, *columns)) and not source.has_type(JSON):
        raise NotATypesFileError(f"the new entries need the type {JSON}, and the file neither declares nor imports it")


def _position(there: Sequence[Relationship | None], new: Relationship) -> int:
    """Before which element of the list it goes: by place where they are sorted, else to the end."""
    places = [one.place for one in there if one is not None]
    if len(places) != len(there) or places != sorted(places):
        return len(there)
    return sum(place < new.place for place in places)


# What is in the file, compared with what it has to be ---------------------------------------------------------------


def same_table(source: Source, member: Node, entry: TableEntry) -> bool:
    """The entry says the same, however it is written and ordered."""
    body = source.value(member)
    if body is None or body.type not in OBJECTS:
        return False
    blocks = source.members(body)
    if set(blocks) != {*BLOCKS, "Relationships"}:
        return False
    for block, properties in entry.blocks.items():
        value = source.value(blocks[block])
        there = source.members(value) if value is not None and value.type in OBJECTS else {}
        if set(there) != {one.name for one in properties}:
            return False
        if not all(same_property(source, there[one.name], one) for one in properties):
            return False
    value = source.value(blocks["Relationships"])
    if value is None or value.type != "tuple_type":
        return False
    found = [relationship_of(source, node) for node in value.named_children if node.type != "comment"]
    return len(found) == len(entry.relationships) and all(one in found for one in entry.relationships)


def same_property(source: Source, member: Node, one: Property) -> bool:
    """The property has this type and may, or may not, be left out."""
    value = source.value(member)
    return (
        value is not None
        and source.is_optional(member) == one.optional
        and alternatives(source.text(value)) == alternatives(one.type)
    )


def relationship_of(source: Source, node: Node) -> Relationship | None:
    """An element of a list of relationships; None if it is written in another way."""
    if node.type not in OBJECTS:
        return None
    members = source.members(node)
    texts = {name: source.text(value) for name, one in members.items() if (value := source.value(one)) is not None}
    try:
        return Relationship(
            _strings(texts["foreignKeyName"])[0],
            _strings(texts["columns"]),
            {"true": True, "false": False}[texts["isOneToOne"]],
            _strings(texts["referencedRelation"])[0],
            _strings(texts["referencedColumns"]),
        )
    except (KeyError, IndexError):
        names = _strings(texts.get("foreignKeyName", ""))
        return Relationship(names[0], (), False, "", ()) if names else None


def _strings(text: str) -> tuple[str, ...]:
    found = re.findall(r"""(["'])((?:\\.|(?!\1).)*)\1""", text)
    return tuple(re.sub(r"\\(.)", r"\1", string) for _, string in found)


def alternatives(type_: str) -> frozenset[str]:
    """The alternatives of a type, each without what only formatting puts there."""
    return frozenset(part for part in _plain(type_).split("|") if part)


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)).replace("'", '"')


def _same_text(one: str, other: str) -> bool:
    def plain(text: str) -> str:
        return re.sub(r"[;,]", "", _plain(text)).removesuffix(";").replace(":|{", ":{")

    return plain(one) == plain(other)
