"""Takes the entries of a rollout out of a file that was edited since they were put in: by syntax, entry by entry.

What the file had before of an entry is put back as it was; what it had not goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from wizard.typescript.edit import MARK, Changes, relationship_of
from wizard.typescript.entries import BLOCKS, Wanted
from wizard.typescript.splice import Editor, spliced
from wizard.typescript.style import style_of
from wizard.typescript.syntax import OBJECTS, Source, parse

if TYPE_CHECKING:
    from tree_sitter import Node


def take_back(data: bytes, before: bytes, schema: str, wanted: Wanted) -> tuple[bytes, Changes]:
    """The file's text without the wanted entries, or with those that `before` had. Raises NotATypesFileError."""
    if data.startswith(MARK):
        result, changes = take_back(data.removeprefix(MARK), before, schema, wanted)
        return MARK + result, changes
    now, then = parse(data), parse(before.removeprefix(MARK))
    work = _TakeBack(now, then, Editor(now, style_of(now)))
    tables, old_tables = now.tables(schema), then.tables(schema)
    work.members(tables, old_tables, wanted.tables, "")
    for table in wanted.existing:
        body, old = _body(now, tables, table), _body(then, old_tables, table)
        for block in BLOCKS:
            columns = wanted.columns.get(table, ())
            work.members(_body(now, body, block), _body(then, old, block), columns, f"{table}.")
        work.relationships(body, old, wanted.keys.get(table, ()), table)
    work.members(now.section(schema, "Functions"), then.section(schema, "Functions"), wanted.functions, "")
    result = spliced(data, work.editor.splices)
    if result != data:
        parse(result)
    return result, work.changes


class _TakeBack:
    """One pass over the file as it is now, beside the file as it was before."""

    def __init__(self, now: Source, then: Source, editor: Editor) -> None:
        self.now = now
        self.then = then
        self.editor = editor
        self.changes = Changes()

    def members(self, body: Node | None, old: Node | None, names: Iterable[str], prefix: str) -> None:
        """Properties of one object: the old text in their place, or nothing."""
        if body is None:
            return
        there = self.now.members(body)
        had = self.then.members(old) if old is not None else {}
        gone = []
        for name in names:
            if name in there and name in had:
                text = self.then.text(had[name])
                if text != self.now.text(there[name]):
                    self.editor.replace(there[name], [text])
                    self.changes.replaced.append(prefix + name)
            elif name in there:
                gone.append(name)
        self.changes.removed += [name for name in (prefix + one for one in gone) if name not in self.changes.removed]
        self.editor.change_members(body, {}, gone)

    def relationships(self, body: Node | None, old: Node | None, keys: Iterable[str], table: str) -> None:
        """Elements of a list whose key was not in it before."""
        there, had = _elements(self.now, body), _elements(self.then, old)
        gone = [number for number, (_, key) in enumerate(there) if key in keys and key not in {k for _, k in had}]
        if gone:
            self.changes.removed += sorted({f"{table}: {there[number][1]}" for number in gone})
            parent = there[gone[0]][0].parent
            assert parent is not None
            self.editor.change_elements(parent, [], gone)


def _body(source: Source, parent: Node | None, name: str) -> Node | None:
    """The object type of a property."""
    member = source.members(parent).get(name) if parent is not None else None
    value = source.value(member) if member is not None else None
    return value if value is not None and value.type in OBJECTS else None


def _elements(source: Source, body: Node | None) -> list[tuple[Node, str]]:
    """The elements of a table's list of relationships, each with its key; empty where it is written differently."""
    member = source.members(body).get("Relationships") if body is not None else None
    value = source.value(member) if member is not None else None
    if value is None or value.type != "tuple_type":
        return []
    nodes = (node for node in value.named_children if node.type != "comment")
    return [(node, one.key if (one := relationship_of(source, node)) else "") for node in nodes]
