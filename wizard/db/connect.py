"""The only place that opens connections. Every session starts with the same settings, whatever the URL says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from wizard.db.faults import translate
from wizard.db.target import Target

Connection = psycopg.Connection[dict[str, Any]]

CONNECT_TIMEOUT_S = 15

SESSION_SETTINGS = sql.SQL(
    "SET search_path = {schema}, pg_temp;"
    # Without it a role that RLS filters would count 0 rows and call it a proof; with it the server says so.
    " SET row_security = off;"
    " SET client_min_messages = warning;"
    " SET standard_conforming_strings = on;"
    " SET timezone = 'UTC';"
    " SET lock_timeout = {lock_timeout};"
    " SET statement_timeout = 0;"
    " SET idle_in_transaction_session_timeout = '60s';"
    " SET default_transaction_read_only = {read_only};"
)


@contextmanager
def connect(
    target: Target, *, schema: str, read_only: bool, lock_timeout_ms: int = 700, application_name: str = "rag-wizard"
) -> Iterator[Connection]:
    """An autocommit connection to `target`, closed at the end.

    `read_only` makes the server refuse every write of this session. Raises ConnectionUnsuitableError in words
    that hold no password.
    """
    connection = _open(target, application_name)
    try:
        with faults(target):
            connection.read_only = read_only
            connection.execute(
                SESSION_SETTINGS.format(
                    schema=sql.Identifier(schema),
                    lock_timeout=sql.Literal(f"{lock_timeout_ms}ms"),
                    read_only=sql.Literal("on" if read_only else "off"),
                )
            )
        yield connection
    finally:
        connection.close()


@contextmanager
def faults(target: Target) -> Iterator[None]:
    """Turns a lost or refused connection into words; other database errors pass."""
    try:
        yield
    except psycopg.OperationalError as error:
        raise translate(error, target) from None


def _open(target: Target, application_name: str) -> Connection:
    try:
        return psycopg.connect(
            target.conninfo.get_secret_value(),
            autocommit=True,
            # Poolers do not carry named prepared statements from one backend to the next.
            prepare_threshold=None,
            row_factory=dict_row,
            application_name=application_name,
            connect_timeout=CONNECT_TIMEOUT_S,
            client_encoding="UTF8",
        )
    except psycopg.Error as error:
        # `from None`: the frames below hold the conninfo and with it the password.
        raise translate(error, target) from None
