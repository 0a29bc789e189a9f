"""Asks our own catalog queries again and again in a session without having the server plan them each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from wizard.db.connect import Connection
from wizard.db.queries import query
from wizard.db.reading import Rows

_SEND = sql.SQL("BEGIN READ ONLY; SET LOCAL plan_cache_mode = force_generic_plan; EXECUTE {} ({}); COMMIT")
STATEMENTS = 4
"""So many statements a question is when it travels behind others."""
ANSWER = 2
"""Which of them has the rows, from 0."""


@dataclass(frozen=True)
class Question:
    """One of our queries with its values. It can be asked by itself, or travel behind other statements."""

    name: str
    types: Mapping[str, str]
    """Each parameter and its type, in the order of the prepared statement."""
    values: Mapping[str, Any]

    def text(self, connection: Connection) -> str:
        """What asks it, as `STATEMENTS` statements. Has the server plan it now if it has not yet."""
        if self.name not in connection.prepared:
            places = {key: f"${number}" for number, key in enumerate(self.types, start=1)}
            # Both come from our own files: names, types, and a query whose only % are its parameters.
            text = f"PREPARE rag_wizard_{self.name} ({', '.join(self.types.values())}) AS {query(self.name) % places}"
            connection.execute(text.encode())
            connection.prepared.add(self.name)
        arguments = sql.SQL(", ").join(
            sql.SQL("{}::{}").format(sql.Literal(self.values[key]), sql.SQL(kind)) for key, kind in self.types.items()
        )
        return _SEND.format(sql.Identifier(f"rag_wizard_{self.name}"), arguments).as_string()


def ask(connection: Connection, question: Question) -> Rows:
    """The answer to a question that is asked by itself; the session is idle before and after.

    Where sessions share backends nothing is prepared: the query goes as it is. Raises psycopg.Error as the server
    gave it.
    """
    if connection.kind == "transaction pooler":
        return connection.execute(query(question.name), question.values).fetchall()
    text = question.text(connection)
    cursor = connection.cursor()
    try:
        cursor.execute(text.encode())
    except Exception:
        if not connection.broken:
            connection.execute("ROLLBACK")
        raise
    for _ in range(ANSWER):
        cursor.nextset()
    return cursor.fetchall()
