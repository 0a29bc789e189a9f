"""Backfills of columns that were there before: which rows they filled is remembered, so that only those are emptied."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from psycopg import sql

from wizard.engine.looking.live import json_object
from wizard.rollout.model import Fill
from wizard.rollout.render import Group
from wizard.rollout.statements import Statement
from wizard.rollout.update import plain_update

PART_ID = ":rag_wizard_part_id"
"""Stands for the id of the part that fills, until it has one."""

_AFTER = """
    RETURNING {key} AS key
)
INSERT INTO rag_wizard.filled (part_id, table_name, column_name, key)
SELECT {part}, {table}, {column}, key FROM filled"""
_EMPTY = """\
UPDATE {table}
SET {column} = NULL
WHERE {table}.{column} = ({value})
    AND EXISTS (
        SELECT FROM rag_wizard.filled AS filled
        WHERE filled.part_id = {part} AND filled.table_name = {table_name} AND filled.column_name = {column_name}
            AND filled.key = {key}
    )"""

Columns = Collection[tuple[str, str]]


def remembering(group: Group, there_before: Columns) -> Group:
    """The group, its UPDATEs of these columns noting each row they fill, in the same statement."""
    fills = [fill for fill in group.fills if (fill.table, fill.column) in there_before]
    if not fills:
        return group
    return replace(group, statements=tuple(_remembering(statement, fills) for statement in group.statements))


def _remembering(statement: Statement, fills: list[Fill]) -> Statement:
    fill = next((fill for fill in fills if (fill.table, fill.column) == updated_column(statement)), None)
    if fill is None:
        return statement
    after = sql.SQL(_AFTER).format(
        key=json_object(fill.table, fill.key),
        part=sql.Literal(PART_ID),
        table=sql.Literal(fill.table),
        column=sql.Literal(fill.column),
    )
    return replace(statement, before="WITH filled AS (\n", after=after.as_string(), remembers=fill)


def updated_column(statement: Statement) -> tuple[str, str] | None:
    """(table, column) of an UPDATE that sets one column; None for everything else."""
    update = plain_update(statement.sql) if statement.kind == "update_stmt" else None
    return (update.table, update.columns[0]) if update is not None and len(update.columns) == 1 else None


def spared_by(deploy: tuple[Group, ...], there_before: Columns) -> Iterator[Group]:
    """What empties the remembered rows again, newest first, as far as they still hold what was filled in.

    A part may hold only some of the statements that its group of fills was declared for.
    """
    for group in reversed(deploy):
        filled = {updated_column(statement) for statement in group.statements}
        for fill in reversed(group.fills):
            if (fill.table, fill.column) in filled.intersection(there_before):
                yield Group((_empty(fill),), group.hold_triggers, batched_by=group.batched_by)


def _empty(fill: Fill) -> Statement:
    text = sql.SQL(_EMPTY).format(
        table=sql.Identifier(fill.table),
        column=sql.Identifier(fill.column),
        part=sql.Literal(PART_ID),
        table_name=sql.Literal(fill.table),
        column_name=sql.Literal(fill.column),
        key=json_object(fill.table, fill.key),
        value=sql.SQL(fill.value),
    )
    return Statement(text.as_string(), "update_stmt")
