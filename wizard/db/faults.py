"""Words for connections that fail. It reads the server's message and never repeats a conninfo."""

from __future__ import annotations

import re

import psycopg

from wizard.db.target import Target
from wizard.errors import ConnectionUnsuitableError

_CASES: tuple[tuple[str, str, str], ...] = (
    (
        r"password authentication failed|no password supplied|EWRONGPASSWORD|SASL",
        "The server refused the password",
        "Check the password (percent-encode special characters in a URL), or set PGPASSWORD.",
    ),
    (
        r"could not translate host name|failed to resolve host|Name or service not known|nodename nor servname",
        "The host name is unknown",
        "Check the host. Supabase's db.<ref>.supabase.co has an IPv6 address only: on an IPv4 network use the "
        "session pooler's host from the dashboard, port 5432.",
    ),
    (
        r"Network is unreachable|No route to host",
        "The network does not reach the host",
        "Supabase's db.<ref>.supabase.co has an IPv6 address only: on an IPv4 network use the session pooler's host "
        "from the dashboard, port 5432.",
    ),
    (r"Connection refused|No such file or directory", "No server answers there", "Check host and port; is it running?"),
    (r"timeout expired|timed out", "The server did not answer in time", "Check host, port and firewall."),
    (r'database "[^"]*" does not exist', "There is no such database", "Check the database name."),
    (r'role "[^"]*" does not exist', "There is no such role", "Check the user name."),
    (
        r"server does not support SSL",
        "The server has no TLS",
        "Ask for TLS on the server, or use sslmode=disable locally.",
    ),
    (r"certificate", "The server's certificate was not accepted", "Give the CA with sslrootcert=FILE."),
    (
        r"too many (clients|connections)|EMAXCONNSESSION",
        "The server has no connection free",
        "Try again, or end idle sessions.",
    ),
    (
        r"ENOTFOUND|[Tt]enant or user not found",
        "The pooler does not know this project",
        "Check region and user: postgres.<ref>.",
    ),
    (r"unsupported startup parameter", "The pooler refuses a startup parameter", "Remove options= from the URL."),
    (
        r"terminating connection|server closed the connection|connection is closed|the connection is lost|EOF detected",
        "The connection was lost",
        "Run the same command again: it asks the database what was committed and goes on from there.",
    ),
)


def translate(error: psycopg.Error, target: Target) -> ConnectionUnsuitableError:
    """`error` in words, with the fix, for `target`."""
    message = " ".join(str(error).split())
    what, fix = next(
        ((what, fix) for pattern, what, fix in _CASES if re.search(pattern, message)),
        ("Cannot connect", "Read the server's words above."),
    )
    return ConnectionUnsuitableError(
        f"{what}: {target.address}", why=f"The server said: {_shortened(message, target)}", fix=fix
    )


def _shortened(message: str, target: Target) -> str:
    """The driver's text without anything that could carry the password."""
    secret = target.conninfo.get_secret_value()
    if secret and secret in message:
        message = message.replace(secret, "***")
    password = psycopg.conninfo.conninfo_to_dict(secret).get("password")
    if password:
        message = message.replace(str(password), "***")
    return message[:400]
