"""What every session of ours sets, whatever the server's or the role's defaults are, and how it leaves nothing behind.

The limits of a part are set in its own transaction, with what it sends; here is what holds in between.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

if TYPE_CHECKING:
    from wizard.db.connect import Connection
    from wizard.db.pooler import Kind

AS_TEXT = {
    "timezone": "'UTC'",
    "datestyle": "'ISO'",
    "intervalstyle": "'postgres'",
    "extra_float_digits": "1",
    "bytea_output": "'hex'",
}
"""How values become text: the keys that one session notes are what another one compares with."""

SETTINGS = {
    "search_path": "{schema}, pg_temp",
    # Without it a role that RLS filters would count 0 rows and call it a proof; with it the server says so.
    "row_security": "off",
    "client_min_messages": "warning",
    "standard_conforming_strings": "on",
    **AS_TEXT,
    # What the checks compare is deparsed by the server, without quotes that no name needs.
    "quote_all_identifiers": "off",
    # A statement sees what is committed when it begins; the engine's reasoning about resuming rests on that.
    "default_transaction_isolation": "'read committed'",
    # The log is written in order: whatever commits durably makes all before it durable too. So what may be lost with
    # it, an intent above all, waits for no disk; a part, and whatever else must not be lost, says so itself.
    "synchronous_commit": "off",
    # Our queries read the catalog: compiling them takes longer than running them.
    "jit": "off",
    # Counts, scans and index builds take one processor, not three: the others are the application's.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "lock_timeout": "{lock_timeout}",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "'60s'",
    "default_transaction_read_only": "{read_only}",
}
"""Known to every supported server."""

WHERE_KNOWN = {
    # A client that is gone is noticed while its statement still runs.
    "client_connection_check_interval": "5s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "25s",
    # What a backfill drives out of the buffers goes to the disk bit by bit, not all at the end of a checkpoint.
    "backend_flush_after": "512kB",
    # An operator who thinks, or waits for a lock, is not thrown out.
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
}
"""Set where the server has them; one that its platform refuses is left as it is."""

_ADOPT = (
    "SELECT set_config(name, wanted, {local}) FROM (VALUES {wanted}) AS ours (name, wanted)"
    # Cheaper than a look into pg_settings, which reads all there are.
    " WHERE current_setting(name, true) IS NOT NULL"
)


def prepare(connection: Connection, kind: Kind, *, schema: str, read_only: bool, lock_timeout_ms: int) -> None:
    """Set up a new session; behind a transaction pooler as one READ ONLY transaction that holds the settings.

    Raises psycopg.Error if the server refuses one that is needed.
    """
    connection.read_only = read_only
    values = {
        "schema": sql.Identifier(schema),
        "lock_timeout": sql.Literal(f"{lock_timeout_ms}ms"),
        "read_only": sql.Literal("on" if read_only else "off"),
    }
    if kind == "transaction pooler":
        begin = [sql.SQL("BEGIN READ ONLY"), *_lines("SET LOCAL {} = ", values), _adopt(WHERE_KNOWN, local=True)]
        connection.execute(sql.SQL("; ").join(begin))
        return
    lines = _lines("SET {} = ", values)
    try:
        connection.execute(sql.SQL("; ").join([*lines, _adopt(WHERE_KNOWN)]))
    except psycopg.OperationalError:
        raise
    except psycopg.Error:
        connection.execute(sql.SQL("; ").join(lines))
        for name, wanted in WHERE_KNOWN.items():
            with suppress(psycopg.DatabaseError):
                connection.execute(_adopt({name: wanted}))


def leave(connection: Connection, kind: Kind) -> None:
    """Before it goes back to a pool, a backend is as we found it: no setting, no lock, no open transaction."""
    status = connection.info.transaction_status
    if kind == "direct" or status in {TransactionStatus.ACTIVE, TransactionStatus.UNKNOWN}:
        return
    with suppress(psycopg.Error):
        if status != TransactionStatus.IDLE:
            connection.execute("ROLLBACK")
        if kind == "session pooler":
            connection.execute("DISCARD ALL")


def _lines(template: str, values: dict[str, sql.Composable]) -> list[sql.Composed]:
    return [
        sql.SQL(template).format(sql.Identifier(name)) + sql.SQL(value).format(**values)
        for name, value in SETTINGS.items()
    ]


def _adopt(wanted: dict[str, str], *, local: bool = False) -> sql.Composed:
    pairs = [sql.SQL("({}, {})").format(name, value) for name, value in wanted.items()]
    return sql.SQL(_ADOPT).format(local=sql.Literal(local), wanted=sql.SQL(", ").join(pairs))
