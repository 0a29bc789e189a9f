"""Connections that cannot serve a rollout, on real servers, by the command as installed: exit code and one message."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from tests.support.cluster import Cluster
from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from tests.support.pgbouncer import Through, pgbouncer, port_of
from tests.support.program import Ended, Program
from tests.support.standby import hot_standby
from wizard.demo.server import SUPERUSER, Server
from wizard.errors import ConnectionUnsuitableError, ExitCode


def assert_one_message(ended: Ended, code: ExitCode, what: str, fix: str) -> None:
    """One message, with the fix, and nothing that looks like a fault of the program."""
    assert ended.code == code, ended.err
    assert ended.err.count("rag-wizard:") == 1
    assert what in ended.err
    assert fix in ended.err
    assert "Traceback" not in ended.err
    assert not ended.out


def look(conninfo: str, state_dir: Path, **environment: str) -> Ended:
    return Program(state_dir)("status", "--dsn", conninfo, **environment)


# Cannot connect ------------------------------------------------------------------------------------------------------


def test_a_wrong_password(database: Database, state_dir: Path) -> None:
    ended = look(make_conninfo(database.conninfo(), password="hush-hush"), state_dir)

    assert_one_message(ended, ExitCode.CONNECTION, "The server refused the password", "percent-encoded")
    assert "hush-hush" not in ended.err


def test_no_password_and_no_terminal_to_ask_on(database: Database, state_dir: Path) -> None:
    ended = look(f"postgresql://postgres@127.0.0.1:{port_of(database)}/{database.name}", state_dir)

    assert_one_message(ended, ExitCode.CONNECTION, "asks for a password, and none was found", "PGPASSWORD")


def test_an_unknown_host(state_dir: Path) -> None:
    ours = look("postgresql://ada@no-such-host.invalid/app", state_dir)
    supabases = look("postgresql://postgres@db.abcdefghijklmnopqrst.supabase.invalid/postgres", state_dir)

    assert_one_message(ours, ExitCode.CONNECTION, "The host name is unknown", "Check the host name")
    assert supabases.code == ExitCode.CONNECTION


def test_a_server_that_is_down(state_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nothing can answer there
        ended = look(f"postgresql://ada@127.0.0.1:{taken.getsockname()[1]}/app", state_dir)

    assert_one_message(ended, ExitCode.CONNECTION, "No server answers there", "is it running?")


def test_a_server_that_never_answers(state_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ended = look(f"postgresql://ada@127.0.0.1:{silent.getsockname()[1]}/app?connect_timeout=2", state_dir)

    assert_one_message(ended, ExitCode.CONNECTION, "did not answer in time", "firewall")


def test_a_database_that_does_not_exist(database: Database, state_dir: Path) -> None:
    ended = look(make_conninfo(database.conninfo(), dbname="nowhere"), state_dir)

    assert_one_message(ended, ExitCode.CONNECTION, "There is no such database", "Check the database name")


@pytest.mark.parametrize(
    ("hindrance", "what", "fix"),
    [
        ("alter role guest nologin", "This role may not log in", "ALTER ROLE"),
        ("alter role guest connection limit 0", "The server has no connection free", "End idle sessions"),
        ("revoke connect on database {name} from public", "may not connect to this database", "GRANT CONNECT"),
    ],
)
def test_a_role_that_is_not_let_in(database: Database, state_dir: Path, hindrance: str, what: str, fix: str) -> None:
    database.psql(f"create role guest login password '{database.password}';", user=SUPERUSER)
    try:
        database.psql(hindrance.format(name=database.name), user=SUPERUSER)

        assert_one_message(look(database.url("guest"), state_dir), ExitCode.CONNECTION, what, fix)
    finally:
        database.psql("drop role guest", user=SUPERUSER)


# Poolers --------------------------------------------------------------------------------------------------------------


def test_a_pooler_refuses_in_its_own_words(cluster: Cluster, database: Database, state_dir: Path) -> None:
    with pgbouncer(cluster, "session", max_clients=1) as pooler:
        there = pooler.through(database)
        wrong = look(make_conninfo(there.conninfo(), password="hush-hush"), state_dir)
        with there.connect() as other:
            other.execute("select 1")
            full = look(there.url(), state_dir)

    assert_one_message(wrong, ExitCode.CONNECTION, "The server refused the password", "percent-encoded")
    assert_one_message(full, ExitCode.CONNECTION, "accepts no further client", "the database itself")


def test_a_pooler_that_cannot_log_in_at_the_server(cluster: Cluster, database: Database, state_dir: Path) -> None:
    with pgbouncer(cluster, "session", password="not-the-servers") as pooler:
        there = Through(database.server, database.name, pooler.port)
        ended = look(make_conninfo(there.conninfo(), password="not-the-servers"), state_dir)

    assert ended.code == ExitCode.CONNECTION
    assert "not-the-servers" not in ended.err
    assert ended.err.count("rag-wizard:") == 1


def test_options_in_url_and_environment_never_reach_a_pooler(
    cluster: Cluster, database: Database, state_dir: Path
) -> None:
    with pgbouncer(cluster, "session") as pooler:
        url = f"{pooler.through(database).url()}?options=-c%20statement_timeout%3D1"

        ended = look(url, state_dir, PGOPTIONS="-c lock_timeout=1")

    assert ended.code == ExitCode.DONE, ended.err
    assert "options= in --dsn is dropped" in ended.err
    assert "PGOPTIONS is ignored" in ended.err


# Connected, and unsuitable --------------------------------------------------------------------------------------------


@pytest.fixture
def standby(cluster: Cluster, database: Database) -> Iterator[Server]:
    """A hot standby of a server on which the rollout has begun."""
    Operator(database).engine.run(last="1.2")
    with hot_standby(cluster) as server:
        yield server


@pytest.mark.slow
def test_a_hot_standby_is_looked_at_and_never_written_to(database: Database, standby: Server, state_dir: Path) -> None:
    wizard = Program.on(Database(standby, database.name), state_dir)

    for command in (("run", "--yes"), ("rollback", "--yes"), ("forget", "--yes", "--keep-objects")):
        ended = wizard(*command)
        assert_one_message(ended, ExitCode.PREREQUISITES, "the server is a standby", "Connect to the primary")
        assert "Nothing was changed" in ended.err
    assert wizard("run", "--dry-run").code == ExitCode.PREREQUISITES
    assert wizard("check").code == ExitCode.PREREQUISITES
    status = wizard("status")
    assert status.code == ExitCode.DONE
    assert "Steps 0 to 1.2 are committed" in status.out + status.err


@pytest.mark.slow
def test_a_server_says_when_it_takes_no_connections(database: Database, standby: Server, state_dir: Path) -> None:
    there = Database(standby, database.name)
    with there.connect() as held:
        held.execute("select 1")
        url = there.url()
        pid = int((standby.data_dir / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGTERM)  # a smart shutdown: it waits for the connection that is held
        ending = look(url, state_dir)
        while ending.code == ExitCode.DONE:  # the signal was not served yet
            ending = look(url, state_dir)
    assert_one_message(ending, ExitCode.CONNECTION, "The server is shutting down", "Try again")

    standby.stop()
    with (standby.data_dir / "postgresql.conf").open("a") as conf:
        conf.write("hot_standby = off\n")
    standby.start()
    closed = look(there.url(), state_dir)
    assert_one_message(closed, ExitCode.CONNECTION, "a standby that takes no connections", "Connect to the primary")


@pytest.mark.slow
def test_a_database_that_was_made_read_only_stays_so(database: Database, state_dir: Path) -> None:
    Operator(database).engine.run(last="1.1")
    before = database.snapshot()
    database.psql(f"alter database {database.name} set default_transaction_read_only = on", user=SUPERUSER)

    for command in (("run",), ("rollback",), ("forget", "--keep-objects")):
        ended = Program.on(database, state_dir)(*command, "--yes")
        assert_one_message(ended, ExitCode.PREREQUISITES, "default_transaction_read_only is on", "made read-only")

    database.psql(
        f"set default_transaction_read_only = off; alter database {database.name} reset default_transaction_read_only",
        user=SUPERUSER,
    )
    assert_same(before, database.snapshot())


def test_a_role_that_owns_nothing_is_told_whose_tables_they_are(
    make_database: Callable[..., Database], state_dir: Path
) -> None:
    database = make_database("foreign_owner")
    before = database.snapshot()

    ended = Program.on(database, state_dir)("run", "--yes")

    assert_one_message(ended, ExitCode.PREREQUISITES, "clones belongs to app_owner", "GRANT app_owner TO postgres;")
    assert_same(before, database.snapshot())


@pytest.mark.parametrize(
    "commands",
    [
        pytest.param(("status", "run --yes"), id="sample"),
        pytest.param(("check", "plan", "verify", "log", "rollback --yes", "forget --yes"), marks=pytest.mark.slow),
    ],
)
def test_a_registry_of_another_role_is_never_taken_for_empty(
    database: Database, readonly_user: str, state_dir: Path, commands: tuple[str, ...]
) -> None:
    Operator(database).engine.run(last="1.1")
    before = database.snapshot()
    wizard = Program.on(database, state_dir, user=readonly_user)

    for command in commands:
        ended = wizard(*command.split())
        assert_one_message(ended, ExitCode.CONNECTION, 'belongs to role "postgres"', 'Connect as "postgres"')

    assert_same(before, database.snapshot())


def test_a_session_that_the_server_ends_while_looking_is_told(database: Database) -> None:
    operator = Operator(database)
    with (
        pytest.raises(ConnectionUnsuitableError, match="The server ended the connection") as told,
        operator.engine._reading() as (connection, _),
    ):
        database.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'rag-wizard'",
            user=SUPERUSER,
        )
        connection.execute("select 1")
    assert "asks the database" in told.value.fix
