"""Limits that a server, a database or a role imposes: a rollout sets its own and outlives theirs."""

from __future__ import annotations

import shutil
import socket
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from tests.conftest import MakeDatabase
from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from wizard.db import session
from wizard.db.connect import connect
from wizard.db.faults import find_case
from wizard.db.message import send_message
from wizard.demo.server import SUPERUSER
from wizard.engine.events import Event, PartCommitted
from wizard.errors import ConnectionUnsuitableError
from wizard.rollout.load import load_rollout

ROLLOUT = Path(__file__).parent.parent.parent
TINY = ROLLOUT / "tests" / "rollouts" / "tiny"

BUSY = """\
DO $$ BEGIN PERFORM pg_sleep(2); END $$;
"""
"""Keeps a backend at work for longer than any limit below."""

LIMITS = {
    "statement_timeout": "1500ms",
    "lock_timeout": "1ms",
    "idle_in_transaction_session_timeout": "1500ms",
    "idle_session_timeout": "1500ms",
    "transaction_timeout": "1500ms",
    "default_transaction_isolation": "serializable",
}
"""Long enough for a session on a busy machine to get to its first statement, which sets its own."""


def impose(database: Database, limits: dict[str, str]) -> None:
    """Set limits for the operator's role in this database, as far as the server knows them."""
    known = {name for (name,) in database.query("select name from pg_settings")}
    for name, value in limits.items():
        if name in known:
            database.psql(f"alter role postgres in database {database.name} set {name} = '{value}'", user=SUPERUSER)


def test_the_limits_do_bite_who_sets_none_of_its_own(database: Database) -> None:
    impose(database, LIMITS)

    with database.connect() as slow, pytest.raises(psycopg.DatabaseError, match="timeout"):
        slow.execute(BUSY.encode())
    with database.connect() as idle:
        database.execute(BUSY, user=SUPERUSER)
        with pytest.raises(psycopg.OperationalError, match="timeout"):
            idle.execute("select 1")


def test_a_rollout_outlives_every_limit_of_server_and_role(database: Database, tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    shutil.copytree(TINY, slow)
    with (slow / "sql" / "deploy" / "tickets.sql").open("a") as file:
        file.write(f"\n{BUSY}")
    before = database.snapshot()
    impose(database, LIMITS)
    operator = Operator(database, load_rollout(slow))

    def keep_it_idle(event: Event) -> None:
        if isinstance(event, PartCommitted):
            database.execute(BUSY, user=SUPERUSER)

    operator.listen(keep_it_idle)

    assert operator.engine.run().ending == "done"
    assert operator.engine.verify().passed
    assert operator.engine.rollback().ending == "done"
    operator.engine.forget()
    impose_nothing(database)
    assert_same(before, database.snapshot())


def impose_nothing(database: Database) -> None:
    database.psql(f"alter role postgres in database {database.name} reset all", user=SUPERUSER)


def test_a_whole_rollout_ends_done_under_a_cap_like_supabases(database: Database, twin: Database) -> None:
    Operator(twin).engine.run()
    impose(database, LIMITS)

    assert Operator(database).engine.run().ending == "done"

    impose_nothing(database)
    assert database.dump() == twin.dump()


SHORT = {"statement_timeout": "1500ms", "transaction_timeout": "1500ms"}
SLOWLY = """
create function public.think() returns trigger language plpgsql as
$$ begin perform pg_sleep(0.02); return new; end $$;
create trigger think before update on public.clones for each row execute function public.think();
alter table public.clones enable always trigger think;
"""
"""A backfill of a hundred rows takes longer than the limits."""


def test_the_limits_stay_away_after_an_index_was_built_concurrently(database: Database, tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    for folder in ("steps", "sql"):
        shutil.copytree(ROLLOUT / folder, slow / folder)
    for check in ("6.2_mapping.sql", "V_rls.sql"):
        file = slow / "sql" / "checks" / check
        text = file.read_text().replace("ORDER BY expected.place", "")
        file.write_text(f"{text} UNION ALL SELECT 'a look that takes long', '', pg_sleep(2)::text\n")
    impose(database, SHORT)
    operator = Operator(database, load_rollout(slow), strategy="online")

    assert operator.engine.run().ending == "done"
    assert operator.engine.verify().passed


def test_they_stay_away_from_a_script_too(make_database: MakeDatabase) -> None:
    database = make_database(rows=100)
    database.psql(SLOWLY)
    impose(database, SHORT)
    operator = Operator(database, strategy="online", decisions={"backfill_witnesses": "act"})

    database.psql(operator.engine.plan())

    assert operator.engine.verify().passed


def test_every_session_sets_its_own(database: Database) -> None:
    impose(database, LIMITS)
    with connect(database.target(), schema="public", read_only=False, lock_timeout_ms=345) as connection:
        found = {row["name"]: row["setting"] for row in connection.execute("select name, setting from pg_settings")}

    wanted = {
        "statement_timeout": "0", "lock_timeout": "345", "idle_in_transaction_session_timeout": "60000",
        "idle_session_timeout": "0", "client_connection_check_interval": "5000", "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3", "tcp_user_timeout": "25000",
        "default_transaction_isolation": "read committed", "row_security": "off",
        **({"transaction_timeout": "0"} if "transaction_timeout" in found else {}),
    }  # fmt: skip
    assert {name: found[name] for name in wanted} == wanted


def test_a_setting_that_the_server_refuses_costs_only_itself(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(session.WHERE_KNOWN, "log_statement", "all")  # only a superuser may
    monkeypatch.setitem(session.WHERE_KNOWN, "no_such_setting", "1")

    with connect(database.target(), schema="public", read_only=True) as connection:
        rows = connection.execute(
            "select name, setting from pg_settings where name in"
            " ('log_statement', 'client_connection_check_interval', 'statement_timeout', 'tcp_user_timeout')"
        )
        found = {row["name"]: row["setting"] for row in rows}

    assert found == {
        "client_connection_check_interval": "5000",
        "log_statement": "none",
        "statement_timeout": "0",
        "tcp_user_timeout": "25000",
    }


def test_a_dead_network_is_noticed_within_25_seconds_by_this_side_too(database: Database) -> None:
    options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
    with (
        connect(database.target(), schema="public", read_only=True) as connection,
        # A copy of the descriptor: closing it leaves the connection alone.
        socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as copy,
    ):
        alive = copy.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        idle, interval, count, unacknowledged = (copy.getsockopt(socket.IPPROTO_TCP, option) for option in options)

    assert alive
    assert idle + interval * count <= 25
    assert 0 < unacknowledged <= 25_000


def test_what_the_operator_writes_about_the_network_wins(database: Database) -> None:
    conninfo = make_conninfo(database.conninfo(), keepalives_idle=60, connect_timeout=3)
    target = replace(database.target(), conninfo=SecretStr(conninfo))

    with connect(target, schema="public", read_only=True) as connection:
        assert connection.info.get_parameters()["keepalives_idle"] == "60"
        assert connection.info.get_parameters()["connect_timeout"] == "3"
        assert connection.info.get_parameters()["keepalives_interval"] == "5"


@pytest.mark.parametrize("limit", ["idle_in_transaction_session_timeout", "idle_session_timeout"])
def test_a_session_that_a_limit_ended_counts_as_a_lost_connection(database: Database, limit: str) -> None:
    with connect(database.target(), schema="public", read_only=False) as connection:
        if limit == "idle_in_transaction_session_timeout":
            connection.execute("begin")
        connection.execute(sql.SQL("set {} = '50ms'").format(sql.Identifier(limit)))
        database.execute(BUSY, user=SUPERUSER)

        with pytest.raises(psycopg.OperationalError) as lost:
            send_message(connection, "select 1")

    assert find_case(" ".join(str(lost.value).split()), lost.value.sqlstate).name == "limit"


def test_a_limit_that_strikes_all_the_same_is_told_as_what_it_is(database: Database) -> None:
    operator = Operator(database)
    with (
        pytest.raises(ConnectionUnsuitableError, match="The server cancelled a statement"),
        operator.engine._reading() as (connection, _),
    ):
        connection.execute("set statement_timeout = '50ms'")
        connection.execute(BUSY.encode())
