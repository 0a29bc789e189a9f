"""Restoring brings every archived row back, whole or not at all, and leaves alone what is there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from psycopg import sql

from tests.integration.test_archive import EXPERT, KilledError, at_start_of, die_after, only_archive
from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from tests.support.rag_rows import SEEDS, TABLES, Application, archived, read_rows, write_rows
from wizard.engine.events import Event, PartCommitted
from wizard.engine.keeping.manifest import read_archive
from wizard.errors import RefusedError
from wizard.export.log import LogHeader, export_log
from wizard.rollout.load import load_rollout

TINY = Path(__file__).parent.parent / "rollouts" / "tiny"


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    return tmp_path / "archives"


def test_every_row_comes_back_with_its_ids_and_times(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run()
    write_rows(database)
    before = read_rows(database)
    operator.engine.rollback()
    operator.engine.run()

    outcome = operator.engine.restore(only_archive(archives))

    assert read_rows(database) == before
    assert outcome.sentence.startswith("RESTORED 22 rows and the values of 18 rows of existing tables")
    assert operator.engine.verify().passed


def test_restoring_twice_changes_nothing(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run()
    write_rows(database)
    operator.engine.rollback()
    operator.engine.run()
    operator.engine.restore(only_archive(archives))
    before = database.digest(schemas=["public"])

    outcome = operator.engine.restore(only_archive(archives))

    assert (outcome.ending, outcome.changed) == ("done", False)
    assert database.digest(schemas=["public"]) == before


def test_an_application_that_writes_until_the_drop_loses_no_row(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives, lock_patience_s=30.0)
    operator.engine.run()
    write_rows(database)
    before = read_rows(database)

    with Application(database) as application:
        operator.engine.rollback()
    assert application.problems == []
    assert application.rounds > 40
    assert sum(file.rows for file in read_archive(only_archive(archives)).manifest.files if file.late) > 20
    operator.engine.run()
    operator.engine.restore(only_archive(archives))

    found, expected = read_rows(database), application.over(before)
    for table, rows in expected.items():
        assert {key: found[table].get(key) for key in rows} == rows, table
        assert set(found[table]) - set(rows) <= application.deleted, table


def test_columns_of_existing_tables_come_back_without_firing_triggers(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run()
    write_rows(database)
    times = database.query("select id, updated_at from clones order by id")
    operator.engine.rollback()
    operator.engine.run()

    operator.engine.restore(only_archive(archives))

    assert database.query("select id, updated_at from clones order by id") == times
    assert database.value("select count(*) from knowledge where rag_document_id is not null") == 13


def test_values_that_the_application_wrote_since_are_kept_and_counted(database: Database, archives: Path) -> None:
    one = "(select id from clones order by id limit 1)"
    operator = archived(
        database, archives, "2.1", f"update clones set rag_expert_name = 'old', rag_enabled = true where id = {one}"
    )
    database.execute(f"update clones set rag_expert_name = 'new' where id = {one}")

    outcome = operator.engine.restore(only_archive(archives))

    assert database.query(f"select rag_expert_name, rag_enabled from clones where id = {one}") == [("new", True)]
    assert "1 row of existing tables kept: their values were written since" in outcome.sentence


def test_a_row_with_other_content_refuses_everything_and_is_named(database: Database, archives: Path) -> None:
    insert = "insert into vector_stores (vector_id, domain_name) values ('v', 'other')"
    operator = archived(database, archives, "1.4", EXPERT, insert)
    database.execute(insert)
    before = database.digest(schemas=["public"])

    with pytest.raises(RefusedError) as refused:
        operator.engine.restore(only_archive(archives))

    taken = database.value("select id::text from vector_stores")
    assert f"1 in vector_stores: {taken}" in refused.value.why
    assert database.digest(schemas=["public"]) == before


def test_rows_whose_parent_is_gone_are_refused_or_written_beside_the_archive(
    database: Database, archives: Path
) -> None:
    operator = archived(
        database, archives, "1.2", EXPERT,
        "insert into experts (name, domain, context, clone_id)"
        " select left(id::text, 8), 'other', '', id from clones limit 2",
        "insert into domains (domain_name) values ('astrology')",
    )  # fmt: skip
    folder = only_archive(archives)
    gone = [json.loads(line)["clone_id"] for line in next(folder.glob("*-experts.jsonl")).read_text().splitlines()]
    database.execute("delete from clones where id = any (%s::uuid[])", [[one for one in gone if one]])
    before = database.digest(schemas=["public"])

    with pytest.raises(RefusedError, match="belong to rows that are gone") as refused:
        operator.engine.restore(folder)
    assert "2 rows of experts: their row in clones is gone (experts_clone_id_fkey)" in refused.value.why
    assert database.digest(schemas=["public"]) == before
    outcome = operator.engine.restore(folder, skip_orphans=True)

    assert database.query("select name from experts") == [("late",)]
    assert "2 rows without a parent left out, and written beside the archive" in outcome.sentence
    (beside,) = folder.parent.glob(f"{folder.name}.orphans-*/*.jsonl")
    assert sorted(json.loads(line)["clone_id"] for line in beside.read_text().splitlines()) == sorted(
        filter(None, gone)
    )
    assert beside.stat().st_mode & 0o777 == 0o600


def test_values_whose_row_or_document_is_gone_are_left_out_one_by_one(database: Database, archives: Path) -> None:
    document = (
        "insert into rag_documents (name, document_link, domain, clone_id) select 'd', '', 'other', id from clones"
    )
    operator = archived(
        database, archives, "2.2", document,
        "update knowledge set openai_file_id = 'f', rag_document_id = d.id"
        " from rag_documents as d where d.clone_id = knowledge.clone_id",
    )  # fmt: skip
    kept, gone = database.query("select clone_id, count(*) from knowledge group by 1 having count(*) > 0 limit 2")
    database.execute("delete from clones where id = %s", [gone[0]])

    with pytest.raises(RefusedError, match="belong to rows that are gone"):
        operator.engine.restore(only_archive(archives))
    operator.engine.restore(only_archive(archives), skip_orphans=True)

    with_value = (
        "select count(*) from knowledge where clone_id = %s and openai_file_id = 'f' and rag_document_id is not null"
    )
    assert database.value(with_value, [kept[0]]) == kept[1]


def test_a_column_that_is_no_more_and_one_that_must_have_a_value_are_refused_in_words(
    database: Database, archives: Path
) -> None:
    operator = archived(database, archives, "1.2", EXPERT)
    folder = only_archive(archives)
    database.execute("alter table experts drop column context")

    with pytest.raises(RefusedError, match="has no column context any more") as refused:
        operator.engine.restore(folder)
    assert "ALTER TABLE experts ADD COLUMN context text" in refused.value.fix
    database.execute("alter table experts add column context text, add column grade int not null")
    with pytest.raises(RefusedError, match="has a new column grade that must not be empty"):
        operator.engine.restore(folder)
    database.execute("alter table experts drop column grade")
    assert operator.engine.restore(folder).ending == "done"
    assert database.value("select name from experts") == "late"


def test_odd_types_come_back_to_the_byte(database: Database, tmp_path: Path) -> None:
    """A rollout of its own, whose table has a column of every type that is easily lost on the way through text."""
    shutil.copytree(TINY, tmp_path / "odd")
    (tmp_path / "odd" / "sql" / "shapes.json").unlink()
    made = tmp_path / "odd" / "sql" / "deploy" / "tickets.sql"
    columns = (Path(__file__).parents[1] / "support" / "odd_types.sql").read_text(encoding="utf-8")
    made.write_text(f"{made.read_text()}\n{columns}", encoding="utf-8")
    database.execute("create type mood as enum ('fine', 'so so'); create type pair as (a int, b text)")
    operator = Operator(database, load_rollout(tmp_path / "odd"), archives=tmp_path / "archives")
    operator.engine.run(last="tickets")
    database.execute("insert into tickets (title) values ('odd')")
    row = "select t::text from tickets as t"
    before = database.query(row)
    operator.engine.rollback()
    operator.engine.run(last="tickets")

    operator.engine.restore(only_archive(tmp_path / "archives"))

    assert database.query(row) == before
    database.execute("insert into tickets (title) values ('next')")
    generated = sql.SQL("select id, {} from tickets order by 1").format(sql.Identifier('o 21 "quoted"'))
    assert database.query(generated) == [(1, 5), (2, 6)]


def test_late_rows_win_also_where_only_another_key_collides(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run(last="1.2")
    database.execute("insert into experts (name, domain, context) values ('A', 'other', 'old'), ('B', 'other', 'old')")
    at_start_of(
        operator, "1.2", database, "update experts set context = 'new' where name = 'A'",
        "delete from experts where name = 'B'",
        "insert into experts (name, domain, context) values ('B', 'other', 'made again')",
    )  # fmt: skip
    operator.engine.rollback()
    operator.engine.run(last="1.2")

    operator.engine.restore(only_archive(archives))

    assert database.query("select name, context from experts order by 1") == [("A", "new"), ("B", "made again")]


def test_late_rows_that_a_dead_wizard_left_in_the_registry_are_restored_too(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run(last="1.2")
    database.execute("insert into experts (name, domain, context) values ('Ada', 'other', '')")
    die_after(operator, "1.2", EXPERT, database)
    with pytest.raises(KilledError):
        operator.engine.rollback()
    again = Operator(database, archives=archives)
    again.engine.run(last="1.2")

    again.engine.restore_plan(only_archive(archives))
    again.engine.restore(only_archive(archives))

    assert database.query("select name from experts order by 1") == [("Ada",), ("late",)]


def test_an_edited_default_domain_that_is_in_use_is_changed_in_place(database: Database, archives: Path) -> None:
    operator = archived(
        database, archives, "1.2", "update domains set expert_names = '{Ada}' where domain_name = 'other'"
    )
    database.execute(EXPERT)

    outcome = operator.engine.restore(only_archive(archives))

    assert database.value("select expert_names from domains where domain_name = 'other'") == ["Ada"]
    assert database.value("select count(*) from experts") == 1
    assert "1 row changed in place, since they are in use by now: their updated_at moved" in outcome.sentence


def test_another_rollout_with_generated_keys_goes_on_after_the_restored_ones(
    database: Database, archives: Path
) -> None:
    database.execute('create schema "Help ""desk"""')
    operator = Operator(database, load_rollout(TINY), schema='Help "desk"', archives=archives)
    operator.engine.run()
    table = '"Help ""desk""".tickets'
    database.execute(f"insert into {table} (title) values ('a'), ('b')")
    before = database.query(f"select id, title from {table}")
    operator.engine.rollback()
    operator.engine.run()

    operator.engine.restore(only_archive(archives))

    assert database.query(f"select id, title from {table}") == before
    database.execute(f"insert into {table} (title) values ('c')")
    assert database.value(f"select max(id) from {table}") == 3


def test_the_exported_log_replays_with_the_restored_rows(database: Database, twin: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run()
    write_rows(database)
    operator.engine.rollback()
    operator.engine.run()
    operator.engine.restore(only_archive(archives))
    log = export_log(operator.engine.statements(), "sql", LogHeader("acme-test", "", "phase-1", "public"))

    twin.psql(log)

    names = [f"public.{table}" for table in TABLES if table != "domains"]
    mine, theirs = database.digest(schemas=["public"]), twin.digest(schemas=["public"])
    assert {name: mine[name] for name in names} == {name: theirs[name] for name in names}
    assert read_rows(database)["domains"] == read_rows(twin)["domains"]
    assert len(read_rows(twin)["domains"]) + len(SEEDS) == 9


def test_killed_between_two_parts_it_goes_on_when_it_is_run_again(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run()
    write_rows(database)
    before = read_rows(database)
    operator.engine.rollback()
    operator.engine.run()

    def die(event: Event) -> None:
        if isinstance(event, PartCommitted) and event.part == 1:
            raise KilledError

    operator.listen(die)
    with pytest.raises(KilledError):
        operator.engine.restore(only_archive(archives))
    assert read_rows(database) != before

    Operator(database).engine.restore(only_archive(archives))

    assert read_rows(database) == before


def test_rows_that_the_application_holds_are_waited_for_without_holding_others(
    database: Database, archives: Path
) -> None:
    operator = archived(database, archives, "2.1", "update clones set rag_expert_name = 'Ada'")
    number = database.value("select count(*) from clones")
    with database.connect(autocommit=False) as application:
        application.execute("update clones set name = name where id = (select id from clones limit 1)")

        def let_go(event: Event) -> None:
            if isinstance(event, PartCommitted):
                assert database.value("select count(*) from clones where rag_expert_name = 'Ada'") == number - 1
                application.commit()
                operator.listen(lambda _: None)

        operator.listen(let_go)
        operator.engine.restore(only_archive(archives))

    assert database.value("select count(*) from clones where rag_expert_name = 'Ada'") == number


def test_a_dry_look_at_an_archive_changes_nothing(database: Database, archives: Path) -> None:
    operator = archived(database, archives, "1.2", EXPERT)
    before = database.snapshot()

    plan = operator.engine.restore_plan(only_archive(archives))

    assert [(table.table, table.rows, table.whole_rows) for table in plan.tables] == [("experts", 1, True)]
    assert plan.cannot_tell
    assert_same(before, database.snapshot())
