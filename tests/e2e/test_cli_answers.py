"""What a command says before and after: what would run, what is missing, the last words after it was stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.blocking import eventually, holding
from tests.support.database import SUPERUSER, Database, assert_same
from tests.support.program import Program
from tests.support.typescript import GENERATED
from wizard.errors import ExitCode

END_WHO_WAITS = """
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and application_name like 'rag-wizard 0%' and wait_event_type = 'Lock'"""
TINY = Path(__file__).parents[1] / "rollouts" / "tiny"


def test_check_and_plan_name_a_missing_decision_and_end_as_a_run_would(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    database.execute("create table old_tickets (title text)")
    tiny = ("--rollout", str(TINY))

    checked, document, planned = wizard("check", *tiny), wizard("check", "--json", *tiny), wizard("plan", *tiny)

    assert {checked.code, document.code, planned.code} == {ExitCode.PREREQUISITES}, checked.err + planned.err
    assert "Decision needed: legacy_rows (step tickets)" in checked.out
    assert "--decide legacy_rows=copy|leave" in checked.err
    assert document.document["met"] is False
    assert [one["name"] for one in document.document["decisions"]] == ["legacy_rows"]
    assert "a decision is missing: legacy_rows" in planned.err
    assert planned.out == ""
    answered = ("--decide", "legacy_rows=leave", *tiny)
    assert (wizard("check", *answered).code, wizard("plan", *answered).code) == (ExitCode.DONE, ExitCode.DONE)


def test_the_plan_that_is_shown_is_that_of_the_range(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)

    code, shown = wizard.on_terminal("run", "--to", "1.1", answers=[("[y/N]", "y")])

    assert code == ExitCode.DONE, shown
    assert "Run up to 1.1 on acme-test?" in shown
    before = shown.partition("Run up to 1.1")[0]
    assert "1.1  Domains table" in before
    assert "CREATE INDEX" not in before
    assert "6.2" not in before
    code, shown = wizard.on_terminal("run", "--from", "2.1", answers=[])
    assert code == ExitCode.USAGE
    assert "step 1.2 comes before 2.1 and is not done" in shown


@pytest.mark.slow
def test_a_backfill_that_is_named_again_is_shown_and_counted(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    assert wizard("run", "--yes", "--strategy", "online").code == ExitCode.DONE
    again = ("--strategy", "online", "--from", "6.2", "--to", "6.2")

    tried = wizard("run", "--dry-run", *again)
    code, shown = wizard.on_terminal("run", *again, answers=[("[y/N]", "n")])

    assert tried.code == ExitCode.DONE, tried.err
    assert "1 step would run" in tried.err
    assert "6.2" in tried.out
    assert code == ExitCode.USAGE
    assert "Run 6.2 on acme-test?" in shown


@pytest.mark.slow
def test_a_rollback_to_where_it_stands_says_so_and_asks_nothing(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    assert wizard("run", "--yes", "--to", "1.2").code == ExitCode.DONE
    before = database.snapshot()

    code, shown = wizard.on_terminal("rollback", "--to", "1.2", answers=[])

    assert code == ExitCode.DONE, shown
    assert "Nothing after 1.2 is rolled out on acme-test; it and the steps before it stay" in shown
    assert "[y/N]" not in shown
    assert_same(before, database.snapshot())


@pytest.mark.slow
def test_a_rollback_to_where_it_stands_finishes_an_archive_that_is_open(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    wizard("run", "--yes", "--to", "1.4")
    row = "(vector_id, domain_name, clone_id) select 'v', 'other', id from clones limit 1"
    database.execute(f"insert into vector_stores {row}")
    assert wizard("rollback", "--yes", "--to", "1.3").code == ExitCode.DONE
    database.execute("update rag_wizard.archive set completed_at = null")

    again = wizard("rollback", "--yes", "--to", "1.3")

    assert again.code == ExitCode.DONE, again.err
    assert "Nothing after 1.3 was rolled out. Steps 0 to 1.3 are committed" in again.err
    assert database.value("select count(*) from rag_wizard.archive where completed_at is null") == 0


def test_what_stopped_a_run_comes_first_and_the_way_on_last(database: Database, state_dir: Path) -> None:
    database.execute("create table experts (id int)")

    refused = Program.on(database, state_dir)(
        "run", "--yes", "--lock-timeout", "900ms", "--operator", "anna@desk", "--on-failure", "rollback", "--strict"
    )

    assert refused.code == ExitCode.REFUSED, refused.err
    said = refused.err.rstrip().splitlines()
    assert [line.split()[0] for line in said[-4:]] == ["State", "Resume", "Roll", "Log"]
    stopped = next(number for number, line in enumerate(said) if line.startswith("rag-wizard: conflict"))
    assert stopped < len(said) - 4
    for option in ("--lock-timeout 900ms", "--operator anna@desk", "run --on-failure rollback --strict"):
        assert option in said[-3], said[-3]


@pytest.mark.slow
def test_a_connection_that_is_lost_for_good_ends_with_the_way_on(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    with holding(database, "select * from clones"):
        running = wizard.start("run", "--yes", "--lock-timeout", "50ms")
        eventually(lambda: database.value("select to_regclass('clone_rag_mapping') is not null"), "it comes to 2.1")
        while running.poll() is None:
            database.execute(END_WHO_WAITS, user=SUPERUSER)
    _, said = running.communicate()

    assert running.returncode == ExitCode.CONNECTION, said
    assert [line.split()[0] for line in said.rstrip().splitlines()[-4:]] == ["State", "Resume", "Roll", "Log"]
    assert said.index("rag-wizard: the connection was lost") < said.index("State  ")


def test_any_error_in_the_middle_of_a_run_ends_with_the_way_on(database: Database, state_dir: Path) -> None:
    wizard, file = Program.on(database, state_dir), state_dir / "database.ts"
    file.write_text(GENERATED, encoding="utf-8")
    with holding(database, "select * from clones"):
        running = wizard.start("run", "--yes", "--types", str(file))
        eventually(lambda: database.value("select to_regclass('clone_rag_mapping') is not null"), "it comes to 2.1")
        file.unlink()
    _, said = running.communicate()

    assert running.returncode == ExitCode.USAGE, said
    assert [line.split()[0] for line in said.rstrip().splitlines()[-4:]] == ["State", "Resume", "Roll", "Log"]
    assert said.index(f"There is no file {file}") < said.index("State  ")
    assert said.count(f"There is no file {file}") == 1
    assert "Steps 0 to 4 are committed" in said


def test_forgetting_on_trial_is_one_document(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    nothing = wizard("forget", "--dry-run", "--json").document
    assert wizard("run", "--yes", "--to", "1.1").code == ExitCode.DONE

    tried = wizard("forget", "--dry-run", "--json", "--keep-objects")

    assert tried.code == ExitCode.DONE, tried.err
    assert (nothing["command"], tried.document["command"]) == ("forget --dry-run", "forget --dry-run")
    assert tried.document["would_drop"] == "rag_wizard"
    assert tried.document["would_stay"]
    assert database.value("select to_regnamespace('rag_wizard') is not null")
