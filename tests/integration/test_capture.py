"""What the application changes in a large table until its columns go is noted by triggers, and nothing is lost.

The tables are small here: what counts as large is made smaller.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeDatabase
from tests.integration.test_archive import KilledError, manifest_of, only_archive, rows_in
from tests.support.busy_rows import BusyApplication, rows_now
from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from tests.support.rag_rows import write_rows
from wizard.engine.events import Event, PartCommitted, PartStarted, StepStarted
from wizard.errors import LockNotObtainedError
from wizard.export.log import LogHeader, export_log

TRIGGERS = "select tgrelid::regclass::text, tgname from pg_trigger where tgname like 'rag_wizard_%' order by 2"
ONE = "(select id from clones order by id limit 1)"


def slow(*values: str) -> list[Any]:
    """Parameters for `make test-all`."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    return tmp_path / "archives"


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wizard.engine.keeping.capture.LARGE_ROWS", -1)


def captured(event: Event) -> bool:
    return isinstance(event, PartCommitted) and event.step == "capture"


def dropping(event: Event) -> bool:
    return isinstance(event, PartStarted) and (event.step, event.direction) == ("2.1", "revert")


def forward_again(database: Database, operator: Operator, archives: Path) -> None:
    """A new run, and everything back that was archived; newest archive last."""
    assert operator.engine.run().ending == "done"
    for folder in sorted((archives / "acme-test").iterdir()):
        assert operator.engine.restore(folder, skip_orphans=True).ending == "done"


@pytest.mark.parametrize(("few", "strategy"), [(500, "online"), pytest.param(3, "atomic", marks=pytest.mark.slow)])
def test_an_application_that_writes_in_every_way_until_the_drop_finds_every_value_again(
    database: Database, archives: Path, monkeypatch: pytest.MonkeyPatch, few: int, strategy: str
) -> None:
    """With `few` 3 nearly everything is moved without a lock, and the last under it."""
    monkeypatch.setattr("wizard.engine.keeping.capturing.FEW", few)
    start = database.dump(rooms=False)
    operator = Operator(database, archives=archives, lock_patience_s=60.0, strategy=strategy)
    operator.engine.run()
    write_rows(database)
    database.execute("update clones set rag_config = '{\"old\": 1.0}' where id = " + ONE)
    with BusyApplication(database) as application:
        before = database.dump(rooms=False)

        def wait(event: Event) -> None:
            if captured(event) or dropping(event) or isinstance(event, StepStarted):
                application.full_round()

        operator.listen(wait)
        operator.engine.rollback()
        expected = dict(application.rows)
        application.full_round()
    assert application.problems == []
    assert database.query(TRIGGERS) == []
    operator.listen(lambda _: None)
    forward_again(database, operator, archives)

    found = rows_now(database)
    gone = {row[0] for row in found.values()} ^ set(expected)
    assert {key: row for key, row in found.items() if key not in gone} == {
        key: row for key, row in expected.items() if key not in gone
    }
    assert len(set(expected) - gone) > 60
    assert database.dump(rooms=False) == before
    assert start != before


@pytest.mark.slow
def test_the_start_is_reached_exactly_and_nothing_of_ours_is_left(database: Database, archives: Path) -> None:
    before = database.dump()
    operator = Operator(database, archives=archives)
    operator.engine.run()
    write_rows(database)

    operator.engine.rollback()

    assert database.query("select count(*) from rag_wizard.capture") == [(0,)]
    assert database.query("select count(*) from rag_wizard.captured") == [(0,)]
    assert database.value("select count(*) from pg_proc where pronamespace = 'rag_wizard'::regnamespace") == 0
    operator.engine.forget()
    assert database.dump() == before


def test_what_is_shown_is_what_is_sent_and_logged_and_the_log_replays(
    database: Database, twin: Database, archives: Path
) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run()
    write_rows(database)
    before = database.snapshot()
    plan = operator.engine.rollback_plan()
    assert_same(before, database.snapshot())

    operator.engine.rollback()

    shown = [s.sql for step in (*plan.captures, *plan.steps) for s in step.statements if not s.ours]
    log = operator.engine.statements()
    logged = [entry.sql for entry in log if entry.direction == "revert"]
    assert [step.title for step in plan.captures] == [
        f"note which rows of {table} change until its columns go" for table in ("knowledge", "clones")
    ]
    assert logged == shown
    assert sum("DROP TRIGGER" in sql for sql in logged) == 4
    twin.psql(export_log(log, "sql", LogHeader("acme-test", "", "phase-1", "public")))
    assert database.digest(schemas=["public"], exclude=["updated_at"]) == twin.digest(
        schemas=["public"], exclude=["updated_at"]
    )


def test_values_of_columns_are_named_among_what_was_archived_those_of_the_last_moment_too(
    database: Database, archives: Path
) -> None:
    operator = Operator(database, archives=archives, strategy="online")
    operator.engine.run()
    some = "(select id from clones order by id limit 5)"
    database.execute(f"update clones set rag_expert_name = 'Ada' where id in {some}")

    def change(event: Event) -> None:
        if isinstance(event, PartStarted) and (event.step, event.direction) == ("6.2", "revert"):
            database.execute("update clones set rag_expert_name = 'Bob' where id = " + ONE)

    operator.listen(change)
    assert operator.engine.rollback().ending == "done"

    (archive,) = operator.engine.survey().archives
    assert (archive.path, archive.rows, archive.late) == (str(only_archive(archives)), 5, 1)


@pytest.mark.parametrize("seam", ["archived", *slow("captured", "dropping", "dropped")])
def test_killed_at_a_seam_the_next_rollback_goes_on_and_loses_nothing(
    database: Database, archives: Path, seam: str
) -> None:
    start = database.dump()
    operator = Operator(database, archives=archives)
    operator.engine.run()
    database.execute(f"update clones set rag_expert_name = 'before' where id = {ONE}")
    seams: dict[str, Callable[[Event], bool]] = {
        "captured": captured,
        "archived": lambda event: isinstance(event, StepStarted),
        "dropping": dropping,
        "dropped": lambda e: isinstance(e, PartCommitted) and (e.step, e.direction) == ("2.2", "revert"),
    }

    def die(event: Event) -> None:
        if seams[seam](event):
            raise KilledError

    operator.listen(die)
    with pytest.raises(KilledError):
        operator.engine.rollback()
    assert database.query(TRIGGERS) != []
    database.execute(f"update clones set rag_expert_name = 'after', rag_config = '[1.0]' where id = {ONE}")
    values = rows_now(database)
    again = Operator(database, archives=archives)
    folder = str(only_archive(archives)) if seam != "captured" else ""
    plan = again.engine.rollback_plan()

    assert plan.archive == folder or seam == "captured"
    assert again.engine.rollback().ending == "done"

    assert len(list((archives / "acme-test").iterdir())) == 1
    again.engine.forget()
    assert database.dump() == start
    forward_again(database, again, archives)
    assert rows_now(database) == values


@pytest.mark.parametrize("way", ["run", *slow("forget", "discard", "to")])
def test_what_needs_no_triggers_takes_them_away(database: Database, archives: Path, way: str) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run()
    write_rows(database)
    ran = database.dump(rooms=False)

    def die(event: Event) -> None:
        if isinstance(event, StepStarted):
            raise KilledError

    operator.listen(die)
    with pytest.raises(KilledError):
        operator.engine.rollback()
    assert len(database.query(TRIGGERS)) == 4
    database.execute(f"update clones set rag_expert_name = 'noted' where id = {ONE}")
    again = Operator(database, archives=archives)

    if way == "run":
        assert again.engine.run().ending == "done"
        assert database.dump(rooms=False) == ran
    elif way == "forget":
        again.engine.forget(keep_objects=True)
    elif way == "discard":
        assert again.engine.rollback(discard_data=True).ending == "done"
    else:
        assert again.engine.rollback(to="5").ending == "done"

    assert database.query(TRIGGERS) == []
    if way != "forget":
        assert database.value("select count(*) from rag_wizard.captured") == 0


@pytest.mark.slow
def test_an_archive_from_before_the_triggers_were_gone_for_a_while_is_not_gone_on_with(
    database: Database, archives: Path
) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run()
    database.execute(f"update clones set rag_expert_name = 'first' where id = {ONE}")

    def die_when(seam: Callable[[Event], bool]) -> None:
        def die(event: Event) -> None:
            if seam(event):
                raise KilledError

        operator.listen(die)
        with pytest.raises(KilledError):
            operator.engine.rollback()
        operator.listen(lambda _: None)

    die_when(dropping)
    Operator(database, archives=archives).engine.run()
    database.execute(f"update clones set rag_expert_name = 'unseen' where id = {ONE}")
    die_when(captured)

    operator.engine.rollback()

    folders = sorted((archives / "acme-test").iterdir())
    assert [rows_in(folder, "clones")[0]["rag_expert_name"] for folder in folders] == ["first", "unseen"]


def test_triggers_that_somebody_disabled_meanwhile_are_not_trusted(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run()

    def load(event: Event) -> None:
        if isinstance(event, StepStarted) and event.step == "2.1":
            database.execute(
                f"alter table clones disable trigger user; update clones set rag_expert_name = 'bulk' where id = {ONE};"
                " alter table clones enable trigger user"
            )

    operator.listen(load)
    operator.engine.rollback()

    assert [row["rag_expert_name"] for row in rows_in(only_archive(archives), "clones")] == ["bulk"]
    assert database.query(TRIGGERS) == []


def test_the_last_state_of_a_row_counts_and_deleted_ones_are_told(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run()
    keys = [key for (key,) in database.query("select id from knowledge order by id limit 4")]
    database.execute("update knowledge set rag_error_message = 'old' where id = any (%s)", [keys[:3]])
    database.execute(
        "with d as (insert into rag_documents (name, document_link, domain) values ('d', '', 'other') returning id)"
        " update knowledge set rag_document_id = d.id from d where knowledge.id = %s", [keys[2]],
    )  # fmt: skip
    new = "insert into knowledge (clone_id, title, content_type) select clone_id, %s, 'url' from knowledge limit 1"

    def write(event: Event) -> None:
        if isinstance(event, StepStarted) and event.step == "6.2":
            database.execute("update knowledge set rag_error_message = 'middle' where id = %s", [keys[3]])
            database.execute(new, ["only defaults"])
            database.execute(new, ["comes and goes"])
        if isinstance(event, StepStarted) and event.step == "2.2":
            database.execute("update knowledge set rag_error_message = 'last' where id = %s", [keys[3]])
            database.execute("update knowledge set rag_error_message = null where id = %s", [keys[0]])
            database.execute("delete from rag_documents")
            database.execute("delete from knowledge where id = %s or title = 'comes and goes'", [keys[1]])

    operator.listen(write)
    operator.engine.rollback()

    folder = only_archive(archives)
    assert len(rows_in(folder, "knowledge")) == 6
    late = {row["id"]: row for row in rows_in(folder / "late", "knowledge")}
    assert {key: row["rag_error_message"] for key, row in late.items()} == {
        str(keys[3]): "last", str(keys[0]): None, str(keys[2]): "old",
    }  # fmt: skip
    assert late[str(keys[2])]["rag_document_id"] is None, "set by the foreign key when the document went"
    assert [(one.table, one.rows) for one in manifest_of(folder).deleted_since] == [
        ("knowledge", 1), ("rag_documents", 1),
    ]  # fmt: skip


@pytest.mark.slow
def test_with_only_defaults_noted_there_is_no_archive(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run()

    def write(event: Event) -> None:
        if dropping(event):
            database.execute("insert into clones (creator_id, name) values ('app', 'new')")

    operator.listen(write)
    assert operator.engine.rollback().ending == "done"
    assert not archives.exists()


def test_a_plain_role_of_the_application_writes_under_its_policies_and_is_noted(
    database: Database, archives: Path
) -> None:
    """It has no rights on schema rag_wizard, and settings of its own that could make a key read otherwise."""
    operator = Operator(database, archives=archives)
    operator.engine.run()
    (key, creator) = database.query("select id, creator_id from clones order by id limit 1")[0]

    def write(event: Event) -> None:
        if dropping(event):
            with database.connect() as conn:
                conn.execute("select set_config('request.jwt.claims', json_build_object('sub', %s::text, 'role',"
                             " 'authenticated')::text, false)", [creator])  # fmt: skip
                conn.execute("set role authenticated")
                for setting in (
                    "row_security = off",
                    "search_path = ''",
                    "default_transaction_isolation = serializable",
                ):
                    conn.execute(f"set {setting}".encode())
                conn.execute("reset row_security")
                with pytest.raises(Exception, match="permission denied for schema rag_wizard"):
                    conn.execute("select from rag_wizard.captured")
                done = conn.execute("update public.clones set rag_expert_name = 'mine' where id = %s", [key])
                assert done.rowcount == 1

    operator.listen(write)
    operator.engine.rollback()

    assert [row["id"] for row in rows_in(only_archive(archives), "clones")] == [str(key)]


@pytest.mark.slow
def test_a_lock_that_cannot_be_had_gives_up_in_words_and_leaves_no_trigger(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives, lock_timeout_ms=50, lock_patience_s=0.3)
    operator.engine.run()
    with database.connect(autocommit=False) as application:
        application.execute("update clones set bio = 'held' where id = " + ONE)
        with pytest.raises(LockNotObtainedError, match="gave up waiting for a lock on clones") as gave_up:
            operator.engine.rollback()

    assert "note which rows of clones change" in gave_up.value.why
    assert database.query(TRIGGERS) == []
    assert operator.engine.survey().failure is None
    assert operator.engine.rollback().ending == "done"


@pytest.mark.parametrize("variant", ["partitioned_clones", *slow("quoted_names")])
def test_other_tables_are_captured_too(make_database: MakeDatabase, archives: Path, variant: str) -> None:
    database = make_database(variant)
    operator = Operator(database, archives=archives)
    operator.engine.run()
    database.execute(f"update clones set rag_expert_name = 'old' where id = {ONE}")

    def write(event: Event) -> None:
        if dropping(event):
            assert database.query(TRIGGERS)
            database.execute("update clones set rag_expert_name = 'late' where id = " + ONE)

    operator.listen(write)
    operator.engine.rollback()
    assert [row["rag_expert_name"] for row in rows_in(only_archive(archives) / "late", "clones")] == ["late"]
    assert database.value("select bool_and(captured) from rag_wizard.archive_file join rag_wizard.guard"
                          " using (part_id, ordinal) where table_name = 'clones'")  # fmt: skip
