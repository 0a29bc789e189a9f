"""Backfills of columns that were there before, as a replay does them: the keys that they filled in a temporary table.

What empties such a column again asks schema rag_wizard which rows were filled. A replay has no such schema, and the log
holds the UPDATE that filled them without what the engine put around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from wizard.engine.looking.fills import updated_column
from wizard.engine.parts.literal import literal
from wizard.engine.views import LoggedStatement
from wizard.rollout.statements import Statement

_REGISTRY, _TABLE = "rag_wizard.filled AS filled", "pg_temp.rag_wizard_filled"
_CHANGED = "-- as it was sent, but for the temporary table\n"
_TEXT = r" ?E?'(?:[^']|'')*'"
_EMPTIES = re.compile(
    rf"SELECT FROM {re.escape(_REGISTRY)}\s+WHERE filled\.part_id = (?P<part>{_TEXT})"
    rf" AND filled\.table_name = (?P<table>{_TEXT}) AND filled\.column_name = (?P<column>{_TEXT})"
    r"\s+AND filled\.key = (?P<key>jsonb_build_object\(.*\))\s+\)\s*$"
)
"""The end of a statement that empties what a part filled."""


class Fills:
    """The fills of one log that a rollback in the same log took back; only those need their keys."""

    def __init__(self, statements: Iterable[LoggedStatement]) -> None:
        found = (_EMPTIES.search(one.sql) for one in statements if one.stands)
        self._keys = {(end["part"], end["table"], end["column"]): end["key"] for end in found if end}

    def preparation(self) -> Iterator[str]:
        """What makes the temporary table, where the log needs it."""
        if self._keys:
            yield "-- A rollback empties the rows that the run filled, and no others. The replay keeps their keys in a"
            yield "-- temporary table, where the wizard had schema rag_wizard."
            columns = "part_id uuid, table_name text, column_name text, key jsonb"
            yield f"CREATE TEMPORARY TABLE rag_wizard_filled ({columns});"
            yield "CREATE INDEX ON pg_temp.rag_wizard_filled (part_id, table_name, column_name, key);"

    def replayed(self, statement: LoggedStatement) -> str:
        """The statement's text for a replay: as it was logged unless it fills such a column, or empties it."""
        if _EMPTIES.search(statement.sql):
            return f"{_CHANGED}{statement.sql.replace(_REGISTRY, f'{_TABLE} AS filled')}"
        names = self._filled(statement)
        key = self._keys.get(names) if names is not None else None
        if names is None or key is None:
            return statement.sql
        return (
            f"{_CHANGED}WITH filled AS (\n{statement.sql}\n    RETURNING {key} AS key\n)\n"
            f"INSERT INTO {_TABLE} (part_id, table_name, column_name, key)\n"
            f"SELECT {', '.join(names)}, key FROM filled"
        )

    def _filled(self, statement: LoggedStatement) -> tuple[str, str, str] | None:
        """Part, table and column as literals, of an UPDATE of one column in a part that filled one."""
        part = literal(statement.part_id)
        if all(part != other for other, _, _ in self._keys) or not statement.sql.upper().startswith("UPDATE"):
            return None
        column = updated_column(Statement(statement.sql, "update_stmt"))
        return (part, literal(column[0]), literal(column[1])) if column is not None else None
