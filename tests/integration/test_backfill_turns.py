"""A large table's rows are changed in turns: with little new room, each once, whatever happens in between."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest

from tests.conftest import MakeDatabase
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.filling import fill, filling, make_things, steady
from wizard.db.queries import query
from wizard.engine.events import BackfillProgressed, Event
from wizard.rollout.load import load_rollout

ROWS = 40_000
SIZE = "select pg_relation_size('things')"


def test_a_table_grows_by_a_part_of_what_one_update_makes_it_grow(make_database: MakeDatabase, tmp_path: Path) -> None:
    database, twin = make_database(), make_database()
    for one in (database, twin):
        make_things(one, rows=ROWS)
    before = database.value(SIZE)
    twin.execute("update things set filled = 'x' where filled is null")

    assert Operator(database, filling(tmp_path), strategy="online").engine.run().ending == "done"

    assert database.value("select count(*) from things where filled is null") == 0
    assert database.value(SIZE) < 1.3 * before
    assert twin.value(SIZE) > 1.7 * before


def test_it_goes_on_with_the_turn_that_it_was_stopped_before(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steady(monkeypatch)
    make_things(database, rows=ROWS)
    rollout = filling(tmp_path)
    operator = fill(database, rollout, batch_rows=1_000, batch_delay_s=0.3)

    def stop(event: Event) -> None:
        if isinstance(event, BackfillProgressed) and event.batches >= 3:
            operator.engine.stop()

    operator.listen(stop)
    assert operator.engine.run().ending == "stopped"
    assert database.value("select (reached->>'turn')::int from rag_wizard.part where state = 'interrupted'") == 3

    # Smaller batches from here on, also in the page that was begun.
    assert fill(database, load_rollout(tmp_path), batch_rows=300).engine.run().ending == "done"

    assert database.value("select sum(rows)::int from rag_wizard.batch") == ROWS * 9 // 10
    assert database.value("select max(rows)::int from rag_wizard.batch where number between 4 and 10") < 600
    turns = database.query(
        "select (covered->>'turn')::int from rag_wizard.batch where covered->>'phase' = 'filling' order by number"
    )
    assert [turn for (turn,) in turns[:3]] == [1, 2, 3]
    assert [turn for turn, _ in groupby(turns[3:]) if turn != (0,)][:8] == [(n,) for n in (3, 4, 5, 6, 7, 1, 2, 3)]


@pytest.mark.parametrize(("trigger", "expected"), [("disable", ["label"]), ("enable", []), ("enable always", [])])
def test_columns_of_indexes_are_set_to_themselves_where_nobody_could_notice(
    database: Database, tmp_path: Path, trigger: str, expected: list[str]
) -> None:
    make_things(database, rows=200)
    database.execute(
        "alter table things add column doubled int generated always as (n * 2) stored,"
        " add column label text default '-', add column serial bigint generated always as identity;"
        "create index by_pad on things (lower(pad), n);"
        "create index by_doubled on things (doubled, label);"
        "create index by_serial on things (serial);"
        "create index by_hash on things using hash (pad);"
        "create index by_filled on things (filled, pad);"
        "create unique index by_both on things (id, n);"
        "create function refuse() returns trigger language plpgsql as $$ begin raise 'noticed'; end $$;"
        "create trigger watches before update of label on things for each row execute function refuse();"
        f"alter table things {trigger} trigger watches"
    )
    names = {"schema": "public", "table": "things", "columns": ["filled"]}
    with database.connect() as connection, connection.cursor() as cursor:
        (found,) = cursor.execute(query("leaves"), names).fetchall()

    assert found[-1] == expected
    assert fill(database, filling(tmp_path)).engine.run().ending == "done"
    assert database.value("select count(*) from things where filled is null") == 0
