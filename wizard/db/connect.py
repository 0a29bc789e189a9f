"""The only place that opens connections. What a session then sets is in session.py, what lies between in pooler.py."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq.abc import PGconn
from psycopg.rows import RowFactory, dict_row

from wizard.db.faults import PasswordNeededError, in_words, translate
from wizard.db.pooler import Kind, find_kind, refusal
from wizard.db.session import leave, prepare
from wizard.db.target import Target

NETWORK: dict[str, Any] = {
    # A dead network is noticed after 10 + 3 * 5 s of silence, or 25 s after the first byte that nobody acknowledged.
    "keepalives": "1",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
    "connect_timeout": "15",
}
"""libpq's own settings, which travel in no startup packet; what the operator's connection string says wins."""


class Connection(psycopg.Connection[dict[str, Any]]):
    """An autocommit connection with rows as dicts, that knows whether a pooler lies in between."""

    kind: Kind = "direct"
    target: Target

    def __init__(self, pgconn: PGconn) -> None:
        super().__init__(pgconn)
        self.prepared: set[str] = set()
        """Names of our queries that this session has planned; see prepared.py."""


@contextmanager
def connect(
    target: Target, *, schema: str, read_only: bool, lock_timeout_ms: int = 700, application_name: str = "rag-wizard"
) -> Iterator[Connection]:
    """An autocommit connection to `target`, closed at the end.

    `read_only` makes the server refuse every write of this session. Behind a transaction pooler such a session is one
    transaction, since anything else would be left to the application's sessions; one that may write is refused.
    Raises ConnectionUnsuitableError in words that hold no password.
    """
    connection = _open(target, application_name)
    try:
        connection.target = target
        with faults(target):
            connection.kind = find_kind(
                connection, lambda: _open(target, application_name), port=target.port, writes=not read_only
            )
            if connection.kind == "transaction pooler" and not read_only:
                raise refusal(target)
            prepare(connection, connection.kind, schema=schema, read_only=read_only, lock_timeout_ms=lock_timeout_ms)
        yield connection
    finally:
        leave(connection, connection.kind)
        connection.close()


def needs_password(target: Target) -> bool:
    """True if the server asks for a password and none was found anywhere.

    Connects and closes at once. Raises ConnectionUnsuitableError for every other reason not to let us in.
    """
    if conninfo_to_dict(target.conninfo.get_secret_value()).get("password") or os.environ.get("PGPASSWORD"):
        return False
    try:
        _open(target, "rag-wizard").close()
    except PasswordNeededError:
        return True
    return False


@contextmanager
def faults(target: Target) -> Iterator[None]:
    """Turns what the server or the network refuses into words: a lost connection, a lock, anything else."""
    try:
        yield
    except psycopg.Error as error:
        raise in_words(error, target) from None


def _open(target: Target, application_name: str) -> Connection:
    conninfo = target.conninfo.get_secret_value()
    try:
        given = {key: value for key, value in conninfo_to_dict(conninfo).items() if value}
        return Connection.connect(
            conninfo,
            autocommit=True,
            # Poolers do not carry named prepared statements from one backend to the next.
            prepare_threshold=None,
            row_factory=cast("RowFactory[Any]", dict_row),
            application_name=application_name,
            client_encoding="UTF8",
            **{name: value for name, value in NETWORK.items() if name not in given},
        )
    except psycopg.Error as error:
        # `from None`: the frames below hold the conninfo and with it the password.
        raise translate(error, target) from None
