"""Every way a connection is known to fail, as data: how it is recognised, what it means, what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One kind of failure."""

    name: str
    what: str
    """What happened; the target's address follows."""
    fix: str
    pattern: str = ""
    """Found in the message, which is in one line; "" for cases told by their code alone."""
    sqlstates: tuple[str, ...] = ()
    supabase_fix: str = ""
    """Instead of `fix`, where the host is Supabase's."""


_POOLER_HOST = (
    "Supabase's db.<ref>.supabase.co has an IPv6 address only (IPv4 is an add-on). On an IPv4 network use the session"
    " pooler: host aws-...pooler.supabase.com from the dashboard (Connect), port 5432, user postgres.<ref>."
)
_AGAIN = "Run the same command again: it asks the database what was committed and goes on from there."
_ROOT = (
    "Give the certificate authority with sslrootcert=FILE. On Supabase that is the project's certificate: dashboard,"
    " Database settings, SSL configuration, Download certificate. The system's roots (sslrootcert=system) do not know"
    " it. sslmode=require encrypts without verifying."
)
SESSION_POOL_FULL = r"EMAXCONNSESSION|max clients reached in session mode"
"""What Supavisor says in session mode only."""

# Supavisor puts its code in front of its words, as in "(EMAXCONNSESSION) max clients reached in session mode".
SUPAVISOR = (
    Case(
        "unknown project",
        "The pooler does not know this project",
        "Copy host and user from the dashboard (Connect): the user is postgres.<ref> and the host names the region."
        " A paused project has to be restored first.",
        r"ENOTFOUND|[Tt]enant.user \S* ?not found|[Tt]enant or user not found",
    ),
    Case(
        "no identifier",
        "The pooler cannot tell which project is meant",
        "Write the user as postgres.<ref>, with the project's ref behind the dot.",
        r"ENOIDENTIFIER|no tenant identifier",
    ),
    Case(
        "invalid user",
        "The pooler cannot read user or database name",
        "Write the user as postgres.<ref> and check the database name.",
        r"EINVALIDUSERINFO|Invalid format for user or db_name",
    ),
    Case(
        "session pool full",
        "The session pooler has no free connection",
        "Each client holds one of its connections. End idle ones, raise the pool size (dashboard, Database settings),"
        " or connect to the database itself.",
        SESSION_POOL_FULL,
    ),
    Case(
        "pool full",
        "The pooler accepts no further client",
        "End idle clients, wait, or connect to the database itself.",
        r"EMAXCONN\b|EMAXPOOLSREACHED|max client connections reached|no more connections allowed",
    ),
    Case(
        "circuit breaker",
        "The pooler refuses new connections for a while, after too many that failed",
        "Correct the password or user first, wait two minutes, then try once.",
        r"ECIRCUITBREAKER|temporarily blocked|circuit breaker",
    ),
    Case(
        "address not allowed",
        "The project's network restrictions keep this address out",
        "Add this machine's public address: dashboard, Database settings, Network restrictions.",
        r"EADDRNOTALLOWED|not in tenant allow_list",
    ),
    Case(
        "checkout timeout",
        "The pooler had no backend free in time",
        "Others hold all of them. Try again, end idle sessions, or connect to the database itself.",
        r"ECHECKOUT\w*|unable to check out connection|query_wait_timeout",
    ),
    Case(
        "simple query",
        "This is a pooler in transaction mode, which cannot carry a rollout",
        "Use the session pooler (same host, port 5432) or the database itself.",
        r"EPSSIMPLEQUERY|only supports prepared statements using the Extended Query Protocol",
    ),
    Case(
        "pooler's own login",
        "The pooler could not check the password with the database",
        "Try again in a minute; if it stays so, connect to the database itself.",
        r"EAUTHQUERY|EAUTHSECRETS|EJITREQUESTFAILED",
    ),
    Case("banned", "The pooler has banned this project", "Ask Supabase's support why.", r"EBANNED|tenant is banned"),
    Case(
        "pool ended",
        "The pooler ended the connection",
        _AGAIN,
        r"EPOOLTERMINATING|EDBHANDLEREXITED|ECLIENTSOCKETCLOSED|DbHandler exited",
    ),
)

PGBOUNCER = (
    Case(
        "statement mode",
        "This is a pooler in statement mode, which allows no transactions",
        "Connect to the database itself, or to a pool in session mode (PgBouncer: pool_mode = session).",
        r"not allowed in statement pooling mode",
    ),
    Case(
        "startup parameter",
        "The pooler refuses a setting that is sent on connecting",
        "Unset the variable that sends it (PGOPTIONS, PGGEQO), or list it in PgBouncer's ignore_startup_parameters.",
        r"unsupported startup parameter",
    ),
    Case(
        "no such database",
        "The pooler has no such database",
        "Check the database name, and that the pooler's list of databases has it.",
        r"no such database",
    ),
    Case(
        "pooler cannot connect",
        "The pooler does not reach the database",
        "Find out whether the database runs, or connect to it without the pooler.",
        r"server_login_retry|server login (has been )?fail|pgbouncer cannot connect to server|server conn crashed",
    ),
    Case(
        "pooler paused",
        "The pooler is shutting down or paused",
        "Try again when it is back, or connect to the database itself.",
        r"the database is (paused|disabled)|database does not allow connections|pooler is shut",
    ),
)

TLS = (
    Case(
        "TLS required",
        "The server takes encrypted connections only",
        "Use sslmode=require, or better verify-full.",
        r"ESSLREQUIRED|SSL connection is required|no pg_hba\.conf entry .*\bno encryption|SSL required",
    ),
    Case(
        "no TLS",
        "The server has no TLS, which every host that is not local must have",
        "Switch it on there (ssl = on), or reach the server through a tunnel that ends on localhost.",
        r"server does not support SSL",
    ),
    Case(
        "no root certificate",
        "There is no certificate authority to verify the server with",
        _ROOT,
        r"root certificate file .* does not exist|could not read root certificate file"
        r"|weak sslmode .* may not be used with sslrootcert=system",
    ),
    Case(
        "wrong name",
        "The server's certificate is for another host",
        "Connect by the name that is in the certificate (hostaddr=ADDRESS may say where that is).",
        r"server certificate for .* does not match host name|could not get server's host name",
    ),
    Case(
        "expired certificate",
        "The server's certificate is not valid now",
        "Check this machine's clock; if it is right, the server needs a new certificate.",
        r"certificate has expired|certificate is not yet valid",
    ),
    Case(
        "unknown authority",
        "The server's certificate was not signed by the authority given",
        _ROOT,
        r"certificate verify failed|self-signed certificate|unable to get local issuer",
    ),
    Case(
        "client certificate",
        "The certificate of this client was not accepted",
        "Check sslcert and sslkey (the key's file must be readable by you alone).",
        r"certificate authentication failed|requires a valid client certificate|private key file|certificate file",
    ),
    Case(
        "TLS failed",
        "No encrypted connection could be established",
        "Check host and port: does a PostgreSQL server answer there?",
        r"SSL error|SSL SYSCALL|received invalid response to SSL negotiation|ESSLHANDSHAKE|SSL handshake failed",
    ),
)

LOGIN = (
    Case(
        "no password",
        "The server asks for a password, and none was found",
        "Give it in PGPASSWORD, ~/.pgpass, a service file or the URL; on a terminal the command asks for it.",
        r"no password supplied",
    ),
    Case(
        "wrong password",
        "The server refused the password",
        "Check user and password; in a URL special characters are percent-encoded (@ as %40).",
        r"password authentication failed|EWRONGPASSWORD|EJITUNAUTHORIZED|SASL|no such user|auth failed",
        ("28P01",),
        supabase_fix="Check the password (dashboard, Database settings, resets a lost one); in a URL special characters"
        " are percent-encoded (@ as %40). Through the pooler the user is postgres.<ref>.",
    ),
    Case(
        "pg_hba",
        "The server does not let this user into this database from here",
        "Somebody who runs the server has to allow it in pg_hba.conf; check user and database name first.",
        r"no pg_hba\.conf entry|pg_hba\.conf rejects",
    ),
    Case(
        "other authentication",
        "The server did not accept this login",
        "Check the user name: the server asks its system who may use it (peer, ident, LDAP, GSSAPI).",
        r"(Peer|Ident|LDAP|GSSAPI|PAM|RADIUS|OAuth\w*)\b.* authentication failed",
        ("28000",),
    ),
    Case(
        "no login",
        "This role may not log in",
        "Check the user name, or as an administrator: ALTER ROLE ... LOGIN;",
        r"is not permitted to log in",
    ),
    Case(
        "unknown database", "There is no such database", "Check the database name.",
        r'database "[^"]*" does not exist', ("3D000",), supabase_fix="On Supabase the database is called postgres.",
    ),
    Case("unknown role", "There is no such role", "Check the user name.", r'role "[^"]*" does not exist'),
    Case(
        "connect privilege", "This role may not connect to this database",
        "As the database's owner: GRANT CONNECT ON DATABASE ... TO ...;", r"permission denied for database",
    ),
    Case(
        "full", "The server has no connection free",
        "End idle sessions, or try again later; it keeps some for superusers only.",
        r"too many (clients|connections)|remaining connection slots", ("53300",),
        supabase_fix="End idle sessions or try again later; the session pooler (port 5432) may have one free.",
    ),
)  # fmt: skip

SERVER = (
    Case(
        "starting", "The server is starting up or recovering", "Try again in a moment.",
        r"database system is (starting up|in recovery mode|not yet accepting)|not yet accepting connections",
    ),
    Case(
        "closed standby", "The server is a standby that takes no connections", "Connect to the primary.",
        r"Hot standby mode is disabled|not accepting connections",
    ),
    Case(
        "shutting down", "The server is shutting down", "Try again when it is back.",
        r"database system is shutting down",
    ),
    Case(
        "standby", "The server is a hot standby: it can only be read", "Connect to the primary.",
        r"server is in hot standby mode|session is read-only|conflict with recovery",
    ),
    Case(
        "limit", "The server ended the session by a time limit of its own",
        "Find who set it for this role or database (\\drds in psql); then run the same command again.",
        r"due to (idle-session|idle-in-transaction|transaction) timeout", ("57P05", "25P03", "25P04"),
    ),
    Case(
        "ended", "The server ended the connection", _AGAIN,
        r"terminating connection|terminating .* due to administrator", ("57P01", "57P02"),
    ),
    Case("cancelled", "The server cancelled a statement", _AGAIN, "", ("57014",)),
    Case(
        "disk full", "The server has no disk space left",
        "Make room first; what was not committed is rolled back.", r"No space left on device", ("53100",),
        supabase_fix="Enlarge the disk or make room (dashboard, Database settings); Supabase goes read-only meanwhile.",
    ),
    Case("locked", "The server gave up waiting for a lock", "Run the same command again.", "", ("55P03", "40P01")),
)  # fmt: skip

NETWORK = (
    Case(
        "unknown host", "The host name is unknown", "Check the host name, and that this machine has a name server.",
        r"could not translate host name|failed to resolve host|Name or service not known|nodename nor servname"
        r"|Temporary failure in name resolution|No address associated with hostname",
        supabase_fix=f"Check the ref in the host name. {_POOLER_HOST}",
    ),
    Case(
        "unreachable", "The network does not reach the host", "Check the network, the VPN and the firewall.",
        r"Network is unreachable|No route to host|Network is down|Host is down|Cannot assign requested address"
        r"|Address family not supported",
        supabase_fix=_POOLER_HOST,
    ),
    Case(
        "no server", "No server answers there", "Check host and port; is it running?",
        r"Connection refused|No such file or directory",
    ),
    Case(
        "timeout", "The server did not answer in time", "Check host, port, firewall and VPN.",
        r"timeout expired|timed out|could not receive data .* timeout",
    ),
    Case(
        "lost", "The connection was lost", _AGAIN,
        r"server closed the connection|connection is closed|connection is lost|EOF detected|Connection reset"
        r"|Broken pipe|no connection to the server|could not (send|receive) data|connection not open",
    ),
)  # fmt: skip

CASES = (*SUPAVISOR, *PGBOUNCER, *TLS, *LOGIN, *SERVER, *NETWORK)
"""In the order in which they are tried: what names its cause comes before what many causes share."""

OTHERWISE_CONNECTING = Case("other", "Cannot connect", "What was said above tells why; check the connection settings.")
OTHERWISE_CONNECTED = Case("other", "The server could not go on", f"What it said above tells why. {_AGAIN}")
