"""A vacuum of the server, which is in the way of a part that locks its table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.conftest import MakeDatabase
from tests.support.blocking import Application, eventually
from tests.support.cluster import Cluster
from tests.support.database import Database
from tests.support.engine import Operator
from wizard.demo.server import SUPERUSER
from wizard.engine.events import BlockersSeen, LockWaited, Noticed
from wizard.engine.sending import etiquette
from wizard.errors import LockNotObtainedError

UPDATE = "update clones set name = name where id = (select id from clones order by id limit 1)"


@pytest.fixture
def long_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slowly a vacuum goes on a busy machine: the lock is there as soon as it is gone."""
    monkeypatch.setattr(etiquette, "VACUUM_MARGIN_MS", 10_000)


@contextmanager
def vacuumed_for_long(
    cluster: Cluster, database: Database, *, freeze: bool = False, once: bool = False
) -> Iterator[None]:
    """The server's own vacuum of clones is at work, and will be for a long time; with `once` it does not begin anew."""
    age = ", autovacuum_freeze_max_age = 100000" if freeze else ""
    database.execute(
        "alter table clones set (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,"
        f" autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0{age})"
    )
    database.execute("update clones set name = name")
    admin = cluster.admin
    for setting in ("autovacuum = on", "autovacuum_naptime = '1s'"):
        admin.execute(f"alter system set {setting}", user=SUPERUSER)
    admin.execute("select pg_reload_conf()", user=SUPERUSER)
    try:
        at_work = (
            # In this database: the template that it was copied from is vacuumed too, with a table of the same oid.
            "select 1 from pg_stat_activity a join pg_locks l using (pid) where a.backend_type = 'autovacuum worker'"
            " and a.datname = current_database() and l.relation = 'clones'::regclass"
            " and l.mode = 'ShareUpdateExclusiveLock' and l.granted"
            f" and a.query like 'autovacuum: VACUUM% public.clones{' (to prevent' if freeze else ''}%'"
        )
        eventually(lambda: database.query(at_work, user=SUPERUSER), "the server vacuums clones")
        if once:
            admin.execute("alter system set autovacuum_naptime = '1h'", user=SUPERUSER)
            admin.execute("select pg_reload_conf()", user=SUPERUSER)
        yield
    finally:
        for setting in ("autovacuum", "autovacuum_naptime"):
            admin.execute(f"alter system reset {setting}", user=SUPERUSER)
        admin.execute("select pg_reload_conf()", user=SUPERUSER)


@pytest.mark.slow
@pytest.mark.parametrize("may_look", [True, False])
def test_a_vacuum_of_the_server_gives_way_to_the_third_try(
    cluster: Cluster, make_database: MakeDatabase, long_margin: None, may_look: bool
) -> None:
    database = make_database(rows=4000)
    operator = Operator(database, lock_patience_s=60.0)
    operator.engine.run(last="1.6")
    if not may_look:
        database.execute("revoke pg_monitor from postgres", user=SUPERUSER)
    try:
        with vacuumed_for_long(cluster, database), Application(database) as application:
            assert operator.engine.run(last="2.1").ending == "done"
    finally:
        database.execute("grant pg_monitor to postgres with admin option", user=SUPERUSER)

    waits = operator.told(LockWaited)
    assert [wait.next_timeout_ms for wait in waits] == [None, 11_000]
    assert {one.kind for event in operator.told(BlockersSeen) for one in event.blockers} == {"autovacuum"}
    assert application.worst_s < 1.25 + 0.5


@pytest.mark.slow
@pytest.mark.parametrize("may_look", [True, False])
def test_a_vacuum_against_wraparound_is_shown_and_waited_for(
    cluster: Cluster, make_database: MakeDatabase, may_look: bool
) -> None:
    database = make_database(rows=4000)
    operator = Operator(database, lock_timeout_ms=200, lock_patience_s=4.0)
    operator.engine.run(last="1.6")
    database.execute(
        "do $$ begin for i in 1..100100 loop perform pg_current_xact_id(); commit; end loop; end $$", user=SUPERUSER
    )
    if not may_look:
        database.execute("revoke pg_monitor from postgres", user=SUPERUSER)
    try:
        with vacuumed_for_long(cluster, database, freeze=True), pytest.raises(LockNotObtainedError) as gave_up:
            operator.engine.run(last="2.1")
    finally:
        database.execute("grant pg_monitor to postgres with admin option", user=SUPERUSER)

    assert {wait.next_timeout_ms for wait in operator.told(LockWaited)} == {None}
    assert "wraparound autovacuum" in gave_up.value.why


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["run", "rollback"])
def test_beside_a_vacuum_of_a_large_table_nobody_of_the_application_waits(
    cluster: Cluster, make_database: MakeDatabase, long_margin: None, direction: str
) -> None:
    database = make_database(rows=15_000)
    operator = Operator(database, lock_patience_s=60.0)
    operator.engine.run(last="1.6" if direction == "run" else None)

    with vacuumed_for_long(cluster, database, once=True), Application(database, UPDATE) as application:
        outcome = operator.engine.run(last="2.1") if direction == "run" else operator.engine.rollback()

    assert outcome.ending == "done"
    assert operator.told(LockWaited) == []
    notices = [one.text for one in operator.told(Noticed)]
    assert [text for text in notices if text.startswith("vacuumed, or indexed, right now: clones. LOCK TABLE")]
    assert application.worst_s < 0.5
