"""Rows that a rollback left changed, since a step that it has not come to would have taken them along."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from wizard.db.connect import Connection
from wizard.db.queries import query
from wizard.engine.looking.situation import Situation
from wizard.engine.session.registry import load_reverts
from wizard.errors import RefusedError
from wizard.rollout.update import plain_update
from wizard.text import one_line


@dataclass(frozen=True)
class _Owed:
    """A statement of the way back that was left out."""

    step: str
    taker: str
    """The step that was to take its rows along, and stands."""
    sql: str


def require_nothing_owed(connection: Connection, situation: Situation, to: str, going: Collection[str]) -> None:
    """Raises RefusedError if a rollback to `to`, in which the steps `going` go, would leave such rows as they are.

    What empties a filled column is not sent where the column goes in the same rollback. If that ends in between, the
    filling is recorded as rolled back and its rows are filled. It cannot be sent later: what tells those rows from the
    application's, such as a function, may be gone with its step.
    """
    kept = situation.rollout.order[: situation.rollout.order.index(to) + 1]
    owed = [one for one in _left_out(connection, situation, going) if one.step not in kept]
    if not owed:
        return
    takers = ", ".join(dict.fromkeys(one.taker for one in owed))
    lines = [
        f"{one.step} is rolled back without its rows, which {one.taker} was to take along: {one_line(one.sql)}"
        for one in owed
    ]
    raise RefusedError(
        f"a rollback of step {takers} was begun and did not come to its end: none that ends at {to} can follow it",
        why="\n".join((*lines, f"With {takers} in place they would stay as the run left them. Nothing was changed.")),
        fix=f"Finish that rollback, to the start or to a step before {takers}; or run again, then roll back to {to}.",
    )


def _left_out(connection: Connection, situation: Situation, going: Collection[str]) -> Iterator[_Owed]:
    record = situation.active
    assert record is not None
    undone = {made.part_id: back for made, back in record.rolled_back}
    for part_id, groups in load_reverts(connection, undone).items():
        back = undone[part_id]
        for group in groups:
            taker = group.subsumed_by
            if not taker or taker in going or not record.standing(taker):
                continue
            rows = connection.execute(query("part_statements"), {"part_id": back.part_id})
            sent = {row["sql"] for row in rows}
            for statement in group.statements:
                if statement.sql not in sent and _is_there(connection, situation.schema, statement.sql):
                    yield _Owed(back.step, taker, statement.sql)


def _is_there(connection: Connection, schema: str, text: str) -> bool:
    """False for an UPDATE of columns that are gone, with whatever step or hand it was."""
    update = plain_update(text)
    if update is None:
        return True
    columns = connection.execute(query("archive_columns"), {"schema": schema, "table": update.table})
    return not {row["name"] for row in columns}.isdisjoint(update.columns)
