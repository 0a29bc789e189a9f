"""Values that cannot be archived, because somebody dropped or renamed a column that tells whose they are."""

from __future__ import annotations

from psycopg import sql

from wizard.db.connect import Connection
from wizard.db.queries import query
from wizard.engine.parts.guard import Guard, counting
from wizard.engine.views_back import Loss
from wizard.engine.words import lost_rows
from wizard.errors import RefusedError


def missing_key(connection: Connection, guard: Guard, schema: str) -> list[str]:
    """Which columns of the key are not there."""
    about = {"schema": schema, "table": guard.table, "key": list(guard.key)}
    there = {row["name"] for row in connection.execute(query("key_columns"), about)}
    return [name for name in guard.key if name not in there]


def require_no_value(connection: Connection, guard: Guard, recorded: Guard, schema: str) -> None:
    """Raises RefusedError if the keyless `guard` finds any; `recorded` is the same guard with its key."""
    row = connection.execute(counting(guard.select).encode()).fetchone()
    assert row is not None
    if not row["number"]:
        return
    gone = missing_key(connection, recorded, schema)
    lost = lost_rows(Loss(step="", what=guard.what, rows=row["number"], table=guard.table))
    table = sql.Identifier(schema, guard.table).as_string()
    name = sql.Identifier(gone[0]).as_string() if gone else ""
    raise RefusedError(
        f"table {guard.table} has no column {', '.join(gone)}, which tells whose the values are that would be archived",
        why=f"They would be lost: {lost}. Nothing was rolled back.",
        fix=f"If the column has another name now, give it this one again: ALTER TABLE {table} RENAME COLUMN ... TO "
        f"{name}; If it was dropped, add it, with a value of its own in every row. Then roll back again; or lose the "
        "values: rollback --discard-data.",
    )
