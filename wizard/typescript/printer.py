"""Entries as lines of text in the style of a file; indentation begins at nothing, the caller puts it in front."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from wizard.typescript.entries import BLOCKS, Property, Relationship, Signature, TableEntry
from wizard.typescript.rules import quoted
from wizard.typescript.style import Style

WIDTH = 80
"""The generator's line width."""
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
NOTHING = "[_ in never]: never"
"""What the generator prints in an empty section."""

Lines = list[str]


class Printer:
    """Prints in one style. `depth` is how many levels the text will stand below the file's margin."""

    def __init__(self, style: Style) -> None:
        self.style = style

    def name(self, name: str) -> str:
        """A name as a property is written: in quotes only where it has to be."""
        return name if _IDENTIFIER.fullmatch(name) else self.string(quoted(name))

    def string(self, text: str) -> str:
        """TypeScript with strings in double quotes, in the file's quotes."""
        if self.style.quote == '"' or "'" in text or "\\" in text:
            return text
        return text.replace('"', self.style.quote)

    def property(self, one: Property, depth: int) -> Lines:
        """`name?: type`, a union broken where the line would be too long."""
        head = f"{self.name(one.name)}{'?' if one.optional else ''}:"
        line = f"{head} {self.string(one.type)}"
        parts = one.type.split(" | ")
        if len(parts) == 1 or self._width(line, depth) <= WIDTH:
            return [line]
        return [head, *(f"{self.style.indent}| {self.string(part)}" for part in parts)]

    def table(self, name: str, entry: TableEntry, depth: int) -> Lines:
        """A table's whole entry, without the separator behind it."""
        lines = []
        for block in BLOCKS:
            inner = self.members(self.property(one, depth + 2) for one in entry.blocks[block])
            lines.append([f"{block}: {{", *inner, "}"])
        lines.append(self.relationships(entry.relationships, depth + 1))
        return [f"{self.name(name)}: {{", *self.members(lines), "}"]

    def relationships(self, entries: Sequence[Relationship], depth: int) -> Lines:
        """The whole list."""
        if not entries:
            return ["Relationships: []"]
        inner: Lines = []
        for number, entry in enumerate(entries, start=1):
            last = self.style.trailing if number == len(entries) else ","
            inner += self.indented(_behind(self.relationship(entry, depth + 1), last))
        return ["Relationships: [", *inner, "]"]

    def relationship(self, entry: Relationship, depth: int) -> Lines:
        """One element of the list, without the comma behind it."""
        fields = [
            [f"foreignKeyName: {self.string(quoted(entry.key))}"],
            self._names("columns", entry.columns, depth + 1),
            [f"isOneToOne: {str(entry.one_to_one).lower()}"],
            [f"referencedRelation: {self.string(quoted(entry.relation))}"],
            self._names("referencedColumns", entry.referenced, depth + 1),
        ]
        return ["{", *self.members(fields), "}"]

    def _names(self, key: str, names: Iterable[str], depth: int) -> Lines:
        each = [self.string(quoted(name)) for name in names]
        line = f"{key}: [{', '.join(each)}]"
        if self._width(line, depth) <= WIDTH or len(each) < 2:
            return [line]
        ends = [",", *[","] * (len(each) - 2), self.style.trailing]
        return [f"{key}: [", *(f"{self.style.indent}{one}{end}" for one, end in zip(each, ends, strict=True)), "]"]

    def function(self, name: str, signatures: Sequence[Signature], depth: int) -> Lines:
        """A function's entry: one line where it fits, overloads one below the other."""
        head = f"{self.name(name)}:"
        if len(signatures) > 1:
            return [head, *(f"{self.style.indent}| {self._in_line(one)}" for one in signatures)]
        line = f"{head} {self._in_line(signatures[0])}"
        if self._width(line, depth) <= WIDTH:
            return [line]
        fields = [[f"Args: {self._arguments(signatures[0])}"], [f"Returns: {self.string(signatures[0].returns)}"]]
        return [f"{head} {{", *self.members(fields), "}"]

    def _in_line(self, one: Signature) -> str:
        return f"{{ Args: {self._arguments(one)}{self.style.inline} Returns: {self.string(one.returns)} }}"

    def _arguments(self, one: Signature) -> str:
        if not one.arguments:
            return "Record<PropertyKey, never>"
        each = (
            f"{self.name(a.name) if a.name else self.string(quoted(''))}{'?' if a.optional else ''}: "
            f"{self.string(a.type)}"
            for a in one.arguments
        )
        return "{ " + f"{self.style.inline} ".join(each) + " }"

    def members(self, members: Iterable[Lines]) -> Lines:
        """Members of an object one level deeper, each with the separator behind it."""
        return [line for member in members for line in self.indented(_behind(member, self.style.separator))]

    def indented(self, lines: Lines) -> Lines:
        """One level deeper."""
        return [f"{self.style.indent}{line}" for line in lines]

    def _width(self, line: str, depth: int) -> int:
        unit = len(self.style.indent.expandtabs(2)) if self.style.indent else 2
        return unit * depth + len(line) + len(self.style.separator)


def _behind(lines: Lines, sign: str) -> Lines:
    return [*lines[:-1], lines[-1] + sign]
