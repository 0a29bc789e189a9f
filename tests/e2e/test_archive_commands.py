"""rollback and restore as commands: what is archived, where, and how it comes back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.database import Database, assert_same
from tests.support.program import Program
from tests.support.rag_rows import read_rows, write_rows
from wizard.errors import ExitCode

ASTROLOGY = "insert into domains (domain_name) values ('astrology')"


@pytest.mark.slow
def test_rows_go_to_the_state_folder_without_being_asked_for_and_come_back(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    wizard("run", "--yes")
    write_rows(database)
    before = read_rows(database)

    back = wizard("rollback", "--yes")

    assert back.code == ExitCode.DONE, back.err
    (folder,) = (state_dir / "archives" / "acme-test").iterdir()
    assert str(folder) in " ".join(back.err.split())
    assert wizard("run", "--yes").code == ExitCode.DONE
    restored = wizard("restore", str(folder), "--yes")
    assert restored.code == ExitCode.DONE, restored.err
    assert "RESTORED 22 rows" in restored.err
    assert read_rows(database) == before
    again = wizard("restore", str(folder), "--yes")
    assert (again.code, "is there already" in again.err) == (ExitCode.DONE, True)


@pytest.mark.slow
def test_the_plan_says_which_rows_go_where_before_anything_is_asked(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    wizard("run", "--yes", "--to", "1.2")
    database.execute(ASTROLOGY)
    before = database.snapshot()
    folder = state_dir / "mine"

    dry = wizard("rollback", "--dry-run", "--archive", str(folder))
    document = wizard("rollback", "--dry-run", "--json", "--archive", str(folder)).document
    code, shown = wizard.on_terminal("rollback", answers=[("[y/N]", "n")])

    assert dry.code == ExitCode.DONE
    assert 'LOCK TABLE "public"."domains" IN ACCESS EXCLUSIVE MODE;' in dry.out
    assert dry.out.index("Archived first") < dry.out.index("Every statement, in the order it is sent")
    assert re.search(rf"Archived first, in {folder}\n.*step 1\.1 +1 row in domains", dry.out)
    assert (document["archive"], document["losses"][0]["table"], document["exit_code"]) == (str(folder), "domains", 0)
    assert (code, "1 row" in shown) == (ExitCode.USAGE, True)
    assert not folder.exists()
    assert_same(before, database.snapshot())


@pytest.mark.slow
def test_restore_says_what_it_would_do_and_asks(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    wizard("run", "--yes", "--to", "1.2")
    database.execute(ASTROLOGY)
    folder = state_dir / "mine"
    wizard("rollback", "--yes", "--archive", str(folder))

    too_early = wizard("restore", str(folder), "--yes")
    wizard("run", "--yes", "--to", "1.2")
    before = database.snapshot()
    dry = wizard("restore", str(folder), "--dry-run")
    document = wizard("restore", str(folder), "--dry-run", "--json").document
    unasked = wizard("restore", str(folder))
    code, shown = wizard.on_terminal("restore", str(folder), answers=[("[y/N]", "")])

    assert too_early.code == ExitCode.PREREQUISITES
    assert (dry.code, unasked.code, code) == (ExitCode.DONE, ExitCode.USAGE, ExitCode.USAGE)
    assert "every file is as it was written" in dry.out
    assert document["tables"][0]["table"] == "domains"
    assert "Restore 1 row on acme-test?" in shown
    assert_same(before, database.snapshot())
    events = wizard("restore", str(folder), "--yes", "--json").lines
    assert events[-1]["outcome"]["ending"] == "done"
    assert {event["schema_version"] for event in events} == {1}


@pytest.mark.slow
def test_a_damaged_archive_is_exit_7_in_one_message_that_names_the_file(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    wizard("run", "--yes", "--to", "1.2")
    database.execute(ASTROLOGY)
    folder = state_dir / "mine"
    wizard("rollback", "--yes", "--archive", str(folder))
    wizard("run", "--yes", "--to", "1.2")
    (file,) = folder.glob("*.jsonl")
    file.write_bytes(file.read_bytes().replace(b"astrology", b"astronomy"))
    before = database.snapshot()

    refused = wizard("restore", str(folder), "--yes")

    assert refused.code == ExitCode.REFUSED
    assert f"{file}: its content is not what was archived" in " ".join(refused.err.split())
    assert_same(before, database.snapshot())


def test_an_archive_folder_that_is_not_empty_is_a_usage_error(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    wizard("run", "--yes", "--to", "1.1")
    database.execute(ASTROLOGY)
    (state_dir / "full").mkdir()
    (state_dir / "full" / "file").touch()

    refused = wizard("rollback", "--yes", "--archive", str(state_dir / "full"))

    assert refused.code == ExitCode.USAGE
    assert "is not empty" in refused.err
    unusable = wizard("rollback", "--yes", "--archive", str(state_dir / ("x" * 300)))
    assert unusable.code == ExitCode.USAGE
    assert "File name too long" in unusable.err
    assert database.value("select count(*) from domains") == 9


@pytest.mark.slow
def test_restoring_on_production_needs_its_name(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    wizard("run", "--yes", "--to", "1.1")
    database.execute(ASTROLOGY)
    folder = state_dir / "mine"
    wizard("rollback", "--yes", "--archive", str(folder))
    wizard("run", "--yes", "--to", "1.1")

    unnamed = wizard("restore", str(folder), "--yes", "--env", "production")
    named = wizard("restore", str(folder), "--yes", "--env", "production", "--confirm", "acme-test")

    assert (unnamed.code, named.code) == (ExitCode.USAGE, ExitCode.DONE), unnamed.err + named.err
    assert database.value("select count(*) from domains") == 9
