"""Cancels or ends exactly one session that is in the way, on the operator's word, and says in words what happened."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import errors

from wizard.db.connect import connect
from wizard.db.queries import query
from wizard.db.target import Target
from wizard.engine.session.blockers import NOT_VISIBLE, OUR_SESSIONS
from wizard.engine.settings import Settings
from wizard.errors import RefusedError
from wizard.text import clock, one_line

NAME = "rag-wizard signal"
"""Application name of the connection that sends the signal."""


def signal_blocker(target: Target, settings: Settings, pid: int, backend_start: datetime, *, end: bool) -> str:
    """Cancels what backend `pid` runs, or with `end` ends its connection; what happened, as a sentence.

    `backend_start` makes sure that the pid was not given to somebody else since. Raises RefusedError for a session that
    this role may not signal, or that is one of ours; nothing was done then.
    """
    key = {"pid": pid, "backend_start": backend_start}
    with connect(target, schema=settings.schema, read_only=True, application_name=NAME) as connection:
        row = connection.execute(query("signal_target"), key).fetchone()
        if row is None:
            return f"pid {pid} is gone already; nothing was done"
        who = _who(pid, row)
        _refuse(who, row)
        if not end and (row["state"] or "").startswith("idle"):
            return (
                f"nothing was done: {who} runs no statement that could be cancelled; only ending it lets its locks go"
            )
        try:
            done = connection.execute(query("signal_backend"), {**key, "end": end}).fetchone()
        except errors.InsufficientPrivilege as error:
            raise _refusal(who, str(error.diag.message_primary)) from None
    if done is None:
        return f"{who} ended by itself; nothing was done"
    if not end:
        return f"cancelled the statement of {who}; its transaction is rolled back" if done["done"] else _not_yet(who)
    return f"ended the connection of {who}; its transaction is rolled back" if done["done"] else _not_yet(who)


def _who(pid: int, row: dict[str, Any]) -> str:
    state = f", {row['state']} for {clock(row['state_s'])}" if row["state"] and row["state_s"] is not None else ""
    user, application = row["role"] or NOT_VISIBLE, row["application"] or "without a name"
    return one_line(f"pid {pid} (user {user}, application {application}{state})")


def _refuse(who: str, row: dict[str, Any]) -> None:
    if (row["application"] or "").startswith(OUR_SESSIONS):
        raise _refusal(who, "it is a session of rag-wizard; an abandoned one is ended with --end-orphan")
    if row["backend_type"] != "client backend":
        raise _refusal(who, "it is a process of the server's own")
    if row["is_superuser"] and not row["we_are_superuser"]:
        raise _refusal(who, "it is a superuser's, and this role is none")


def _refusal(who: str, why: str) -> RefusedError:
    return RefusedError(
        f"{who} is left alone", why=f"{one_line(why)}. Nothing was done.", fix="Talk to whoever runs it."
    )


def _not_yet(who: str) -> str:
    return f"the signal was sent to {who}, which has not ended yet"
