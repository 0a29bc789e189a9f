"""Edits of a file as pieces of text to put in and take out, and where a member of an object or list goes in and out.

Everything outside the pieces stays byte for byte: lines, comments, blank lines.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wizard.typescript.collation import order
from wizard.typescript.printer import NOTHING
from wizard.typescript.style import Style, indent_at
from wizard.typescript.syntax import MEMBERS, Source

if TYPE_CHECKING:
    from tree_sitter import Node

SEPARATORS = frozenset({";", ","})
Lines = list[str]


@dataclass(frozen=True)
class Splice:
    """`text` in place of what stands between two byte positions."""

    start: int
    end: int
    text: str


def spliced(data: bytes, splices: Iterable[Splice]) -> bytes:
    """The text with all of them done; of several at one place the first comes first."""
    pieces, at = [], 0
    for splice in sorted(splices, key=lambda splice: (splice.start, splice.end)):
        pieces += [data[at : splice.start], splice.text.encode()]
        at = max(at, splice.end)
    return b"".join([*pieces, data[at:]])


class Editor:
    """Collects the splices of one file."""

    def __init__(self, source: Source, style: Style) -> None:
        self.source = source
        self.style = style
        self.splices: list[Splice] = []

    def replace(self, node: Node, lines: Lines) -> None:
        """Other text for a node; further lines are indented like the line that it begins on."""
        indent = indent_at(self.source, node.start_byte)
        text = (self.style.end + indent).join(lines)
        self.splices.append(Splice(node.start_byte, node.end_byte, text))

    def change_members(self, body: Node, added: Mapping[str, Lines], removed: Collection[str]) -> None:
        """Puts members into an object type, by name where its members are sorted, and takes others out.

        An object that loses its last member says that it has none, as the generator does, and the other way round.
        """
        members = self.source.members(body)
        going = [members[name] for name in removed if name in members]
        kept = [name for name in members if name not in removed]
        nothing = [node for node in body.children if node.type == "index_signature"]
        if not kept and (added or going):
            self._refill(body, [*nothing, *going], list(added.values()) or [[NOTHING]])
            return
        for member in going:
            self._take_out(body, member)
        ordered = [order(name) for name in kept] == sorted(order(name) for name in kept)
        for name, lines in sorted(added.items(), key=lambda item: order(item[0])):
            following = next((other for other in kept if order(other) > order(name)), None) if ordered else None
            if following is not None:
                self._put_before(body, members[following], lines, self.style.separator, self.style.inline)
            else:
                self._put_behind(body, members[kept[-1]], lines, self.style.separator, self.style.inline)

    def change_elements(self, body: Node, added: Sequence[tuple[int, Lines]], removed: Collection[int]) -> None:
        """The same for a list. `added`: (number of the element that it goes before, or how many there are; lines)."""
        elements = body.named_children
        elements = [node for node in elements if node.type != "comment"]
        going = [elements[number] for number in removed]
        if len(going) == len(elements):
            self._refill_list(body, [lines for _, lines in added])
            return
        for element in going:
            self._take_out(body, element)
        behind = [lines for number, lines in added if number >= len(elements)]
        for number, lines in added:
            if number < len(elements):
                self._put_before(body, elements[number], lines, ",", ",")
        if not behind:
            return
        last = elements[-1]
        comma = self._separator(body, last)
        if comma is None and elements.index(last) not in removed:
            self.splices.append(Splice(last.end_byte, last.end_byte, ","))
        for number, lines in enumerate(behind, start=1):
            sign = "," if number < len(behind) or comma is not None else ""
            self._put_behind(body, last, lines, sign, ",")

    # --------------------------------------------------------------------------------------------------------------

    def _refill(self, body: Node, gone: list[Node], members: list[Lines]) -> None:
        """The first content of an object that had none, or lost all of it; comments in it stay."""
        for node in gone[1:]:
            self._take_out(body, node)
        separator = self.style.separator
        if gone:
            first = gone[0]
            comma = self._separator(body, first)
            indent = indent_at(self.source, first.start_byte)
            lines = [line for member in members[:-1] for line in _behind(member, separator)] + members[-1]
            if comma is None and separator and members[-1] != [NOTHING]:
                lines = _behind(lines, separator)
            text = (self.style.end + indent).join(lines)
            # A mapped type is all that its object holds: no comma may stand behind it.
            alone = members[-1] == [NOTHING] and comma is not None and comma.type == ","
            end = comma.end_byte if alone and comma is not None else first.end_byte
            self.splices.append(Splice(first.start_byte, end, text))
            return
        indent = indent_at(self.source, body.start_byte)
        inner = indent + self.style.indent
        lines = [line for member in members for line in _behind(member, separator)]
        text = "".join(f"{self.style.end}{inner}{line}" for line in lines) + self.style.end + indent
        inside = body.children[0].end_byte, body.children[-1].start_byte
        if not self.source.data[inside[0] : inside[1]].strip():
            self.splices.append(Splice(inside[0], inside[1], text))
        else:  # comments only
            self.splices.append(Splice(inside[1], inside[1], text.removeprefix(self.style.end + indent)))

    def _refill_list(self, body: Node, elements: list[Lines]) -> None:
        indent = indent_at(self.source, body.start_byte)
        inner = indent + self.style.indent
        text = ""
        for number, lines in enumerate(elements, start=1):
            sign = "," if number < len(elements) else self.style.trailing
            text += "".join(f"{self.style.end}{inner}{line}" for line in _behind(lines, sign))
        text = f"[{text}{self.style.end}{indent}]" if elements else "[]"
        self.splices.append(Splice(body.start_byte, body.end_byte, text))

    def _put_before(self, body: Node, sibling: Node, lines: Lines, separator: str, inline: str) -> None:
        if self._is_inline(body, sibling):
            text = " ".join(line.strip() for line in lines) + f"{inline} "
            self.splices.append(Splice(sibling.start_byte, sibling.start_byte, text))
            return
        first = self._first_of(body, sibling)
        indent = indent_at(self.source, sibling.start_byte)
        at = self._line_start(first.start_byte)
        if self.source.data[at : first.start_byte].strip():
            # A comment that begins behind another member ends here: its inside is no place for a member.
            text = "".join(f"{line}{self.style.end}{indent}" for line in _behind(lines, separator))
            self.splices.append(Splice(sibling.start_byte, sibling.start_byte, text))
            return
        text = "".join(f"{indent}{line}{self.style.end}" for line in _behind(lines, separator))
        self.splices.append(Splice(at, at, text))

    def _put_behind(self, body: Node, sibling: Node, lines: Lines, separator: str, inline: str) -> None:
        comma = self._separator(body, sibling)
        end = comma.end_byte if comma is not None else sibling.end_byte
        if self._is_inline(body, sibling):
            before = " " if comma is not None else f"{inline} "
            text = before + " ".join(line.strip() for line in lines) + (inline if comma is not None else "")
            self.splices.append(Splice(end, end, text))
            return
        end = self._line_end(end)
        indent = indent_at(self.source, sibling.start_byte)
        text = "".join(f"{self.style.end}{indent}{line}" for line in _behind(lines, separator))
        self.splices.append(Splice(end, end, text))

    def _take_out(self, body: Node, member: Node) -> None:
        """A member and its separator; its lines whole where nothing else stands on them."""
        comma = self._separator(body, member)
        start, end = member.start_byte, comma.end_byte if comma is not None else member.end_byte
        data = self.source.data
        line_start, line_end = self._line_start(start), self._line_end(end)
        if not data[line_start:start].strip() and not data[end:line_end].strip():
            start = line_start
            end = data.find(b"\n", line_end) + 1 or len(data)
        elif comma is not None:
            end += len(data[end:line_end]) - len(data[end:line_end].lstrip(b" \t"))
        else:
            previous = member.prev_sibling
            if previous is not None and previous.type in SEPARATORS:
                start = previous.start_byte
        self.splices.append(Splice(start, end, ""))

    @staticmethod
    def _separator(body: Node, member: Node) -> Node | None:
        following = member.next_sibling
        return following if following is not None and following.type in SEPARATORS and body is not None else None

    @staticmethod
    def _is_inline(body: Node, sibling: Node) -> bool:
        """It stands on the line on which the object begins or another member ends."""
        row = sibling.start_point[0]
        if body.start_point[0] == row:
            return True
        previous = sibling.prev_named_sibling
        return previous is not None and previous.type in MEMBERS and previous.end_point[0] == row

    def _first_of(self, body: Node, sibling: Node) -> Node:
        """The first of the comments that stand right above a member or before it on its line, or the member."""
        first = sibling
        while True:
            above = first.prev_sibling
            if (
                above is None
                or above.type != "comment"
                or first.start_point[0] - above.end_point[0] not in {0, 1}
                or above.start_point[0] == body.start_point[0]
                or self.source.data[self._line_start(above.start_byte) : above.start_byte].strip()
            ):
                return first
            first = above

    def _line_start(self, position: int) -> int:
        return self.source.data.rfind(b"\n", 0, position) + 1

    def _line_end(self, position: int) -> int:
        """Where the line ends, its line break not included."""
        data = self.source.data
        end = data.find(b"\n", position)
        end = len(data) if end < 0 else end
        return end - 1 if end > position and data[end - 1 : end] == b"\r" else end


def _behind(lines: Lines, sign: str) -> Lines:
    return [*lines[:-1], lines[-1] + sign]
