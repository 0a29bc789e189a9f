"""Which rows a rollback would destroy, as one SELECT for each table: counted, archived and, once archived, dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from psycopg import sql

from wizard.rollout.model import LossGuard, Step


@dataclass(frozen=True)
class Guard:
    """One table's rows that go with a part; recorded with the part, so that any version can archive them."""

    what: str
    """What is lost, after a number: "rows in experts"."""
    table: str
    key: tuple[str, ...]
    """Columns that identify a row, for values of an existing table; empty for whole rows."""
    columns: tuple[str, ...]
    """Added columns whose values go; empty: the whole rows of a table that goes."""
    select: str
    """SELECT of the rows worth keeping: every column of a table that goes, else `key` and `columns`."""


Makes = Callable[[str, str], bool]
"""Whether the part makes this table (table, ""), or this column (table, column)."""


def everything(table: str, column: str) -> bool:  # noqa: ARG001
    """The answer for a step that finds nothing of its own in the database."""
    return True


def guards_of(step: Step, makes: Makes = everything) -> tuple[Guard, ...]:
    """The step's guards for what it really makes: what was there before is never dropped, so it is not archived."""
    return tuple(_guards(step.loses, makes))


def _guards(declared: tuple[LossGuard, ...], makes: Makes) -> Iterator[Guard]:
    for loss in declared:
        columns = {name: condition for name, condition in loss.columns.items() if makes(loss.table, name)}
        if columns:
            yield Guard(loss.what, loss.table, loss.key, tuple(columns), _select(loss, columns))
        elif not loss.columns and makes(loss.table, ""):
            yield Guard(loss.what, loss.table, (), (), _select(loss, {}))


def _select(loss: LossGuard, columns: dict[str, str]) -> str:
    """Conditions are the rollout's own SQL, not data."""
    names = sql.SQL(", ").join(sql.Identifier(name) for name in (*loss.key, *columns)) if columns else sql.SQL("*")
    condition = "\n    OR ".join(f"({one})" for one in columns.values()) if columns else loss.rows
    return (
        sql.SQL("SELECT {names}\nFROM {table}\nWHERE {condition}")
        .format(names=names, table=sql.Identifier(loss.table), condition=sql.SQL(condition))
        .as_string()
    )


def counting(guard: Guard) -> str:
    """SELECT of one row with the number of rows that the guard selects, as column `number`."""
    return (
        sql.SQL("SELECT count(*) AS number FROM ({select}\n) AS lost_row")
        .format(select=sql.SQL(guard.select))
        .as_string()
    )
