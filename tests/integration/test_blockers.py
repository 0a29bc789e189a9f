"""Real sessions in the way of a part: what the application notices, who is named, and how each of them is got past."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.support.blocking import Application, eventually, holding
from tests.support.cluster import Cluster
from tests.support.database import Database
from tests.support.engine import Operator
from wizard.demo.server import SUPERUSER
from wizard.engine.events import BlockersSeen, Event, IndexProgressed, LockWaited, Noticed
from wizard.engine.looking import in_the_way
from wizard.engine.session import watching
from wizard.engine.session.watching import Watch, Watcher
from wizard.engine.settings import Settings
from wizard.engine.views import PrerequisiteResult
from wizard.errors import ExitCode, LockNotObtainedError, RefusedError

READS = "select count(*) from clones where name <> 'secret-name'"
OURS_ON_CLONES = (
    "select count(*) from pg_locks join pg_stat_activity using (pid) where datname = current_database()"
    " and application_name like 'rag-wizard%' and relation = 'clones'::regclass"
)
"""Locks that the wizard holds or waits for."""


@pytest.fixture
def ready(database: Database) -> Database:
    """Everything before 2.1 is committed."""
    assert Operator(database).engine.run(last="1.6").ending == "done"
    return database


def once(holds: Callable[[Event], object], then: Callable[[], object]) -> Callable[[Event], None]:
    """A listener that interferes the first time that `holds`."""
    done: list[Event] = []

    def hear(event: Event) -> None:
        if not done and holds(event):
            done.append(event)
            then()

    return hear


@pytest.mark.parametrize("seconds", [2.0, pytest.param(10.0, marks=pytest.mark.slow)])
def test_an_idle_transaction_is_named_and_the_application_never_queues_for_longer_than_one_try(
    ready: Database, seconds: float
) -> None:
    operator = Operator(ready, lock_patience_s=60.0)
    left: list[int] = []
    with holding(ready, READS) as idle, Application(ready) as application:
        pid = idle.info.backend_pid
        let_go = once(lambda event: isinstance(event, LockWaited) and event.waited_s > seconds, idle.rollback)

        def between_tries(event: Event) -> None:
            """The engine waits here until this returns."""
            if isinstance(event, LockWaited):
                left.append(ready.value(OURS_ON_CLONES, user=SUPERUSER))
                application.answered()
            let_go(event)

        operator.listen(between_tries)
        assert operator.engine.run(last="2.1").ending == "done"

    assert set(left) == {0}, "between two tries nothing is held or queued"
    assert application.queries > 20
    assert application.worst_s < 0.7 + 0.5
    waits, seen = operator.told(LockWaited), operator.told(BlockersSeen)
    assert {wait.waits_for for wait in waits} == {"a lock on clones"}
    assert {one.pid for event in seen for one in event.blockers} == {pid}
    assert not seen[-1].blockers, "that it is over is told too"
    assert {event.queued for event in seen if event.blockers} == {True, False}
    one = seen[0].blockers[0]
    assert (one.user, one.application, one.state) == ("postgres", "nightly report", "idle in transaction")
    assert one.holds == "ACCESS SHARE on clones"
    assert one.query == "select count(*) from clones where name <> $1"
    assert one.may_be_ended
    assert "secret" not in str(operator.events)


def test_a_part_that_is_never_in_the_way_costs_no_second_connection(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "AFTER_S", 30.0)  # a part may take long where the machine is slow
    database.log_statements()
    Operator(database).engine.run(last="1.3")
    assert not any("pg_blocking_pids" in text for text in database.logged())


def test_giving_up_names_who_held_it(ready: Database) -> None:
    operator = Operator(ready, lock_timeout_ms=50, lock_patience_s=1.0)
    with holding(ready, READS), pytest.raises(LockNotObtainedError) as gave_up:
        operator.engine.run(last="2.1")

    error, pid = gave_up.value, operator.told(BlockersSeen)[0].blockers[0].pid
    assert error.exit_code == ExitCode.LOCK
    assert error.what == "gave up waiting for a lock on clones in step 2.1 after 1 s"
    assert f"pid {pid}, user postgres, application nightly report, idle in transaction" in error.why
    assert "holds ACCESS SHARE on clones" in error.why
    assert "secret" not in str(error)
    assert "secret" not in str(ready.query("select * from rag_wizard.statement"))


def test_names_that_a_session_gives_itself_cannot_forge_words(ready: Database) -> None:
    operator = Operator(ready, lock_timeout_ms=50, lock_patience_s=0.1)
    with (
        holding(ready, "set application_name = 'x\x1b[31m\u202e'", READS),
        pytest.raises(LockNotObtainedError) as gave_up,
    ):
        operator.engine.run(last="2.1")
    assert "\x1b" not in str(gave_up.value)


def test_a_role_that_may_not_look_is_told_so(ready: Database) -> None:
    ready.execute("revoke pg_monitor from postgres", user=SUPERUSER)
    try:
        operator = Operator(ready, lock_timeout_ms=50, lock_patience_s=1.0)
        with holding(ready, READS, user=SUPERUSER) as idle, pytest.raises(LockNotObtainedError) as gave_up:
            pid = idle.info.backend_pid
            operator.engine.run(last="2.1")
    finally:
        ready.execute("grant pg_monitor to postgres with admin option", user=SUPERUSER)

    one = operator.told(BlockersSeen)[0].blockers[0]
    assert (one.pid, one.user, one.application) == (pid, SUPERUSER, "nightly report")
    assert (one.state, one.query, one.backend_start) == (None, None, None)
    assert one.holds == "ACCESS SHARE on clones"
    assert (one.may_be_ended, one.why_not) == (False, "this role may not signal a superuser")
    assert "state not visible to this role" in gave_up.value.why


def test_a_prepared_transaction_is_named(ready: Database) -> None:
    with psycopg.connect(ready.conninfo(), autocommit=True) as connection:
        connection.execute("begin")
        connection.execute("lock table clones in share mode")
        connection.execute("prepare transaction 'order-7'")
        try:
            operator = Operator(ready, lock_timeout_ms=50, lock_patience_s=0.2)
            result = told_before(operator)
            with pytest.raises(LockNotObtainedError) as gave_up:
                operator.engine.run(last="2.1")
        finally:
            connection.execute("rollback prepared 'order-7'")
    assert (result.level, "ROLLBACK PREPARED 'order-7';" in result.fix) == ("warn", True)
    assert 'prepared transaction "order-7", user postgres, prepared for 0:0' in gave_up.value.why
    assert "holds SHARE on clones" in gave_up.value.why


def test_a_deadlock_is_tried_again(ready: Database) -> None:
    Operator(ready).engine.run(last="2.1")
    # The server looks for a deadlock only once the other one has surely crossed, however slow the machine is,
    # and on behalf of the wizard alone: whoever looks is the one that is ended.
    name = sql.Identifier(ready.name)
    ready.execute(sql.SQL("alter database {} set deadlock_timeout = '15s'").format(name), user=SUPERUSER)
    operator = Operator(ready, lock_timeout_ms=30_000, lock_patience_s=60.0)
    with holding(ready, "lock table rag_documents in share mode", user=SUPERUSER) as other:
        other.execute("set local deadlock_timeout = '10min'")

        def cross() -> None:
            """Once 2.2 holds knowledge and waits for rag_documents, wait for knowledge."""
            waiting = "select 1 from pg_locks where not granted and relation = 'rag_documents'::regclass"
            eventually(lambda: ready.query(waiting), "2.2 waits for rag_documents")
            other.execute("select count(*) from knowledge")
            other.rollback()

        crossing = threading.Thread(target=cross)
        crossing.start()
        assert operator.engine.run(last="2.2").ending == "done"
        crossing.join()

    assert [wait.sqlstate for wait in operator.told(LockWaited)] == ["40P01"]


def test_a_concurrent_index_build_tells_who_holds_it_back_and_how_far_it_is(
    cluster: Cluster, database: Database
) -> None:
    told: list[Event] = []
    watcher = Watcher(database.target(), Settings(), told.append)
    snapshot = "set transaction isolation level repeatable read", "select 1"
    with holding(database, *snapshot, application="old report") as old, database.connect() as builder:
        pid = builder.info.backend_pid
        building = threading.Thread(target=builder.execute, args=(b"create index concurrently slow on clones (name)",))
        building.start()
        # Asked from another database: a session in this one that looks too early is one more that the build waits for.
        in_phase = "select 1 from pg_stat_progress_create_index where pid = %s and phase = %s and lockers_total > 0"
        eventually(
            lambda: cluster.admin.query(in_phase, [pid, watching.OLD_SNAPSHOTS], user=SUPERUSER), "it waits for them"
        )
        watch = Watch("3", 1, pid, "public", {})

        def let_go() -> None:
            eventually(lambda: any(isinstance(event, BlockersSeen) for event in told), "the old snapshot is told")
            old.rollback()

        letting_go = threading.Thread(target=let_go)
        letting_go.start()
        with watcher.watching(watch):
            building.join()
        letting_go.join()
    watcher.stop()

    seen: Any = [event for event in told if isinstance(event, BlockersSeen)]
    assert seen[0].waits_for == "transactions that began before"
    assert [(one.application, one.holds) for one in seen[0].blockers] == [("old report", "a snapshot")]
    assert not seen[-1].blockers
    progress = [event for event in told if isinstance(event, IndexProgressed)]
    assert (progress[0].phase, progress[0].total, progress[0].unit) == ("waiting for old snapshots", 1, "transactions")


@pytest.mark.parametrize("end", [False, True], ids=["cancelled", "ended"])
def test_a_blocker_is_signalled_from_another_thread_and_the_part_goes_on(ready: Database, end: bool) -> None:
    operator = Operator(ready, lock_timeout_ms=50, lock_patience_s=60.0)
    happened: list[str] = []
    acts: list[threading.Thread] = []

    def act(event: BlockersSeen) -> None:
        one = event.blockers[0]
        assert one.backend_start is not None
        happened.append(operator.engine.signal_blocker(one.pid, one.backend_start, end=end))

    def on_word(event: Event) -> None:
        acts.append(threading.Thread(target=act, args=(event,)))
        acts[0].start()

    with holding(ready, READS) as other:
        busy = threading.Thread(target=_sleep_until_signalled, args=(other,))
        if not end:
            busy.start()
            sleeping = "select 1 from pg_stat_activity where pid = %s and wait_event = 'PgSleep'"
            eventually(lambda: ready.query(sleeping, [other.info.backend_pid]), "the blocker runs a statement")
        acting = once(lambda event: isinstance(event, BlockersSeen), lambda: on_word(operator.told(BlockersSeen)[0]))
        operator.listen(acting)
        assert operator.engine.run(last="2.1").ending == "done"
        acts[0].join()
        if not end:
            busy.join()
        else:
            with pytest.raises(psycopg.OperationalError):
                other.execute("select 1")

    done = "ended the connection of pid" if end else "cancelled the statement of pid"
    assert happened[0].startswith(done)
    assert "user postgres, application nightly report" in happened[0]
    assert happened[0] in [notice.text for notice in operator.told(Noticed)]


def _sleep_until_signalled(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.QueryCanceled):
        connection.execute("select pg_sleep(60)")
    connection.rollback()


def test_nobody_else_is_signalled(ready: Database) -> None:
    engine = Operator(ready).engine
    start = "select backend_start from pg_stat_activity where pid = %s"
    with (
        holding(ready, READS) as idle,
        holding(ready, READS, user=SUPERUSER) as superuser,
        holding(ready, READS, application="rag-wizard 0.1.0 grace@elsewhere") as ours,
    ):
        pid = idle.info.backend_pid
        begun = ready.value(start, [pid])
        assert "gone already" in engine.signal_blocker(pid, begun - timedelta(seconds=1), end=True)
        assert "runs no statement that could be cancelled" in engine.signal_blocker(pid, begun, end=False)
        for other, why in ((superuser, "superuser"), (ours, "session of rag-wizard")):
            pid = other.info.backend_pid
            with pytest.raises(RefusedError, match=why):
                engine.signal_blocker(pid, ready.value(start, [pid], user=SUPERUSER), end=True)
        for connection in (idle, superuser, ours):
            assert connection.execute("select 1").fetchone() == (1,)


def test_who_will_be_in_the_way_is_told_before(ready: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        holding(ready, READS) as reader,
        holding(ready, "set transaction isolation level repeatable read", "select 1", application="dump") as dump,
        holding(ready, "select 1 from auth.users", application="elsewhere"),
    ):
        operator = Operator(ready, lock_timeout_ms=50)
        assert told_before(operator).level == "pass", "they are young"
        monkeypatch.setattr(in_the_way, "OLD_S", 0.0)
        with_lock, with_snapshot = reader.info.backend_pid, dump.info.backend_pid
        result = told_before(operator)
        assert result.level == "warn"
        assert f"pid {with_lock}, user postgres, application nightly report, idle in transaction" in result.found
        assert "holds ACCESS SHARE on clones" in result.found
        assert f"pid {with_snapshot}, user postgres, application dump" in result.found
        assert "holds a snapshot, which a concurrent index build waits for" in result.found
        assert "elsewhere" not in result.found
        assert f"pg_terminate_backend({with_lock})" in result.fix
        assert operator.engine.dry_run(last="2.1").exit_code == ExitCode.DONE

        operator.listen(once(lambda event: isinstance(event, LockWaited), reader.rollback))
        assert operator.engine.run(last="2.1").ending == "done"
    notices = [event.text for event in operator.told(Noticed) if event.step == "2.1"]
    assert len(notices) == 2
    assert all(text.startswith("will be in the way: pid ") for text in notices)


def told_before(operator: Operator) -> PrerequisiteResult:
    return next(result for result in operator.engine.check() if result.id == "in-the-way")
