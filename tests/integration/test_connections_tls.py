"""TLS with a real server: what is encrypted, what is verified, and what is refused, by the command as installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.database import Database
from tests.support.pgbouncer import port_of
from tests.support.program import Ended, Program
from tests.support.tls import NAME, REF, Secured, secured_server
from wizard.errors import ExitCode


@pytest.fixture(scope="module")
def secured() -> Iterator[Secured]:
    with secured_server() as server:
        yield server


@pytest.fixture
def wizard(secured: Secured, state_dir: Path) -> Program:
    """The command with the password in the environment; each test names its own target."""
    return Program(state_dir, environment={"PGPASSWORD": secured.database.password})


def assert_refused(ended: Ended, *words: str) -> None:
    assert ended.code == ExitCode.CONNECTION, ended.err
    assert ended.err.count("rag-wizard:") == 1
    assert not ended.out
    for word in words:
        assert word in ended.err


def test_a_remote_host_is_spoken_to_encrypted_without_being_asked(secured: Secured, wizard: Program) -> None:
    ended = wizard("status", "--json", "--dsn", secured.url())

    assert ended.code == ExitCode.DONE, ended.err
    assert ended.document["server"]["tls"] is True
    assert ended.err.count("sslmode=verify-full sslrootcert=FILE") == 1


@pytest.mark.slow
def test_a_whole_rollout_over_a_verified_connection(secured: Secured, wizard: Program) -> None:
    before = secured.cluster.server.log_text()
    target = ("--dsn", secured.url("sslmode=verify-full", f"sslrootcert={secured.root}"))

    run = wizard("run", "--yes", "--confirm", REF, *target)
    rollback = wizard("rollback", "--yes", "--confirm", REF, *target)

    assert (run.code, rollback.code) == (ExitCode.DONE, ExitCode.DONE), run.err + rollback.err
    assert "verify-full" not in run.err
    assert "no encryption" not in secured.cluster.server.log_text()[len(before) :]


def test_a_connection_string_that_allows_plain_text_is_refused_before_anything_is_sent(
    secured: Secured, wizard: Program
) -> None:
    before = secured.cluster.server.log_text()

    assert_refused(wizard("status", "--dsn", secured.url("sslmode=prefer")), "sslmode=prefer (--dsn)", "tunnel")
    assert_refused(wizard("check", "--dsn", secured.url(), PGSSLMODE="disable"), "sslmode=disable (PGSSLMODE)")

    assert secured.cluster.server.log_text() == before


def test_a_remote_host_without_tls_is_refused(database: Database, wizard: Program) -> None:
    url = f"postgresql://postgres@{NAME}:{port_of(database)}/{database.name}?hostaddr=127.0.0.1"

    assert_refused(wizard("status", "--dsn", url), "The server has no TLS", "tunnel")


def test_a_server_that_wants_tls_is_understood(secured: Secured, wizard: Program) -> None:
    database = secured.database
    url = f"postgresql://postgres@127.0.0.1:{port_of(database)}/{database.name}?sslmode=disable"

    assert_refused(wizard("status", "--dsn", url), "takes encrypted connections only", "sslmode=require")


@pytest.mark.parametrize(
    ("parameters", "what"),
    [
        ("sslmode=verify-full&sslrootcert={stranger}", "was not signed by the authority given"),
        ("sslmode=verify-ca&sslrootcert={stranger}", "was not signed by the authority given"),
        ("sslmode=verify-full", "no certificate authority to verify the server with"),
        ("sslmode=verify-full&sslrootcert={missing}", "no certificate authority to verify the server with"),
        ("sslmode=verify-full&sslrootcert=system", "was not signed by the authority given"),
        ("sslmode=require&sslrootcert=system", "no certificate authority to verify the server with"),
    ],
)
def test_a_server_that_cannot_be_verified_is_refused_with_what_verifying_needs(
    secured: Secured, wizard: Program, parameters: str, what: str
) -> None:
    url = secured.url(parameters.format(stranger=secured.stranger, missing=secured.root.with_name("missing.pem")))

    assert_refused(wizard("status", "--dsn", url), what, "sslrootcert=FILE", "Download certificate")


def test_a_server_that_answers_for_another_name_is_refused(secured: Secured, wizard: Program) -> None:
    url = secured.url("sslmode=verify-full", f"sslrootcert={secured.root}", name="db.example.org")

    assert_refused(wizard("status", "--dsn", url), "certificate is for another host", NAME)


def test_a_role_that_pg_hba_keeps_out_is_told_where_to_ask(secured: Secured, wizard: Program) -> None:
    url = secured.url().replace("//postgres@", "//outsider@")

    assert_refused(wizard("status", "--dsn", url), "does not let this user into this database from here", "pg_hba.conf")
