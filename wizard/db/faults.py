"""Words for connections that fail, free of secrets. The list of failures is in fault_words.py."""

from __future__ import annotations

import os
import re

import psycopg

from wizard.db.dsn import SECRET_KEYWORDS
from wizard.db.fault_words import CASES, OTHERWISE_CONNECTED, OTHERWISE_CONNECTING, Case
from wizard.db.supabase import is_supabase
from wizard.db.target import Target
from wizard.errors import ConnectionUnsuitableError, LockNotObtainedError, WizardError

ENDED_BY_A_LIMIT = psycopg.errors.IdleInTransactionSessionTimeout | psycopg.errors.TransactionTimeout
"""The session is over, although psycopg does not count these among the lost connections."""

_DRIVERS_PREFIX = re.compile(r"^(connection failed|connection is bad): ")
_FROM_SERVER = re.compile(r"\b(FATAL|ERROR|PANIC):")


class PasswordNeededError(ConnectionUnsuitableError):
    """The server asked for a password and none was found: a terminal can ask for it."""


def translate(error: psycopg.Error, target: Target) -> ConnectionUnsuitableError:
    """`error` in words, with the fix, for `target`."""
    message = _DRIVERS_PREFIX.sub("", " ".join(str(error).split()))
    case = find_case(message, error.sqlstate)
    said = "The server said" if error.sqlstate or _FROM_SERVER.search(message) else "In the driver's words"
    kind = PasswordNeededError if case.name == "no password" else ConnectionUnsuitableError
    return kind(
        f"{case.what}: {target.address}",
        why=f"{said}: {without_secrets(message, target)[:400]}",
        fix=case.supabase_fix if case.supabase_fix and is_supabase(target.host) else case.fix,
    )


def in_words(error: psycopg.Error, target: Target) -> WizardError:
    """What the error means for the operator: no lock, no connection, or a refusal of one statement."""
    if isinstance(error, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
        return LockNotObtainedError(
            f"a lock could not be had in time on {target.name}",
            why=f"The server said: {error.diag.message_primary}. Nothing was changed by this statement.",
            fix="Wait until the transaction that holds it ends; then run the same command again.",
        )
    if isinstance(error, psycopg.OperationalError | ENDED_BY_A_LIMIT):
        return translate(error, target)
    said = without_secrets(error.diag.message_primary or str(error), target)
    return WizardError(
        f"the server refused a statement: {said} (SQLSTATE {error.sqlstate or 'not given'})",
        why="It changed nothing. What was committed before stays.",
        fix="The command status tells what is recorded, the command log what was executed.",
    )


def find_case(message: str, sqlstate: str | None) -> Case:
    """The case that an error belongs to: its code decides, which only a session has, else the first that its text fits.

    `message` is in one line.
    """
    by_code = (case for case in CASES if sqlstate in case.sqlstates)
    by_text = (case for case in CASES if case.pattern and re.search(case.pattern, message))
    otherwise = OTHERWISE_CONNECTED if sqlstate else OTHERWISE_CONNECTING
    return next(by_code, None) or next(by_text, otherwise)


def without_secrets(message: str, target: Target) -> str:
    """The driver's text without anything that could carry the password."""
    conninfo = target.conninfo.get_secret_value()
    settings = psycopg.conninfo.conninfo_to_dict(conninfo)
    secrets = (conninfo, *(settings.get(name) for name in SECRET_KEYWORDS), os.environ.get("PGPASSWORD"))
    for secret in filter(None, secrets):
        message = message.replace(str(secret), "****")
    return message
