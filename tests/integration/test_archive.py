"""Rows that a rollback would destroy are archived first: whole, on disk, and with what came until the very drop."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import psycopg
import pytest

from tests.conftest import MakeDatabase
from tests.support.database import Database
from tests.support.engine import Operator, at_start_of
from tests.support.rag_rows import write_rows
from wizard.engine.events import Event, Noticed, PartCommitted, PartStarted, StepStarted
from wizard.engine.keeping.manifest import Manifest
from wizard.engine.parts.guard import OUT_OF_TIME, TOO_SLOW, Guard, Saving, saving_lines, select_of
from wizard.engine.session.registry import CREATE_ROOM
from wizard.errors import ExitCode, LockNotObtainedError, RefusedError

EXPERT = "insert into experts (name, domain, context) values ('late', 'other', '')"


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    return tmp_path / "archives"


def manifest_of(folder: Path) -> Manifest:
    return Manifest.model_validate_json((folder / "manifest.json").read_text())


def only_archive(archives: Path) -> Path:
    (folder,) = (archives / "acme-test").iterdir()
    return folder


def rows_in(folder: Path, table: str) -> list[dict[str, str | None]]:
    return [
        json.loads(line)
        for path in sorted(folder.rglob(f"*-{table}.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


class KilledError(Exception):
    """The wizard dies here."""


def die_after(operator: Operator, step: str, before: str, database: Database) -> None:
    """Somebody writes `before` the rollback of `step` is sent; the wizard dies when that is committed."""

    def interfere(event: Event) -> None:
        if isinstance(event, PartStarted) and event.step == step and event.direction == "revert":
            database.execute(before)
        if isinstance(event, PartCommitted) and event.step == step and event.direction == "revert":
            raise KilledError

    operator.listen(interfere)


def test_every_row_that_goes_is_in_the_archive_and_the_manifest_vouches_for_it(
    database: Database, archives: Path
) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run()
    write_rows(database)

    plan = operator.engine.rollback_plan()
    assert not archives.exists()
    outcome = operator.engine.rollback(archive=Path(plan.archive))

    folder = only_archive(archives)
    manifest = manifest_of(folder)
    assert str(folder) == plan.archive
    assert outcome.sentence.endswith(f"The rows that went are archived in {folder}")
    assert {file.table: file.rows for file in manifest.files} == {loss.table: loss.rows for loss in plan.losses}
    assert manifest.is_whole
    assert (manifest.rollout, manifest.target, manifest.schema_name) == ("phase-1", "acme-test", "public")
    for file in manifest.files:
        assert len(rows_in(folder, file.table)) == file.rows
        assert (folder / file.file).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert rows_in(folder, "assistants")[1]["configuration"] == "null"
    assert database.query("select path, sha256, completed_at is not null from rag_wizard.archive") == [
        (str(folder), manifest.sha256, True)
    ]


def test_with_nothing_to_lose_nothing_is_archived(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run()

    assert operator.engine.rollback_plan().archive == ""
    assert operator.engine.rollback().ending == "done"

    assert not archives.exists()
    assert database.value("select count(*) from rag_wizard.archive") == 0


def test_rows_that_come_after_the_archive_are_saved_by_the_transaction_that_drops_them(
    database: Database, archives: Path
) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run(last="1.4")
    write = "insert into experts (name, domain, context) select 'Ada' || n, 'other', '' from generate_series(1, 9) as n"
    database.execute(write)
    at_start_of(
        operator, "1.2", database, EXPERT, "update experts set context = 'new' where name = 'Ada3'",
        "delete from experts where name in ('Ada1', 'Ada2')",
    )  # fmt: skip

    operator.engine.rollback()

    folder = only_archive(archives)
    (archived, late) = [file for file in manifest_of(folder).files if file.table == "experts"]
    assert (archived.rows, late.rows, late.late) == (9, 2, True)
    assert {row["name"]: row["context"] for row in rows_in(folder / "late", "experts")} == {"late": "", "Ada3": "new"}
    assert [(one.table, one.rows) for one in manifest_of(folder).deleted_since] == [("experts", 2)]
    assert database.value("select count(*) from rag_wizard.late_row") == 0


def test_the_first_row_of_all_may_come_late(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run(last="1.2")
    at_start_of(operator, "1.2", database, EXPERT)

    outcome = operator.engine.rollback()

    folder = only_archive(archives)
    assert [row["name"] for row in rows_in(folder, "experts")] == ["late"]
    assert outcome.sentence.endswith(str(folder))


def test_a_subtransaction_that_was_open_when_the_rows_were_archived_is_not_missed(
    database: Database, archives: Path
) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run(last="1.2")
    with database.connect(autocommit=False) as open_one, database.connect(autocommit=False) as later:
        open_one.execute("savepoint a")
        open_one.execute(EXPERT)
        later.execute("select pg_current_xact_id()")
        later.commit()  # ids above the subtransaction's are over when the snapshot is taken

        def commit(event: Event) -> None:
            if isinstance(event, StepStarted):
                open_one.commit()

        operator.listen(commit)
        assert operator.engine.rollback().ending == "done"

    assert [row["name"] for row in rows_in(only_archive(archives), "experts")] == ["late"]


def test_killed_between_drop_and_export_the_next_rollback_goes_on_with_the_same_archive(
    database: Database, archives: Path
) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run(last="1.2")
    database.execute("insert into domains (domain_name) values ('astrology')")
    die_after(operator, "1.2", EXPERT, database)
    with pytest.raises(KilledError):
        operator.engine.rollback()
    assert database.query("select row ->> 'name' from rag_wizard.late_row") == [("late",)]
    folder = only_archive(archives)
    again = Operator(database, archives=archives)

    assert again.engine.rollback_plan().archive == str(folder)
    assert again.engine.rollback().ending == "done"

    assert only_archive(archives) == folder
    assert [row["name"] for row in rows_in(folder, "experts")] == ["late"]
    assert [row["domain_name"] for row in rows_in(folder, "domains")] == ["astrology"]
    assert manifest_of(folder).sha256 == database.value("select sha256 from rag_wizard.archive")
    assert database.value("select count(*) from rag_wizard.late_row") == 0


def test_killed_while_the_manifest_was_replaced_it_is_written_again(database: Database, archives: Path) -> None:
    """The folder is one step ahead of the registry: the late rows are there already, the registry does not know."""
    operator = Operator(database, archives=archives)
    operator.engine.run(last="1.2")
    database.execute("insert into experts (name, domain, context) values ('Ada', 'other', '')")
    die_after(operator, "1.2", EXPERT, database)
    with pytest.raises(KilledError):
        operator.engine.rollback()
    with database.connect(autocommit=False) as conn:  # what exporting writes into the registry is lost
        conn.execute("lock table rag_wizard.late_row in exclusive mode")
        with pytest.raises(LockNotObtainedError):
            Operator(database, archives=archives).engine.rollback()
    folder = only_archive(archives)
    assert manifest_of(folder).before == database.value("select sha256 from rag_wizard.archive")

    assert Operator(database, archives=archives).engine.rollback().ending == "done"

    assert sorted(str(row["name"]) for row in rows_in(folder, "experts")) == ["Ada", "late"]
    assert manifest_of(folder).sha256 == database.value("select sha256 from rag_wizard.archive")


@pytest.mark.parametrize("archived", [True, False], ids=["brought here", "begun here"])
def test_the_registry_knows_where_rows_are_that_another_machine_wrote(
    database: Database, archives: Path, *, archived: bool
) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run(last="1.2")
    if archived:
        database.execute("insert into experts (name, domain, context) values ('Ada', 'other', '')")
    die_after(operator, "1.2", EXPERT, database)
    with pytest.raises(KilledError):
        operator.engine.rollback()
    database.execute("update rag_wizard.archive set host = 'elsewhere'")

    assert Operator(database, archives=archives).engine.rollback().ending == "done"

    (lies,) = database.query("select host, path from rag_wizard.archive")
    assert lies == (socket.gethostname(), str(only_archive(archives)))


def test_forget_writes_what_waits_and_refuses_where_it_cannot(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run(last="1.2")
    database.execute("insert into experts (name, domain, context) values ('Ada', 'other', '')")
    die_after(operator, "1.2", EXPERT, database)
    with pytest.raises(KilledError):
        operator.engine.rollback()
    folder = only_archive(archives)
    away = folder.rename(folder.with_name("away"))

    with pytest.raises(RefusedError, match="1 rows wait to be written to an archive that is not here") as refused:
        Operator(database).engine.forget(keep_objects=True)
    foreseen = Operator(database).engine.refused_forget()
    assert foreseen is not None and (foreseen.exit_code, foreseen.what) == (ExitCode.REFUSED, refused.value.what)
    assert database.value("select count(*) from rag_wizard.late_row") == 1
    away.rename(folder)
    assert Operator(database).engine.refused_forget() is None
    Operator(database).engine.forget(keep_objects=True)

    assert sorted(str(row["name"]) for row in rows_in(folder, "experts")) == ["Ada", "late"]
    assert manifest_of(folder).is_whole


def test_rows_that_take_longer_to_look_through_than_the_application_may_wait_stop_it_without_a_lock(
    database: Database, archives: Path
) -> None:
    operator = Operator(database, archives=archives, lock_budget_ms=1)
    operator.engine.run(last="1.2")
    database.execute(
        "insert into experts (name, domain, context)"
        " select 'Ada' || n, 'other', repeat(md5(n::text), 20) from generate_series(1, 40000) as n"
    )

    with pytest.raises(LockNotObtainedError, match="looking for rows of experts"):
        operator.engine.rollback()

    assert database.value("select count(*) from experts") == 40000
    assert Operator(database, archives=archives).engine.rollback().ending == "done"


def test_a_great_many_late_rows_are_archived_anew_before_the_lock(
    database: Database, archives: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wizard.engine.keeping.keeper.LATE_ROWS", 3)
    operator = Operator(database, archives=archives)
    operator.engine.run(last="1.2")
    database.execute("insert into experts (name, domain, context) values ('Ada', 'other', '')")

    def write(event: Event) -> None:
        if isinstance(event, StepStarted) and event.step == "1.2":
            database.execute(
                "insert into experts (name, domain, context)"
                " select n::text, 'other', '' from generate_series(1, 5) as n"
            )

    operator.listen(write)
    outcome = operator.engine.rollback()

    first, second = sorted((archives / "acme-test").iterdir())
    assert (len(rows_in(first, "experts")), len(rows_in(second, "experts"))) == (1, 6)
    assert [file.late for file in manifest_of(second).files] == [False]
    assert outcome.sentence.endswith(f"{first}, {second}")


def test_saving_late_rows_lets_go_of_the_table_in_time(database: Database, archives: Path) -> None:
    """The statement itself, with a time limit that it cannot keep: what it says is not taken for a missing lock."""
    operator = Operator(database, archives=archives)
    operator.engine.run(last="1.2")
    database.execute(
        "insert into experts (name, domain, context) select n::text, 'other', '' from generate_series(1, 9) as n"
    )
    part = database.value("select part_id::text from rag_wizard.guard where table_name = 'experts'")
    slow = "(SELECT pg_sleep(60)::text) IS NOT NULL AND length(id::text) > 0"
    guard = Guard("rows", "experts", ("id",), (), select_of("experts", (), slow), part, 1)
    database.execute(CREATE_ROOM["archives"])
    lines = saving_lines((guard,), Saving(part, ((guard.place, "0"),), 300), "public", limit="1min")

    with database.connect(autocommit=False) as conn, pytest.raises(psycopg.Error, match=TOO_SLOW) as too_slow:
        for line in lines:
            conn.execute(line.encode())
    assert too_slow.value.sqlstate == OUT_OF_TIME


def test_discarding_archives_nothing(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run(last="1.2")
    database.execute(EXPERT)

    assert operator.engine.rollback(discard_data=True).ending == "done"

    assert not archives.exists()


def test_a_column_that_somebody_dropped_by_hand_does_not_lose_the_others(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run(last="2.1")
    database.execute("update clones set rag_expert_name = 'Ada' where id = (select id from clones limit 1)")
    database.execute("alter table clones drop column rag_config")

    operator.engine.rollback()

    rows = rows_in(only_archive(archives), "clones")
    assert [row["rag_expert_name"] for row in rows if row["rag_expert_name"]] == ["Ada"]
    assert len(rows) == database.value("select count(*) from clones")


def test_the_operator_is_told_where_rows_went(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run(last="1.2")
    database.execute(EXPERT)

    operator.engine.rollback()

    assert f"1 row archived in {only_archive(archives)}" in [event.text for event in operator.told(Noticed)]


def test_an_archive_can_be_made_in_a_schema_with_an_awkward_name(make_database: MakeDatabase, archives: Path) -> None:
    database = make_database()
    database.execute(
        'create schema "Clone ""AI"""; alter table clones set schema "Clone ""AI""";'
        ' alter table knowledge set schema "Clone ""AI"""'
    )
    operator = Operator(database, archives=archives, schema='Clone "AI"')
    operator.engine.run(last="1.2")
    database.execute('set search_path = "Clone ""AI"""; ' + EXPERT)

    operator.engine.rollback()

    assert manifest_of(only_archive(archives)).schema_name == 'Clone "AI"'
    assert [row["name"] for row in rows_in(only_archive(archives), "experts")] == ["late"]
