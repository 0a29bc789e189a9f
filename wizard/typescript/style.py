"""How a types file is written: indentation, separators, quotes, line ends. What is inserted is written the same way."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from wizard.typescript.syntax import OBJECTS, Source

if TYPE_CHECKING:
    from tree_sitter import Node


@dataclass(frozen=True)
class Style:
    """What new text takes over from the file."""

    indent: str
    """One level."""
    separator: str
    """Behind a member on a line of its own: a semicolon, a comma, or nothing."""
    inline: str
    """Between members on one line."""
    quote: str
    end: str
    """Of a line."""
    trailing: str
    """Behind the last element of a list with lines of its own: a comma or nothing."""


def style_of(source: Source) -> Style:
    """The style of most of the type Database."""
    separators, inline, trailing = Counter[str](), Counter[str](), Counter[str]()
    strings = Counter[str]()
    for node in _nodes(source.database):
        if node.type in OBJECTS:
            _count_separators(node, separators, inline)
        elif node.type == "tuple_type":
            _count_trailing(node, trailing)
        elif node.type == "string" and node.is_named:
            strings[source.text(node)[0]] += 1
    text = source.data.decode()
    return Style(
        indent=_indent(source),
        separator=_most(separators, ""),
        inline=_most(inline, ";"),
        quote=_most(strings, '"'),
        end="\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n",
        trailing=_most(trailing, ","),
    )


def indent_at(source: Source, position: int) -> str:
    """The white space that the line of `position` begins with."""
    start = source.data.rfind(b"\n", 0, position) + 1
    found = re.match(rb"[ \t]*", source.data[start:])
    return found[0].decode() if found else ""


def _indent(source: Source) -> str:
    """One level: by how much the first member of Database is deeper than its end."""
    body = source.database
    outer = indent_at(source, body.end_byte - 1)
    for member in body.children:
        if member.start_point[0] != body.start_point[0] and member.is_named:
            inner = indent_at(source, member.start_byte)
            if inner.startswith(outer) and inner != outer:
                return inner[len(outer) :]
    return "  "


def _nodes(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield here
        waiting.extend(here.children)


def _count_separators(body: Node, separators: Counter[str], inline: Counter[str]) -> None:
    children = body.children
    for member, following in pairwise(children):
        if member.type != "property_signature":
            continue
        sign = following.type if following.type in {";", ","} else ""
        if body.start_point[0] != body.end_point[0]:
            separators[sign] += 1
        elif sign:
            inline[sign] += 1


def _count_trailing(body: Node, trailing: Counter[str]) -> None:
    if body.start_point[0] != body.end_point[0] and len(body.children) > 2:
        trailing["," if body.children[-2].type == "," else ""] += 1


def _most(counted: Counter[str], default: str) -> str:
    return counted.most_common(1)[0][0] if counted else default
