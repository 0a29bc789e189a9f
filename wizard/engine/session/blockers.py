"""Who is in the way of a part: read from the server's own views, and put into words. Reads only, waits for nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from wizard.db.connect import Connection
from wizard.db.queries import query
from wizard.engine.session.masking import masked
from wizard.engine.views import Blocker
from wizard.text import clock, one_line

_MODES = (
    "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE", "ACCESS EXCLUSIVE",
)  # fmt: skip
_CONFLICTS = {
    # https://www.postgresql.org/docs/current/explicit-locking.html#TABLE-LOCK-COMPATIBILITY
    "ACCESS SHARE": _MODES[7:],
    "ROW SHARE": _MODES[6:],
    "ROW EXCLUSIVE": _MODES[4:],
    "SHARE UPDATE EXCLUSIVE": _MODES[3:],
    "SHARE": (*_MODES[2:4], *_MODES[5:]),
    "SHARE ROW EXCLUSIVE": _MODES[2:],
    "EXCLUSIVE": _MODES[1:],
    "ACCESS EXCLUSIVE": _MODES,
}
_CATALOG = {"".join(word.capitalize() for word in mode.split()) + "Lock": mode for mode in _MODES}
"""Name of a mode in pg_locks -> as in statements and in the documentation."""

NOT_VISIBLE = "not visible to this role"
SNAPSHOT = "a snapshot"
OUR_SESSIONS = "rag-wizard"
"""What the application name of each of our sessions begins with."""

_NEVER = {
    "prepared transaction": "it has no session; its owner ends it with ROLLBACK PREPARED or COMMIT PREPARED",
    "autovacuum": "nothing has to be done: after two tries the wizard waits as long as the server needs to cancel it",
    "wraparound autovacuum": "a vacuum against wraparound has to end by itself",
}
"""Kind of a blocker that is never signalled -> why."""


@dataclass(frozen=True)
class WantedLock:
    """A table lock that a part asks for."""

    relation: int
    """Oid of the table."""
    mode: str
    """As people write it: `ACCESS EXCLUSIVE`."""


@dataclass(frozen=True)
class Seen:
    """Who is in the way, and of which tables' locks."""

    blockers: tuple[Blocker, ...] = ()
    tables: tuple[str, ...] = ()


def mode_words(catalog_name: str) -> str:
    """`AccessExclusiveLock` as `ACCESS EXCLUSIVE`."""
    return _CATALOG.get(catalog_name, catalog_name)


def wanted_locks(connection: Connection, schema: str, modes: dict[str, str]) -> tuple[WantedLock, ...]:
    """The locks of `modes` (table name to mode) on those tables that are there."""
    rows = connection.execute(query("table_oids"), {"schema": schema, "tables": sorted(modes)})
    return tuple(WantedLock(row["oid"], modes[row["name"]]) for row in rows)


def find_blockers(
    connection: Connection,
    us: int,
    wanted: Iterable[WantedLock],
    *,
    pids: Sequence[int] = (),
    holders: bool = True,
    snapshots_before: datetime | None = None,
) -> Seen:
    """Whoever stands in the way of backend `us`, oldest transaction first.

    The backends of `pids`; prepared transactions, and with `holders` sessions, whose locks conflict with those
    `wanted`; sessions whose snapshot a concurrent index build begun at `snapshots_before` has to wait for.
    """
    pairs = [
        (lock.relation, name)
        for lock in wanted
        for name, mode in _CATALOG.items()
        if mode in _CONFLICTS[lock.mode]
    ]  # fmt: skip
    parameters = {
        "us": us,
        "relations": [relation for relation, _ in pairs],
        "modes": [mode for _, mode in pairs],
        "pids": list(pids),
        "holders": holders,
        "snapshots_before": snapshots_before,
    }
    rows = connection.execute(query("blockers"), parameters).fetchall()
    tables = dict.fromkeys(table for row in rows for table in row["tables"] or ())
    return Seen(tuple(_blocker(row, snapshots=snapshots_before is not None) for row in rows), tuple(tables))


def _blocker(row: dict[str, Any], *, snapshots: bool) -> Blocker:
    kind = _kind(row)
    why_not = _why_not(row, kind)
    return Blocker(
        pid=row["pid"], backend_start=row["backend_start"], kind=kind, user=row["role"],
        application=row["application"], state=row["state"], state_s=row["state_s"],
        transaction_s=row["transaction_s"], gid=row["gid"],
        query=None if row["query"] is None else masked(row["query"]),
        holds=_holds(row, snapshots=snapshots), may_be_ended=not why_not, why_not=why_not,
    )  # fmt: skip


def _kind(row: dict[str, Any]) -> Literal["session", "autovacuum", "wraparound autovacuum", "prepared transaction"]:
    if row["backend_type"] == "prepared transaction":
        return "prepared transaction"
    if not row["vacuums"]:
        return "session"
    said = row["query"]
    freezing = row["freezing"] if not said else "(to prevent wraparound)" in said
    return "wraparound autovacuum" if freezing else "autovacuum"


def _why_not(row: dict[str, Any], kind: str) -> str:
    """Why this role cannot, or this program will not, signal it; empty if it may be ended."""
    if kind in _NEVER:
        return _NEVER[kind]
    reasons = (
        ((row["application"] or "").startswith(OUR_SESSIONS), "it is a session of rag-wizard"),
        (not row["may_signal"], f"this role may not signal {'a superuser' if row['is_superuser'] else 'it'}"),
        (row["backend_start"] is None, "this role cannot tell it from a session that is given its pid later"),
    )
    return next((reason for holds, reason in reasons if holds), "")


def _holds(row: dict[str, Any], *, snapshots: bool) -> str:
    holds = _locks(row["holds"])
    if not holds and row["queues"]:
        return f"waits before us for {_locks(row['queues'])}"
    return holds or (SNAPSHOT if snapshots and row["snapshot"] is not False else "")


def _locks(found: Sequence[str] | None) -> str:
    """`ROW SHARE on tickets, ACCESS SHARE on orders`: the strongest lock of each table."""
    strongest: dict[str, str] = {}
    for lock in found or ():
        name, _, table = lock.partition(" ")
        mode = mode_words(name)
        if table not in strongest or _rank(mode) > _rank(strongest[table]):
            strongest[table] = mode
    return ", ".join(f"{mode} on {table}" for table, mode in strongest.items())


def _rank(mode: str) -> int:
    return _MODES.index(mode) if mode in _MODES else -1


# In words -------------------------------------------------------------------------------------------------------------


def state_words(blocker: Blocker) -> str:
    """`idle in transaction for 3:12`, or that this role may not see it."""
    if blocker.state is None and blocker.kind == "session":
        return f"state {NOT_VISIBLE}"
    return f"{blocker.state or 'at work'}{'' if blocker.state_s is None else f' for {clock(blocker.state_s)}'}"


def name_words(blocker: Blocker) -> str:
    """`pid 4121, user app_user, application psql`."""
    if blocker.kind == "prepared transaction":
        return one_line(f'prepared transaction "{blocker.gid}", user {blocker.user}')
    if blocker.kind != "session":
        return f"pid {blocker.pid}, {blocker.kind}"
    return one_line(
        f"pid {blocker.pid}, user {blocker.user or NOT_VISIBLE}, application {blocker.application or 'without a name'}"
    )


def blocker_words(blocker: Blocker) -> str:
    """Everything but its statement, which is nobody else's business."""
    age = "" if blocker.transaction_s is None else f", transaction {clock(blocker.transaction_s)} old"
    holds = one_line(f", holds {blocker.holds}" if not blocker.holds.startswith("waits") else f", {blocker.holds}")
    return f"{name_words(blocker)}, {state_words(blocker)}{age}{holds if blocker.holds else ''}"


def waits_for_words(tables: Iterable[str]) -> str:
    """`a lock on tickets`."""
    names = ", ".join(one_line(table) for table in tables)
    return f"a lock on {names}" if names else "a lock"
