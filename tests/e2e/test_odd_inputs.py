"""The command line where a DBA would be misled, or lose what only the registry knows."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.program import Program
from tests.support.typescript import GENERATED
from wizard.demo.server import client_environment
from wizard.rollout.load import load_rollout

TINY = Path(__file__).parent.parent / "rollouts" / "tiny"


def test_an_empty_schema_name_is_a_usage_error(database: Database, state_dir: Path) -> None:
    ended = Program.on(database, state_dir)("status", "--schema", "")

    assert ended.code == 2
    assert "Unexpected" not in ended.err


def test_keep_objects_names_every_rollout_it_makes_irrevocable(database: Database, state_dir: Path) -> None:
    database.execute('create schema "App 2"')
    Operator(database, load_rollout(TINY), schema="App 2").engine.run()
    program = Program.on(database, state_dir)

    ended = program("forget", "--keep-objects", "--dry-run")

    assert "App 2" in ended.err


@pytest.mark.slow
def test_forget_exports_the_log_of_every_rollout_that_the_registry_holds(database: Database, state_dir: Path) -> None:
    tiny = Operator(database, load_rollout(TINY))
    tiny.engine.run()
    tiny.engine.rollback()
    program = Program.on(database, state_dir)
    assert program("run", "--to", "1.1", "--yes").code == 0
    assert program("rollback", "--yes").code == 0

    assert program("forget", "--yes").code == 0

    saved = "".join(path.read_text(encoding="utf-8") for path in (state_dir / "logs").iterdir())
    assert "CREATE TABLE domains" in saved
    assert "CREATE TABLE tickets" in saved


def test_forget_after_a_first_step_that_failed_needs_no_rollback_of_nothing(
    database: Database, state_dir: Path
) -> None:
    program = Program.on(database, state_dir)
    assert program("run", "--yes", "--fail-at", "1.1").code == 1

    ended = program("forget", "--yes")

    assert ended.code == 0
    assert "recorded as rolled out" not in ended.err


@pytest.mark.slow
def test_what_no_registry_costs_is_told_truly(database: Database, state_dir: Path) -> None:
    program = Program.on(database, state_dir)
    ended = program("plan", "--no-registry")
    database.psql(ended.out)

    assert "a later `rag-wizard run` adopts what it finds, and adopted objects stay" in ended.out
    before = database.dump()
    assert program("run", "--yes").code == 0
    assert program("rollback", "--yes").code == 0
    assert program("forget", "--yes").code == 0
    assert database.dump() == before


def test_a_plan_means_the_same_whatever_encoding_psql_was_told(database: Database, state_dir: Path) -> None:
    plan = Program.on(database, state_dir)("--operator", "Zoë", "plan").out

    subprocess.run(
        [str(database.server.client_dir / "psql"), "-Xq", "-d", database.conninfo(), "-f", "-"],
        env={**client_environment(), "PGCLIENTENCODING": "LATIN1"},
        input=plan.encode(),
        check=True,
        capture_output=True,
    )

    assert database.value("select operator from rag_wizard.session") == "Zoë"


@pytest.mark.slow
def test_control_characters_of_a_target_reach_no_pipe(database: Database, state_dir: Path) -> None:
    program = Program(state_dir, ("--dsn", database.url(), "--target-name", "acme\x1b[31m"))

    for words in (("plan",), ("rollback", "--dry-run"), ("status",)):
        ended = program(*words)
        assert "\x1b" not in ended.out + ended.err, words


@pytest.mark.slow
def test_a_run_that_finds_damage_is_not_called_finished_afterwards(database: Database, state_dir: Path) -> None:
    program = Program.on(database, state_dir)
    assert program("run", "--yes").code == 0
    database.execute("drop index idx_experts_domain")
    assert program("run", "--yes").code == 1

    assert program("status", "--exit-code").code == 1


def test_a_folder_whose_name_is_too_long_is_a_usage_error(database: Database, state_dir: Path) -> None:
    wizard, folder = Program.on(database, state_dir), str(state_dir / ("x" * 300))
    types = state_dir / "database.ts"
    types.write_text(GENERATED, encoding="utf-8")

    for arguments in (
        ("restore", folder, "--yes"),
        ("run", "--types", str(types), "--yes", "--to", "5", "--state-dir", folder),
    ):
        ended = wizard(*arguments)
        assert ended.code == 2, ended.err
        assert "File name too long" in ended.err
        assert "Unexpected" not in ended.err
