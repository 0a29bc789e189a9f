"""Runs one of our own catalog queries again and again in a session without having the server plan it each time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import sql

from wizard.db.connect import Connection
from wizard.db.queries import query

_SEND = sql.SQL("BEGIN READ ONLY; SET LOCAL plan_cache_mode = force_generic_plan; EXECUTE {} ({}); COMMIT")


def prepared_rows(
    connection: Connection, name: str, types: Mapping[str, str], values: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The rows of the named query; `types`: each parameter and its type, in the order of the prepared statement.

    The session is idle before and after. Where sessions share backends nothing is prepared: the query goes as it is.
    Raises psycopg.Error as the server gave it.
    """
    if connection.kind == "transaction pooler":
        return connection.execute(query(name), values).fetchall()
    text = prepared_text(connection, name, types, values)
    cursor = connection.cursor()
    try:
        cursor.execute(text.encode())
    except Exception:
        if not connection.broken:
            connection.execute("ROLLBACK")
        raise
    cursor.nextset()
    cursor.nextset()
    return cursor.fetchall()


def prepared_text(connection: Connection, name: str, types: Mapping[str, str], values: Mapping[str, Any]) -> str:
    """What asks the named query, to be sent behind other statements: its rows are those of the last statement but one.

    Has the server plan it now if it has not yet.
    """
    if name not in connection.prepared:
        places = {key: f"${number}" for number, key in enumerate(types, start=1)}
        # Both come from our own files: names, types, and a query whose only % are its parameters.
        text = f"PREPARE rag_wizard_{name} ({', '.join(types.values())}) AS {query(name) % places}"
        connection.execute(text.encode())
        connection.prepared.add(name)
    arguments = sql.SQL(", ").join(
        sql.SQL("{}::{}").format(sql.Literal(values[key]), sql.SQL(kind)) for key, kind in types.items()
    )
    return _SEND.format(sql.Identifier(f"rag_wizard_{name}"), arguments).as_string()
