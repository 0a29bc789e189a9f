"""Backfills in batches: every kind of key and table, rows that others hold, what moves while it runs, and its pace."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from tests.support.blocking import eventually
from tests.support.database import SUPERUSER, Database
from tests.support.engine import Operator
from tests.support.filling import fill, filling, make_things
from tests.support.wire import wire_to
from wizard.engine.events import BackfillProgressed, Event, Noticed
from wizard.engine.sending import pace
from wizard.errors import LockNotObtainedError
from wizard.rollout.load import load_rollout

KEYS = {
    "uuid": ("id uuid PRIMARY KEY DEFAULT gen_random_uuid()", "", ["id"]),
    "bigint": ("id bigint PRIMARY KEY", "", ["id"]),
    "text": ("id text COLLATE \"C\" PRIMARY KEY DEFAULT 'k' || gen_random_uuid()", "", ["id"]),
    "composite": ("a int DEFAULT 1, id bigint, PRIMARY KEY (a, id)", "", ["a", "id"]),
    "partitioned": ("id bigint PRIMARY KEY", " PARTITION BY HASH (id)", ["id"]),
}


@pytest.mark.parametrize("kind", KEYS)
def test_rows_are_filled_whatever_the_key_while_one_of_them_is_held(
    database: Database, tmp_path: Path, kind: str
) -> None:
    columns, partitions, key = KEYS[kind]
    make_things(database, columns, partitions)
    operator = fill(database, filling(tmp_path, key=str(key).replace("'", '"')))
    with psycopg.connect(database.conninfo()) as holder:
        holder.execute("select from things where n = 7 for update")

        def let_go(event: Event) -> None:
            if isinstance(event, BackfillProgressed) and "locked by pid" in event.slowed:
                holder.rollback()

        operator.listen(let_go)
        assert operator.engine.run().ending == "done"

    assert database.query("select filled, count(*) from things group by 1 order by 1") == [("own", 100), ("x", 900)]
    assert database.value("select sum(rows)::int from rag_wizard.batch") == 900
    assert any("locked by pid" in event.slowed for event in operator.told(BackfillProgressed))
    assert Operator(database, load_rollout(tmp_path)).engine.rollback().ending == "done"
    assert database.query("select filled, count(*) from things group by 1 order by 1") == [("own", 100), (None, 900)]


def test_a_row_that_stays_locked_ends_it_with_who_has_it_and_the_rest_stays(database: Database, tmp_path: Path) -> None:
    make_things(database)
    with psycopg.connect(database.conninfo(), application_name="forgetful") as holder:
        holder.execute("select from things where n = 7 for update")

        with pytest.raises(LockNotObtainedError) as refused:
            fill(database, filling(tmp_path), lock_patience_s=0.5).engine.run()

        assert "forgetful" in str(refused.value.why) + str(refused.value.what)
    assert database.value("select count(*) from things where filled is null") == 1
    assert fill(database, load_rollout(tmp_path)).engine.run().ending == "done"
    assert database.value("select count(*) from things where filled is null") == 0


@pytest.mark.parametrize(
    "moved", ["drop table {}", "alter table {} rename to gone", "alter table {} set schema elsewhere"]
)
def test_a_sweep_goes_on_though_a_partition_of_its_rows_is_gone_or_called_otherwise(
    database: Database, tmp_path: Path, moved: str
) -> None:
    make_things(database, *KEYS["partitioned"][:2])
    with psycopg.connect(database.conninfo()) as holder:
        holder.execute("select from things where n = 7 for update")
        with pytest.raises(LockNotObtainedError):
            fill(database, filling(tmp_path), lock_patience_s=0.5).engine.run()
    [left] = database.query("select relation from rag_wizard.leftover")
    database.execute("create schema elsewhere")
    database.execute(moved.format(*left))
    database.execute("update things set filled = null where n in (11, 12, 13)")

    assert fill(database, load_rollout(tmp_path)).engine.run().ending == "done"

    assert database.value("select count(*) from things where filled is null") == 0
    assert database.value("select count(*) from rag_wizard.leftover") == 0


def test_a_column_that_admits_no_null_does_not_keep_the_sweep_from_its_rows(database: Database, tmp_path: Path) -> None:
    make_things(database, rows=100)
    database.execute("create domain named as text not null; alter table things add column name named default ''")
    operator = fill(database, filling(tmp_path))
    with psycopg.connect(database.conninfo()) as holder:
        holder.execute("select from things where n = 7 for update")

        def let_go(event: Event) -> None:
            if isinstance(event, BackfillProgressed) and event.slowed:
                holder.rollback()

        operator.listen(let_go)
        assert operator.engine.run().ending == "done"

    assert database.value("select count(*) from things where filled is null") == 0


SLOW = """
create table changed ();
create function slow(n int) returns boolean language plpgsql as $$
declare over timestamptz := clock_timestamp() + interval '1 min';
begin
    while n = 7 and exists (select from pg_locks where locktype = 'advisory' and objid = 4711)
        and not exists (select from changed) and clock_timestamp() < over
    loop
        perform pg_sleep(0.01);
    end loop;
    return true;
end $$;
"""
"""Once the advisory lock is taken, whoever reads row 7 stays there until others were changed; not forever."""


def test_a_row_that_changes_while_the_sweep_reads_it_is_filled_all_the_same(database: Database, tmp_path: Path) -> None:
    make_things(database, rows=100)
    database.execute(SLOW)
    filling(tmp_path)
    (tmp_path / "sql" / "fill.sql").write_text("UPDATE things SET filled = 'x' WHERE filled IS NULL AND slow(n)")
    operator = fill(database, load_rollout(tmp_path))
    reads = "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"

    def change_rows() -> None:
        eventually(lambda: database.value(reads, user=SUPERUSER), "the sweep reads")
        database.execute("update things set pad = 'changed' where n in (8, 9); insert into changed default values")

    change = threading.Thread(target=change_rows)
    with psycopg.connect(database.conninfo()) as holder, database.connect() as marker:
        holder.execute("select from things where n in (7, 8, 9) for update")

        def let_go(event: Event) -> None:
            if isinstance(event, BackfillProgressed) and "locked by pid" in event.slowed and change.ident is None:
                marker.execute("select pg_advisory_lock(4711)")
                holder.rollback()
                change.start()

        operator.listen(let_go)
        assert operator.engine.run().ending == "done"
        change.join()

    assert database.query("select filled, count(*) from things group by 1 order by 1") == [("own", 10), ("x", 90)]
    assert database.value("select sum(rows)::int from rag_wizard.batch") == 90


@pytest.mark.parametrize("registry", [True, False])
def test_the_script_fills_rows_that_somebody_moves_while_it_runs(
    database: Database, tmp_path: Path, registry: bool
) -> None:
    make_things(database, rows=100)
    plan = fill(database, filling(tmp_path)).engine.plan(registry=registry)
    with psycopg.connect(database.conninfo()) as holder:
        holder.execute("update things set pad = repeat('!', 300) where n in (7, 8, 9)")
        waits = (
            "select count(*) from pg_stat_activity where wait_event = 'transactionid' and datname = current_database()"
        )

        def commit() -> None:
            here = f"{waits} and datname = current_database()"
            eventually(lambda: database.value(here, user=SUPERUSER), "the script waits for a row")
            holder.commit()

        let_go = threading.Thread(target=commit)
        let_go.start()
        database.psql(plan)
        let_go.join()

    assert database.query("select filled, count(*) from things group by 1 order by 1") == [("own", 10), ("x", 90)]
    if registry:
        batches = "select count(*), max(rows)::int < 90 from rag_wizard.batch where rows > 0"
        [(number, small)] = database.query(batches)
        assert number > 2, "its pages are changed in several transactions"
        assert small, "what is left over is not the whole table"
        assert fill(database, load_rollout(tmp_path)).engine.rollback().ending == "done"
        assert database.value("select count(*) from things where filled is null") == 90


@pytest.mark.slow
def test_a_table_that_is_rewritten_meanwhile_is_gone_through_again(database: Database, tmp_path: Path) -> None:
    make_things(database)
    operator = fill(database, filling(tmp_path), batch_delay_s=0.3)

    def stop(event: Event) -> None:
        if isinstance(event, BackfillProgressed) and event.rows >= 200:
            operator.engine.stop()

    operator.listen(stop)
    assert operator.engine.run().ending == "stopped"
    database.execute("vacuum full things")

    assert fill(database, load_rollout(tmp_path)).engine.run().ending == "done"

    assert database.value("select count(*) from things where filled is null") == 0
    assert database.value("select sum(rows)::int from rag_wizard.batch") == 900


def test_a_value_that_is_null_does_not_keep_it_from_ending(database: Database, tmp_path: Path) -> None:
    make_things(database)

    operator = fill(database, filling(tmp_path, value="nullif(n % 2, 0)::text"))
    assert operator.engine.run().ending == "done"

    assert database.value("select count(*) from things where filled is null") == 400
    assert not [notice.text for notice in operator.told(Noticed) if "came or changed" in notice.text]


def test_a_pause_tells_exactly_what_the_database_has(database: Database, tmp_path: Path) -> None:
    make_things(database, rows=5_000)
    operator = fill(database, filling(tmp_path), batch_delay_s=0.02)

    running = threading.Thread(target=operator.engine.run)
    running.start()
    eventually(lambda: any(event.rows for event in operator.told(BackfillProgressed)), "a batch is told")
    operator.engine.pause()
    eventually(lambda: operator.engine.resting, "it rests")
    told = operator.told(BackfillProgressed)[-1]
    found = database.value("select sum(rows)::int from rag_wizard.batch")
    operator.engine.stop()
    running.join()

    assert told.rows == found < 4_500


@pytest.mark.slow
def test_the_pace_is_changed_while_it_runs(database: Database, tmp_path: Path) -> None:
    make_things(database)
    operator = fill(database, filling(tmp_path), batch_delay_s=0.3)

    def faster(event: Event) -> None:
        if isinstance(event, BackfillProgressed) and event.phase == "filling":
            operator.engine.set_batch_rows(50_000)
            operator.engine.set_delay(0.0)

    operator.listen(faster)
    operator.engine.run()

    sizes = [rows for (rows,) in database.query("select rows from rag_wizard.batch order by number")]
    assert sizes[0] < 200
    assert sizes[1] > 600


@pytest.mark.parametrize(("slow", "rows"), [(True, 1_000), (False, 20_000)], ids=["slow rows", "quick rows"])
def test_a_batch_is_as_large_as_its_locks_may_be_long(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow: bool, rows: int
) -> None:
    make_things(database, rows=rows)
    if not slow:
        for aim in ("BATCH_AIM_S", "ALONE_AIM_S"):
            monkeypatch.setattr(pace, aim, 0.2)  # so that a machine under load reaches it too
    value = "pg_sleep(0.002)::text || 'x'" if slow else "'x'"

    operator = Operator(database, filling(tmp_path, value=value), strategy="online")
    operator.engine.run()

    offered = [notice.text for notice in operator.told(Noticed) if notice.text.startswith('VACUUM (ANALYZE) "things";')]
    assert len(offered) == (0 if slow else 1)
    sizes = [rows for (rows,) in database.query("select rows from rag_wizard.batch order by number")]
    # A block, of some 30 rows here, is the least that a batch covers.
    assert sum(sizes) == rows * 9 // 10
    assert sizes[-2] < 60 < sizes[0] if slow else sizes[0] < 300 < max(sizes)


def test_far_from_the_server_batches_travel_together_and_each_counts(database: Database, tmp_path: Path) -> None:
    make_things(database, rows=20_000)
    rollout = filling(tmp_path)
    with wire_to(database, round_trip_s=0.2) as (wire, url):
        operator = Operator(database, rollout, strategy="online", batch_rows=100)
        operator.engine.target = replace(operator.engine.target, conninfo=SecretStr(url))
        counted: list[int] = []

        def stop(event: Event) -> None:
            if isinstance(event, BackfillProgressed):
                counted.append(wire.requests)
                if event.rows > 5_000:
                    operator.engine.stop()

        operator.listen(stop)
        assert operator.engine.run().ending == "stopped"

        sent = wire.requests - counted[0]
    number, rows = database.query("select count(*), sum(rows)::int from rag_wizard.batch")[0]
    assert 5_000 < rows < 18_000
    assert rows == database.value("select count(*) from things where filled = 'x'")
    assert sent < number
    assert Operator(database, rollout, strategy="online").engine.run().ending == "done"
    assert database.value("select sum(rows)::int from rag_wizard.batch") == 18_000
    ordered = "select bool_and(began_at >= lag) from (select began_at, lag(finished_at) over (order by number) as lag"
    assert database.value(f"{ordered} from rag_wizard.batch) as b where lag is not null")


def test_a_pause_holds_nothing_and_goes_on(database: Database, tmp_path: Path) -> None:
    make_things(database)
    operator = fill(database, filling(tmp_path), batch_delay_s=0.3)
    engine = operator.engine
    seen: list[int] = []

    def pause(event: Event) -> None:
        if isinstance(event, BackfillProgressed) and event.rows >= 200 and not seen:
            seen.append(event.rows)
            engine.pause()
            looking.start()

    def look_and_go_on() -> None:
        held = "select count(*) from pg_locks as l join pg_class as c on c.oid = l.relation where c.relname = 'things'"
        try:
            eventually(lambda: engine.resting, "it rests")
            seen.append(database.value(held))
        finally:
            engine.go_on()

    looking = threading.Thread(target=look_and_go_on)
    operator.listen(pause)
    assert engine.run().ending == "done"
    looking.join()

    assert seen[1] == 0
    assert database.value("select sum(rows)::int from rag_wizard.batch") == 900


@pytest.mark.slow
def test_an_application_that_updates_two_rows_in_any_order_gets_no_deadlock(database: Database, tmp_path: Path) -> None:
    make_things(database, rows=20_000)
    operator = fill(database, filling(tmp_path), batch_rows=500)
    over, errors, updates = threading.Event(), [], []

    def application(seed: int) -> None:
        chance = random.Random(seed)
        with psycopg.connect(database.conninfo(), autocommit=True) as connection:
            while not over.is_set():
                pair = [chance.randint(1, 20_000) for _ in range(2)]
                try:
                    with connection.transaction():
                        for one in pair:
                            connection.execute("update things set pad = pad || '' where id = %s", [one])
                    updates.append(1)
                except psycopg.Error as error:
                    errors.append(error.sqlstate)

    # Two of them can deadlock each other: each takes its two in the order of their ids half of the time, by chance.
    threads = [threading.Thread(target=application, args=(1,))]
    for thread in threads:
        thread.start()
    try:
        assert operator.engine.run().ending == "done"
    finally:
        over.set()
        for thread in threads:
            thread.join()

    assert errors == []
    assert len(updates) > 10
    assert database.value("select count(*) from things where filled is null") == 0


def test_a_database_that_is_made_read_only_meanwhile_ends_it_and_nothing_is_lost(
    database: Database, tmp_path: Path
) -> None:
    make_things(database)
    operator = fill(database, filling(tmp_path), batch_delay_s=0.4)
    name = psycopg.sql.Identifier(database.name)
    made: list[int] = []

    def disk_full(event: Event) -> None:
        if isinstance(event, BackfillProgressed) and event.rows and not made:
            made.append(event.rows)
            database.execute(
                psycopg.sql.SQL("alter database {} set default_transaction_read_only = on").format(name), user=SUPERUSER
            )

    operator.listen(disk_full)
    outcome = operator.engine.run()

    assert outcome.failure is not None
    assert (outcome.failure.sqlstate, "disk full" in outcome.failure.message) == ("25006", True)
    assert "rows of its batches stay changed" in outcome.sentence
    with database.connect(SUPERUSER) as admin:
        admin.execute("set default_transaction_read_only = off")
        admin.execute(psycopg.sql.SQL("alter database {} reset default_transaction_read_only").format(name))
    assert fill(database, load_rollout(tmp_path)).engine.run().ending == "done"
    assert database.value("select sum(rows)::int from rag_wizard.batch") == 900


def test_how_much_is_going_to_be_written_is_told_before(database: Database, tmp_path: Path) -> None:
    make_things(database)

    found = {one.id: one for one in fill(database, filling(tmp_path)).engine.check()}

    assert found["room"].level == "pass"
    assert "things may grow by as much as it has" in found["room"].found
