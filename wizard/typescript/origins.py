"""Which column of which relation a view's columns are, read from the parse tree that the server keeps of the view.

The server prints a tree as nested `{NODE :field value ...}`, where a column of the result is a TARGETENTRY with the
relation and column that it shows unchanged (resorigtbl, resorigcol; 0 where it is computed).
https://github.com/postgres/postgres/blob/master/src/include/nodes/primnodes.h
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product

_WORD = re.compile(r"(?:\\.|[^\s{}()\\])+|[{}]")
_FIELDS = frozenset({":resno", ":resorigtbl", ":resorigcol"})
_ENTRY_DEPTH = 2
"""QUERY is 1, an entry of its own target list 2; those of subqueries lie deeper."""

Column = tuple[int, int]
"""Relation (oid) and column number."""


def shown_columns(tree: str) -> dict[int, Column]:
    """Column number of the view -> what it shows, for columns that are shown unchanged."""
    found: dict[int, Column] = {}
    for entry in _entries(tree):
        if entry.get(":resorigtbl"):
            found[entry[":resno"]] = (entry[":resorigtbl"], entry[":resorigcol"])
    return found


def _entries(tree: str) -> Iterator[dict[str, int]]:
    depth, field, listed = 0, "", False
    entry: dict[str, int] = {}
    for word in _WORD.findall(tree):
        if word == "{":
            depth += 1
            if depth == _ENTRY_DEPTH:
                entry = {}
        elif word == "}":
            if depth == _ENTRY_DEPTH and listed and len(entry) == len(_FIELDS):
                yield entry
            depth -= 1
        elif depth == 1 and word.startswith(":"):
            listed = word == ":targetList"
        elif depth == _ENTRY_DEPTH and listed:
            if field in _FIELDS and word.isdecimal():
                entry[field] = int(word)
            field = word


def resolved(views: Mapping[int, Mapping[int, Column]]) -> dict[int, dict[Column, tuple[int, ...]]]:
    """View -> (table, column) -> the view's columns that show it, also through other views."""
    found: dict[int, dict[Column, tuple[int, ...]]] = {}
    for view, columns in views.items():
        shown: dict[Column, tuple[int, ...]] = {}
        for number in sorted(columns):
            at: Column | None = columns[number]
            seen = {view}
            while at is not None and at[0] not in seen:
                shown[at] = (*shown.get(at, ()), number)
                seen.add(at[0])
                at = views.get(at[0], {}).get(at[1])
        found[view] = shown
    return found


def showing(shown: Mapping[Column, tuple[int, ...]], table: int, columns: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Every way in which a view shows all these columns of a table."""
    each = [shown.get((table, column), ()) for column in columns]
    return list(product(*each)) if all(each) else []
