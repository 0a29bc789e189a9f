"""Every failure of a connection in words: as servers, poolers and libpq put it, and as people are told."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from wizard.db.fault_words import CASES
from wizard.db.faults import PasswordNeededError, find_case, translate
from wizard.db.target import Target
from wizard.errors import ExitCode

PASSWORD = "s3cr3t-Wort"
REF = "abcdefghijklmnopqrst"

TARGET = Target(
    conninfo=SecretStr(f"host=db.example.org port=5432 dbname=app user=ada password={PASSWORD}"),
    name="acme",
    host="db.example.org",
    port=5432,
    dbname="app",
    user="ada",
    source="--dsn",
    env="production",
    production=True,
    local=False,
)
SUPABASE = replace(TARGET, host=f"db.{REF}.supabase.co", user="postgres", dbname="postgres")
POOLER = replace(TARGET, host="aws-0-eu-west-1.pooler.supabase.com", user=f"postgres.{REF}", dbname="postgres")

AT = 'connection failed: connection to server at "203.0.113.7", port 5432 failed: '

WORDED: list[tuple[str, str]] = [
    # Supavisor
    ("unknown project", f"FATAL:  (ENOTFOUND) tenant/user postgres.{REF} not found"),
    ("unknown project", "FATAL:  Tenant or user not found"),
    ("no identifier", "FATAL:  (ENOIDENTIFIER) no tenant identifier provided (external_id or sni_hostname required)"),
    ("invalid user", '(EINVALIDUSERINFO) Authentication error, reason: "Invalid format for user or db_name"'),
    ("TLS required", "FATAL:  (ESSLREQUIRED) SSL connection is required for user: postgres"),
    (
        "session pool full",
        "FATAL:  (EMAXCONNSESSION) max clients reached in session mode - max clients are limited to pool_size: 15",
    ),
    ("pool full", "FATAL:  (EMAXCONN) max client connections reached, limit: 200"),
    ("pool full", "FATAL:  (EMAXPOOLSREACHED) max pools count reached"),
    ("wrong password", 'FATAL:  (EWRONGPASSWORD) password authentication failed for user "postgres"'),
    (
        "circuit breaker",
        "FATAL:  (ECIRCUITBREAKER) too many authentication failures, new connections are temporarily blocked",
    ),
    ("address not allowed", "FATAL:  (EADDRNOTALLOWED) address not in tenant allow_list: {203, 0, 113, 7}"),
    (
        "checkout timeout",
        "FATAL:  (ECHECKOUTTIMEOUT) unable to check out connection from the pool after 15000ms in Session mode",
    ),
    ("checkout timeout", "FATAL:  (ECHECKOUTRETRIES) failed to check out a connection after multiple retries"),
    (
        "simple query",
        "FATAL:  (EPSSIMPLEQUERY) transaction mode only supports prepared statements using the Extended Query Protocol",
    ),
    ("pooler's own login", "FATAL:  (EAUTHQUERY) authentication query failed: connection refused"),
    ("banned", "FATAL:  (EBANNED) tenant is banned: abuse"),
    ("pool ended", "FATAL:  (EPOOLTERMINATING) pool terminating: pool is terminating"),
    ("pool ended", "FATAL:  (EDBHANDLEREXITED) connection to database closed. Check logs for more information"),
    ("TLS failed", "FATAL:  (ESSLHANDSHAKE) SSL handshake failed: :closed"),
    # PgBouncer
    ("statement mode", "ERROR:  transaction blocks not allowed in statement pooling mode"),
    ("startup parameter", "FATAL:  unsupported startup parameter: options"),
    ("no such database", "FATAL:  no such database: app"),
    ("pooler cannot connect", "FATAL:  server login has been failing, try again later (server_login_retry)"),
    ("pooler cannot connect", "FATAL:  pgbouncer cannot connect to server"),
    ("checkout timeout", "FATAL:  query_wait_timeout"),
    ("pool full", "FATAL:  no more connections allowed (max_client_conn)"),
    ("pooler paused", "FATAL:  the database is paused"),
    ("wrong password", "FATAL:  SASL authentication failed"),
    # TLS
    ("no TLS", f"{AT}server does not support SSL, but SSL was required"),
    (
        "TLS required",
        f'{AT}FATAL:  no pg_hba.conf entry for host "203.0.113.7", user "ada", database "app", no encryption',
    ),
    (
        "no root certificate",
        f'{AT}root certificate file "/home/ada/.postgresql/root.crt" does not exist\nEither provide the file, use the '
        "system's trusted roots with sslrootcert=system, or change sslmode to disable server certificate verification.",
    ),
    ("no root certificate", f'{AT}could not read root certificate file "ca.pem": no certificate or crl found'),
    ("unknown authority", f"{AT}SSL error: certificate verify failed"),
    (
        "wrong name",
        f'{AT}server certificate for "db.example.com" (and 1 other name) does not match host name "db.example.org"',
    ),
    ("expired certificate", f"{AT}SSL error: certificate verify failed: certificate has expired"),
    ("client certificate", 'FATAL:  certificate authentication failed for user "ada"'),
    ("client certificate", f'{AT}private key file "client.key" has group or world access'),
    ("TLS failed", f"{AT}received invalid response to SSL negotiation: H"),
    # Logging in
    ("no password", f"{AT}fe_sendauth: no password supplied"),
    ("wrong password", f'{AT}FATAL:  password authentication failed for user "ada"'),
    (
        "pg_hba",
        f'{AT}FATAL:  no pg_hba.conf entry for host "203.0.113.7", user "ada", database "app", SSL encryption',
    ),
    ("pg_hba", f'{AT}FATAL:  pg_hba.conf rejects connection for host "203.0.113.7", user "ada", database "app"'),
    ("other authentication", f'{AT}FATAL:  Peer authentication failed for user "ada"'),
    ("no login", f'{AT}FATAL:  role "ada" is not permitted to log in'),
    ("unknown database", f'{AT}FATAL:  database "app" does not exist'),
    ("unknown role", f'{AT}FATAL:  role "ada" does not exist'),
    (
        "connect privilege",
        f'{AT}FATAL:  permission denied for database "app"\nDETAIL:  User does not have CONNECT privilege.',
    ),
    ("full", f"{AT}FATAL:  sorry, too many clients already"),
    ("full", f'{AT}FATAL:  too many connections for role "ada"'),
    (
        "full",
        f"{AT}FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
    ),
    # The server's state
    ("starting", f"{AT}FATAL:  the database system is starting up"),
    ("starting", f"{AT}FATAL:  the database system is in recovery mode"),
    (
        "starting",
        f"{AT}FATAL:  the database system is not yet accepting connections\n"
        "DETAIL:  Consistent recovery state has not been yet reached.",
    ),
    (
        "closed standby",
        f"{AT}FATAL:  the database system is not accepting connections\nDETAIL:  Hot standby mode is disabled.",
    ),
    ("shutting down", f"{AT}FATAL:  the database system is shutting down"),
    ("standby", f"{AT}server is in hot standby mode"),
    ("standby", f"{AT}session is read-only"),
    ("limit", "terminating connection due to idle-session timeout"),
    ("limit", "terminating connection due to transaction timeout"),
    ("ended", "terminating connection due to administrator command\nSSL connection has been closed unexpectedly"),
    ("disk full", "could not extend file: No space left on device"),
    # The network
    ("unknown host", "failed to resolve host 'db.example.org': [Errno -2] Name or service not known"),
    ("unknown host", "failed to resolve host 'db.example.org': [Errno -5] No address associated with hostname"),
    ("unknown host", 'could not translate host name "db.example.org" to address: Temporary failure in name resolution'),
    ("unreachable", f"{AT}Network is unreachable\n\tIs the server running on that host and accepting TCP/IP?"),
    ("unreachable", f"{AT}Cannot assign requested address"),
    ("no server", f"{AT}Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?"),
    (
        "no server",
        'connection is bad: connection to server on socket "/run/.s.PGSQL.5432" failed: No such file or directory',
    ),
    ("timeout", "connection timeout expired"),
    ("timeout", "could not receive data from server: Connection timed out"),
    ("lost", "server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally"),
    ("lost", "consuming input failed: EOF detected"),
    ("lost", "the connection is lost"),
    # Nothing that is known
    ("other", "connection failed: out of memory"),
]

BY_CODE: list[tuple[str, type[psycopg.OperationalError], str]] = [
    ("cancelled", psycopg.errors.QueryCanceled, "canceling statement due to statement timeout"),
    ("locked", psycopg.errors.LockNotAvailable, "canceling statement due to lock timeout"),
    ("locked", psycopg.errors.DeadlockDetected, "deadlock detected"),
    ("disk full", psycopg.errors.DiskFull, "konnte Datei nicht erweitern"),
    ("ended", psycopg.errors.AdminShutdown, "breche Verbindung ab aufgrund von Anweisung des Administrators"),
    ("limit", psycopg.errors.IdleInTransactionSessionTimeout, "terminating connection due to a limit"),
    ("other", psycopg.errors.ConfigFileError, "odd"),
]


@pytest.mark.parametrize(("name", "message"), WORDED)
def test_each_failure_is_recognised_and_comes_with_a_fix(name: str, message: str) -> None:
    told = translate(psycopg.OperationalError(message), TARGET)

    case = find_case(" ".join(message.split()), None)
    assert case.name == name
    assert told.what == f"{case.what}: db.example.org:5432/app as ada"
    assert told.fix == case.fix
    assert told.exit_code == ExitCode.CONNECTION
    assert "\n" not in told.why


@pytest.mark.parametrize(("name", "kind", "message"), BY_CODE)
def test_inside_a_session_the_code_decides_in_whatever_language(
    name: str, kind: type[psycopg.OperationalError], message: str
) -> None:
    assert find_case(message, kind.sqlstate).name == name
    assert translate(kind(message), TARGET).why == f"The server said: {message}"


def test_no_known_failure_is_left_untried() -> None:
    tried = {name for name, _ in WORDED} | {name for name, _, _ in BY_CODE}

    assert {case.name for case in CASES} | {"other"} == tried
    assert len({case.name for case in CASES}) == len(CASES)


def test_a_missing_password_is_a_case_of_its_own_so_that_a_terminal_can_ask() -> None:
    assert isinstance(
        translate(psycopg.OperationalError(f"{AT}fe_sendauth: no password supplied"), TARGET), PasswordNeededError
    )


@pytest.mark.parametrize(
    ("message", "fix"),
    [
        ("failed to resolve host 'x': [Errno -2] Name or service not known", "IPv6 address only"),
        (f"{AT}Network is unreachable", "port 5432, user postgres.<ref>"),
        (f'{AT}FATAL:  password authentication failed for user "postgres"', "Through the pooler"),
        (f'{AT}FATAL:  database "app" does not exist', "called postgres"),
        (f"{AT}SSL error: certificate verify failed: self-signed certificate in chain", "Download certificate"),
    ],
)
def test_where_the_host_is_supabases_the_fix_is_too(message: str, fix: str) -> None:
    for target in (SUPABASE, POOLER):
        assert fix in translate(psycopg.OperationalError(message), target).fix


def test_who_said_it_is_told() -> None:
    by_server = translate(psycopg.OperationalError(f"{AT}FATAL:  sorry, too many clients already"), TARGET)
    by_driver = translate(psycopg.OperationalError("connection timeout expired"), TARGET)

    assert by_server.why.startswith('The server said: connection to server at "203.0.113.7"')
    assert by_driver.why == "In the driver's words: connection timeout expired"


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_words_ever_repeat_the_password(before: str, after: str) -> None:
    told = translate(psycopg.OperationalError(f"{before}{PASSWORD}{after}"), TARGET)

    assert PASSWORD not in str(told)
    assert told.__cause__ is None
