"""Finds what is where in a types file, with tree-sitter: the type Database, its schemas, their sections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

OBJECTS = frozenset({"object_type", "interface_body"})
MEMBERS = frozenset({"property_signature", "index_signature", "method_signature", "call_signature"})
SECTIONS = ("Tables", "Functions")


class NotATypesFileError(Exception):
    """`what` is wrong, at `line` and `column`, both from 1."""

    def __init__(self, what: str, node: Node | None = None) -> None:
        super().__init__(what)
        self.what = what
        row, column = node.start_point if node is not None else (0, 0)
        self.line, self.column = row + 1, column + 1


@dataclass(frozen=True)
class Source:
    """A parsed file, UTF-8 without a byte order mark."""

    data: bytes
    root: Node

    def text(self, node: Node) -> str:
        """The node's text."""
        return self.data[node.start_byte : node.end_byte].decode()

    def members(self, body: Node) -> dict[str, Node]:
        """Name -> property of an object type, in the order of the file."""
        return {name: node for node in body.children if (name := self.name(node)) is not None}

    def name(self, member: Node) -> str | None:
        """The name of a property, without its quotes; None for anything else."""
        if member.type != "property_signature":
            return None
        key = member.child_by_field_name("name")
        if key is None:
            return None
        text = self.text(key)
        return text[1:-1].replace("\\" + text[0], text[0]) if key.type == "string" else text

    def value(self, member: Node) -> Node | None:
        """The type of a property, without the colon."""
        annotation = member.child_by_field_name("type")
        return annotation.children[-1] if annotation is not None and annotation.children else None

    def is_optional(self, member: Node) -> bool:
        """A question mark stands behind its name."""
        return any(child.type == "?" for child in member.children)

    @cached_property
    def database(self) -> Node:
        """The body of the type or interface Database. Raises NotATypesFileError."""
        for node in self.declarations():
            name = node.child_by_field_name("name")
            if name is None or self.text(name) != "Database":
                continue
            body = node.child_by_field_name("value") or node.child_by_field_name("body")
            if body is None or body.type not in OBJECTS:
                raise NotATypesFileError("Database is not written as an object type", body or node)
            return body
        raise NotATypesFileError("there is no type or interface Database")

    def declarations(self) -> Iterator[Node]:
        """The types and interfaces of the file."""
        for node in self.root.children:
            inner = node.child_by_field_name("declaration") if node.type == "export_statement" else node
            if inner is not None and inner.type == "ambient_declaration":
                inner = inner.named_children[-1] if inner.named_children else None
            if inner is not None and inner.type in {"type_alias_declaration", "interface_declaration"}:
                yield inner

    @property
    def schemas(self) -> dict[str, Node]:
        """Schema -> the body of its object type."""
        found = {}
        for name, member in self.members(self.database).items():
            value = self.value(member)
            if value is not None and value.type in OBJECTS and name != "__InternalSupabase":
                found[name] = value
        return found

    def section(self, schema: str, section: str) -> Node | None:
        """The body of a section of a schema, None if it is not there. Raises NotATypesFileError."""
        schemas = self.schemas
        if schema not in schemas:
            names = ", ".join(schemas) or "none"
            raise NotATypesFileError(f"Database has no schema {schema} (it has: {names})", self.database)
        member = self.members(schemas[schema]).get(section)
        if member is None:
            return None
        value = self.value(member)
        if value is None or value.type not in OBJECTS:
            raise NotATypesFileError(f"{section} of schema {schema} is not written as an object type", member)
        return value

    def tables(self, schema: str) -> Node:
        """The body of Tables. Raises NotATypesFileError if there is none."""
        found = self.section(schema, "Tables")
        if found is None:
            raise NotATypesFileError(f"schema {schema} has no Tables block", self.schemas[schema])
        return found

    def has_type(self, name: str) -> bool:
        """The file declares or imports a type of this name."""
        names = (node.child_by_field_name("name") for node in self.declarations())
        if any(node is not None and self.text(node) == name for node in names):
            return True
        imports = (node for node in self.root.children if node.type == "import_statement")
        return any(name in _words(self.text(node)) for node in imports)


def parse(data: bytes) -> Source:
    """Parses a file. Raises NotATypesFileError at the first place that is no TypeScript."""
    import tree_sitter
    import tree_sitter_typescript

    language = tree_sitter.Language(tree_sitter_typescript.language_typescript())
    root = tree_sitter.Parser(language).parse(data).root_node
    if root.has_error:
        raise NotATypesFileError("this is not TypeScript", _first_fault(root))
    return Source(data, root)


def _first_fault(node: Node) -> Node:
    for child in node.children:
        if child.is_error or child.is_missing:
            return child
        if child.has_error:
            return _first_fault(child)
    return node


def _words(text: str) -> list[str]:
    return "".join(sign if sign.isalnum() or sign in "_$" else " " for sign in text).split()
