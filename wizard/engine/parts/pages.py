"""Which blocks of a relation a batch changes next, and in which turn. It sends nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from wizard.engine.parts import batch as batches

MOST_BLOCKS = 16_384
"""So many blocks (128 MB) a batch reads at most, where only few of their rows are to be changed."""
TURNS = 8
"""Turns that a page's rows are changed in; a power of two. Measured on 1,000,000 rows of 350 bytes, which in one turn
made a table of 356 MB one of 755 MB: 4 turns make it 534 MB, 8 turns 485 MB, which takes a fifteenth longer."""
MANY_BLOCKS = 1_000
"""A smaller table (8 MB) needs little room however it is changed."""
MANY_ROWS = 8.0
"""Rows to be changed in a block; fewer leave enough room there as it is."""


@dataclass(frozen=True)
class Work:
    """What one batch is about."""

    values: Mapping[str, str]
    """Of its message's parameters."""
    place: Mapping[str, Any]
    """What is reached once it is committed."""
    blocks: float = 0.0
    """Blocks that hold as many rows to be changed as it changes."""


def turns_of(blocks: int, rows_a_block: float) -> int:
    """In how many turns the rows of a relation of this size are changed."""
    return TURNS if blocks >= MANY_BLOCKS and rows_a_block >= MANY_ROWS else 1


def pages(
    leaf: Mapping[str, Any], reached: Mapping[str, Any], turns: int, blocks: Callable[[int], int]
) -> Iterator[Work]:
    """The batches of one relation (a row of leaves.sql) that are left behind `reached`, an earlier one's place.

    Each is composed when it is asked for: `blocks(most)` says how many one may have by then. What comes after the last
    block that there was in the beginning holds what was changed here and what is new: that is left to the sweep.
    """
    name, node = leaf["name"], leaf["filenode"]
    first, turn, end = 0, 0, leaf["blocks"]
    last = first
    # Rewritten since (VACUUM FULL, CLUSTER): its rows lie elsewhere, so it is gone through again.
    if reached.get("relation") == name and reached["filenode"] == node:
        first, end = reached["block"], reached["end"]
        turn, last, turns = reached.get("turn", 0), reached.get("last", first), reached.get("turns", 1)
    as_it_is = as_it_is_of(leaf)
    while first < end:
        if turn == 0:
            last = min(first + blocks(max(MOST_BLOCKS // turns, 1)) * turns, end)
        while turn < turns:
            values = {
                batches.RELATION: name, batches.FIRST: str(first), batches.LAST: str(last),
                batches.TURNS: str(turns - 1), batches.TURN: str(turn), batches.AS_IT_IS: as_it_is,
            }  # fmt: skip
            turn += 1
            there = {"block": last, "turn": 0} if turn == turns else {"block": first, "turn": turn, "last": last}
            place = {"phase": "filling", "relation": name, "filenode": node, **there, "turns": turns, "end": end}
            yield Work(values, place, (last - first) / turns)
        first, turn = last, 0


def as_it_is_of(leaf: Mapping[str, Any]) -> str:
    """Assignments that change nothing, behind those of the UPDATE.

    An index of which an UPDATE names no column looks for old versions to remove before it splits a page. Here every row
    has one, each in another block of the table, and it looks at a few blocks at a time: so it searches again and again,
    for a fifth of the time that a batch takes. A column that is named counts as changed.
    https://github.com/postgres/postgres/blob/master/src/backend/access/nbtree/README (bottom-up deletion)
    """
    return "".join(sql.SQL(", {0} = {0}").format(sql.Identifier(column)).as_string() for column in leaf["as_it_is"])
