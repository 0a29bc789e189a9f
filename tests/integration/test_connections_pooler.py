"""Poolers: a session pool serves a rollout and gets its backends back clean, a transaction pool only lets look."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.cluster import Cluster
from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from tests.support.pgbouncer import Pooler, pgbouncer
from tests.support.program import Program
from wizard.db import pooler as pooler_module
from wizard.db.connect import connect
from wizard.engine.api import Engine
from wizard.engine.events import Noticed
from wizard.engine.views_back import RollbackPlan
from wizard.errors import ConnectionUnsuitableError, ExitCode

GENERATED = ("id", "created_at", "updated_at")

LOOKS = {
    "check": ExitCode.PREREQUISITES,
    "plan": ExitCode.DONE,
    "status": ExitCode.DONE,
    "verify": ExitCode.FAILED,  # nothing is rolled out yet
    "log": ExitCode.DONE,
    "run --dry-run": ExitCode.CONNECTION,  # as the run itself would end
}
WRITES: dict[str, Callable[[Engine], object]] = {
    "run": lambda engine: engine.run(),
    "rollback": lambda engine: engine.rollback(),
    "forget": lambda engine: engine.forget(),
}


@pytest.fixture
def transaction_pool(cluster: Cluster) -> Iterator[Pooler]:
    with pgbouncer(cluster, "transaction") as pooler:
        yield pooler


@pytest.fixture
def session_pool(cluster: Cluster) -> Iterator[Pooler]:
    with pgbouncer(cluster, "session") as pooler:
        yield pooler


def kind_of(database: Database) -> str:
    return Operator(database).engine.survey().server.connection


def kind_for_writing(database: Database) -> str:
    try:
        with connect(database.target(), schema="public", read_only=False) as connection:
            return connection.kind
    except ConnectionUnsuitableError as error:
        assert "transaction pooler" in error.what
        return "transaction pooler"


def settings_of(database: Database) -> list[tuple[str, str]]:
    """What the backend that the pool hands out next has set differently from its start."""
    rows = database.query(
        "select name, setting from pg_settings where source = 'session'"
        " and setting is distinct from reset_val and name not in"
        " ('client_encoding', 'application_name', 'DateStyle', 'TimeZone', 'standard_conforming_strings')"
    )
    return [(name, value) for name, value in rows]


def test_the_kind_of_connection_is_told(database: Database, session_pool: Pooler, transaction_pool: Pooler) -> None:
    assert kind_of(database) == "direct"
    assert kind_of(session_pool.through(database)) == "session pooler"
    assert kind_of(transaction_pool.through(database)) == "transaction pooler"


def test_a_direct_connection_is_not_probed(database: Database) -> None:
    database.log_statements()

    Operator(database).engine.survey()

    assert sum("pg_backend_pid()" in text and "BEGIN" in text for text in database.logged()) == 0


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_a_pool_is_told_apart_while_others_keep_it_busy(cluster: Cluster, database: Database, mode: str) -> None:
    over = threading.Event()

    def work(conninfo: str) -> None:
        with psycopg.connect(conninfo, autocommit=True, prepare_threshold=None) as conn:
            while not over.is_set():
                conn.execute("select count(*) from generate_series(1, 2000)")

    size = 3 if mode == "transaction" else 12
    with pgbouncer(cluster, mode, pool_size=size) as pooler:
        there = pooler.through(database)
        others = [threading.Thread(target=work, args=(there.conninfo(),)) for _ in range(6)]
        for other in others:
            other.start()
        try:
            found = {kind_for_writing(there) for _ in range(12)}
        finally:
            over.set()
            for other in others:
                other.join()
    assert found == {f"{mode} pooler"}


def test_a_transaction_pool_of_one_is_still_recognised(cluster: Cluster, database: Database) -> None:
    with pgbouncer(cluster, "transaction", pool_size=1) as pooler:
        assert kind_of(pooler.through(database)) == "transaction pooler"


def test_a_pool_without_a_free_backend_says_so(cluster: Cluster, database: Database) -> None:
    with pgbouncer(cluster, "transaction", pool_size=1, query_wait_s=1) as pooler:
        there = pooler.through(database)
        with there.connect(autocommit=False) as other:
            other.execute("select 1")
            with pytest.raises(ConnectionUnsuitableError, match="no backend free in time"):
                kind_of(there)


def test_a_statement_pool_is_refused_even_for_looking(cluster: Cluster, database: Database) -> None:
    with (
        pgbouncer(cluster, "statement") as pooler,
        pytest.raises(ConnectionUnsuitableError, match="statement mode, which allows no transactions"),
    ):
        kind_of(pooler.through(database))


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_nothing_is_written_through_a_transaction_pool(
    database: Database, transaction_pool: Pooler, write: Callable[[Engine], object]
) -> None:
    Operator(database).engine.run(last="1.2")
    before = database.snapshot()

    with pytest.raises(ConnectionUnsuitableError) as refused:
        write(Operator(transaction_pool.through(database)).engine)

    assert refused.value.exit_code == ExitCode.CONNECTION
    assert "transaction pooler" in refused.value.what
    assert "Nothing was changed" in refused.value.why
    assert "session mode" in refused.value.fix
    assert_same(before, database.snapshot())


def without_ids(plan: RollbackPlan) -> str:
    """What the plan says; each text of a rollback carries ids of its own."""
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", plan.model_dump_json())


def test_looking_through_a_transaction_pool_sees_what_a_direct_look_sees(
    database: Database, transaction_pool: Pooler
) -> None:
    Operator(database).engine.run(last="2.2")
    direct, pooled = Operator(database).engine, Operator(transaction_pool.through(database)).engine

    here, there = direct.survey(), pooled.survey()

    # The text of what is still to run carries ids that are new each time.
    assert [(step.id, step.state, step.sizes) for step in there.steps] == [
        (step.id, step.state, step.sizes) for step in here.steps
    ]
    assert there.model_copy(update={"steps": (), "server": here.server}) == here.model_copy(update={"steps": ()})
    assert there.sentence == here.sentence
    assert pooled.verify() == direct.verify()
    assert without_ids(pooled.rollback_plan()) == without_ids(direct.rollback_plan())
    assert pooled.statements() == direct.statements()
    assert [result.level for result in pooled.check()] == ["stop", *(result.level for result in direct.check())]


def test_a_check_that_fails_does_not_spoil_the_others_behind_a_transaction_pool(
    database: Database, transaction_pool: Pooler, readonly_user: str
) -> None:
    direct = Operator(database, user=readonly_user).engine.verify()

    pooled = Operator(transaction_pool.through(database), user=readonly_user).engine.verify()

    assert any(check.error for check in direct.checks)
    assert pooled == direct


def test_looking_through_a_transaction_pool_leaves_its_backends_as_they_were(
    cluster: Cluster, database: Database
) -> None:
    with pgbouncer(cluster, "transaction", pool_size=1) as pooler:
        there = pooler.through(database)
        for look in (Engine.survey, Engine.check, Engine.verify, Engine.plan, Engine.dry_run):
            look(Operator(there).engine)
            assert settings_of(there) == []
        # What would hurt the application most: writes refused on a backend that it shares with us.
        there.execute("update clones set name = name")
        assert database.query("select 1 from pg_locks where locktype = 'advisory'") == []


@pytest.mark.slow
def test_commands_that_look_say_what_they_look_through(
    database: Database, transaction_pool: Pooler, state_dir: Path
) -> None:
    wizard = Program.on(transaction_pool.through(database), state_dir)

    for words, code in LOOKS.items():
        ended = wizard(*words.split())

        assert ended.code == code, ended.err
        assert ended.err.count("leads through a transaction pooler") == 1
        assert ended.out


def test_commands_that_write_end_with_4_and_one_message(
    database: Database, transaction_pool: Pooler, state_dir: Path
) -> None:
    before = database.snapshot()
    wizard = Program.on(transaction_pool.through(database), state_dir)

    ended = wizard("run", "--yes")
    as_json = wizard("run", "--yes", "--json")

    assert ended.code == as_json.code == ExitCode.CONNECTION
    assert ended.err.count("transaction pooler") == 1
    assert "Nothing was changed" in ended.err
    assert "session mode" in ended.err
    assert as_json.document["error"]["exit_code"] == ExitCode.CONNECTION
    assert_same(before, database.snapshot())


def test_a_session_pool_serves_a_whole_rollout(
    cluster: Cluster, database: Database, twin: Database, session_pool: Pooler
) -> None:
    before = database.snapshot()
    Operator(twin).engine.run()
    operator = Operator(session_pool.through(database))

    assert operator.engine.run().ending == "done"
    assert operator.engine.verify().passed
    assert not operator.told(Noticed)
    assert database.dump() == twin.dump()
    assert database.digest(GENERATED, schemas=["public"]) == twin.digest(GENERATED, schemas=["public"])
    assert operator.engine.rollback().ending == "done"
    operator.engine.forget()

    assert_same(before, database.snapshot())


def test_a_session_pool_of_one_serves_and_gets_its_backend_back_clean(
    cluster: Cluster, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooler_module, "SECOND_ANSWER_S", 0.2)  # how long the second one waits in vain
    with pgbouncer(cluster, "session", pool_size=1) as pooler:
        there = pooler.through(database)
        backend = there.value("select pg_backend_pid()")
        before = settings_of(there)

        assert Operator(there).engine.run(last="1.1").ending == "done"

        assert there.value("select pg_backend_pid()") == backend
        assert settings_of(there) == before == []
        assert there.value("select count(*) from pg_locks where locktype = 'advisory'") == 0


def test_a_session_that_ends_in_an_error_also_leaves_a_clean_backend(
    cluster: Cluster, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooler_module, "SECOND_ANSWER_S", 0.2)
    with pgbouncer(cluster, "session", pool_size=1) as pooler:
        there = pooler.through(database)
        with (
            pytest.raises(psycopg.errors.DivisionByZero),
            connect(there.target(), schema="public", read_only=False) as connection,
        ):
            assert connection.kind == "session pooler"
            connection.execute("select pg_advisory_lock(1)")
            connection.execute("begin")
            connection.execute("select 1 / 0")

        assert settings_of(there) == []
        assert there.value("select count(*) from pg_locks where locktype = 'advisory'") == 0


def test_a_statement_is_cancelled_through_a_session_pool(database: Database, session_pool: Pooler) -> None:
    operator = Operator(session_pool.through(database))
    with psycopg.connect(database.admin_conninfo()) as blocker:
        blocker.execute("lock table clones in access share mode")
        cancelled = itertools.count()

        def cancel_once(event: object) -> None:
            if type(event).__name__ == "LockWaited" and next(cancelled) == 0:
                operator.engine.cancel()

        operator.listen(cancel_once)
        outcome = operator.engine.run()

    assert outcome.ending == "stopped"
    assert Operator(session_pool.through(database)).engine.run().ending == "done"
