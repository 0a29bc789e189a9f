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
MUCH_LARGER = 1.5
"""Times the blocks that a batch may have: up to then it is not worth two."""


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
    # Rewritten since (VACUUM FULL, CLUSTER): its rows lie elsewhere, so it is gone through again.
    if reached.get("relation") != name or reached["filenode"] != node:
        reached = {}
    first, end, turns = reached.get("block", 0), reached.get("end", leaf["blocks"]), reached.get("turns", turns)
    last, turn, at = reached.get("last", first), reached.get("turn", 0), reached.get("at", first)
    as_it_is = as_it_is_of(leaf)
    while first < end:
        size = blocks(MOST_BLOCKS // turns) * turns
        if (turn, at) == (0, first):
            last = min(first + size, end)
        # The pace may have become slower since the page was cut: then a turn goes in several batches.
        until = last if last - at <= MUCH_LARGER * size else at + size
        values = {
            batches.RELATION: name, batches.FIRST: str(at), batches.LAST: str(until),
            batches.TURNS: str(turns - 1), batches.TURN: str(turn), batches.AS_IT_IS: as_it_is,
        }  # fmt: skip
        share = (until - at) / turns
        if until < last:
            at = until
        elif turn + 1 < turns:
            turn, at = turn + 1, first
        else:
            first, turn, at = last, 0, last
        place = {"block": first, "last": last, "turn": turn, "at": at, "turns": turns, "end": end}
        yield Work(values, {"phase": "filling", "relation": name, "filenode": node, **place}, share)


def as_it_is_of(leaf: Mapping[str, Any]) -> str:
    """Assignments that change nothing, behind those of the UPDATE.

    An index of which an UPDATE names no column looks for old versions to remove before it splits a page. Here every row
    has one, each in another block of the table, and it looks at a few blocks at a time: so it searches again and again,
    for a fifth of the time that a batch takes. A column that is named counts as changed.
    https://github.com/postgres/postgres/blob/master/src/backend/access/nbtree/README (bottom-up deletion)
    """
    return "".join(sql.SQL(", {0} = {0}").format(sql.Identifier(column)).as_string() for column in leaf["as_it_is"])
