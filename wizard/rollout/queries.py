"""The queries that a rollout names: each one SELECT, each with the columns that the engine reads. It sends nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wizard.errors import RolloutInvalidError
from wizard.rollout.model import Rollout
from wizard.rollout.statements import SqlSyntaxError, only_select, split_sql

Rows = Sequence[Mapping[str, object]]


def select(rollout: Rollout, path: str) -> str:
    """The text of a query file below sql/. Raises RolloutInvalidError unless it is exactly one SELECT."""
    if path not in rollout.selects:
        rollout.selects[path] = _parsed(rollout, path)
    return rollout.selects[path]


def _parsed(rollout: Rollout, path: str) -> str:
    text = rollout.read_sql(path)
    alone = only_select(text)
    if alone is not None:
        return alone
    try:
        statements = split_sql(text, path)
    except SqlSyntaxError as error:
        raise RolloutInvalidError(
            f"sql/{path}:{error.line}: not valid SQL: {error}", fix="Correct the statement on that line."
        ) from None
    if [statement.kind for statement in statements] != ["select_stmt"]:
        raise RolloutInvalidError(
            f"sql/{path}: a query is exactly one SELECT, this file holds something else",
            fix="Leave one SELECT; what changes the database belongs into a step's deploy.",
        )
    return statements[0].sql


def require_text(rows: Rows, columns: Sequence[str], path: str, *, at_least: int = 0) -> None:
    """Raises RolloutInvalidError unless every row has these columns, each text or NULL."""
    if len(rows) < at_least:
        raise RolloutInvalidError(f"sql/{path}: the query returned no row", fix="Let it return one row in every case.")
    for row in rows:
        for column in columns:
            if column not in row:
                raise RolloutInvalidError(
                    f"sql/{path}: the query has no column {column}", fix=f"It returns {', '.join(columns)}."
                )
            if not isinstance(row[column], str | None):
                raise RolloutInvalidError(f"sql/{path}: column {column} is not text", fix=f"Cast it: {column}::text.")


def is_condition(text: str) -> bool:
    """Whether the text is one SQL expression, and nothing that could end it and go on."""
    try:
        statements = split_sql(f"SELECT FROM t WHERE ({text}\n)")
    except SqlSyntaxError:
        return False
    return [statement.kind for statement in statements] == ["select_stmt"]
