"""What a rollout's own files may hold without the engine losing its footing. Each is legal TOML and legal SQL."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from tests.support.odd_rollout import make_rollout
from wizard.errors import WizardError


@pytest.mark.parametrize(
    "deploy",
    [
        "CREATE TABLE tt (a int) -- a comment at the end",
        "CREATE TABLE tt (a int) -- a comment before the semicolon\n;\nCREATE INDEX ti ON tt (a);",
    ],
)
def test_a_statement_that_ends_in_a_comment_runs(database: Database, tmp_path: Path, deploy: str) -> None:
    outcome = Operator(database, make_rollout(tmp_path, deploy)).engine.run()

    assert outcome.failure is None
    assert database.value("select count(*) from tt") == 0


def test_what_psql_runs_may_end_in_a_comment_too(database: Database, tmp_path: Path) -> None:
    deploy = "CREATE TABLE tt (a int) -- a comment before the semicolon\n;\nCREATE INDEX ti ON tt (a);"

    database.psql(Operator(database, make_rollout(tmp_path, deploy)).engine.plan())

    assert database.value("select count(*) from tt") == 0


@pytest.mark.parametrize(
    ("revert", "loses"),
    [("DROP TABLE tt -- gone", "false"), ("DROP TABLE tt", "a > 0 -- some rows")],
)
def test_a_revert_and_a_guard_that_end_in_a_comment_can_be_rolled_back(
    database: Database, tmp_path: Path, revert: str, loses: str
) -> None:
    before = database.snapshot()
    operator = Operator(database, make_rollout(tmp_path, "CREATE TABLE tt (a int);", revert=revert, loses=loses))
    operator.engine.run()

    assert operator.engine.rollback().ending == "done"
    operator.engine.forget()
    assert_same(before, database.snapshot())


def test_the_log_keeps_every_character_of_a_statement(database: Database, tmp_path: Path) -> None:
    insert = "INSERT INTO tt VALUES (':ROW_COUNT %s % \\ $$x$$ ünï 🐘')"
    operator = Operator(database, make_rollout(tmp_path, f"CREATE TABLE tt (a text);\n{insert};"))

    operator.engine.run()

    assert database.value("select a from tt") == ":ROW_COUNT %s % \\ $$x$$ ünï 🐘"
    assert [statement.sql for statement in operator.engine.statements()] == ["CREATE TABLE tt (a text)", insert]


@pytest.mark.parametrize("control", ["COMMIT", "ROLLBACK", "BEGIN; COMMIT", "COMMIT AND CHAIN", "ABORT"])
def test_a_part_that_would_end_its_own_transaction_is_refused_before_anything_runs(
    database: Database, tmp_path: Path, control: str
) -> None:
    before = database.snapshot()

    with pytest.raises(WizardError, match="transaction"):
        Operator(
            database,
            make_rollout(tmp_path, f"CREATE TABLE tt (a int);\n{control};\nCREATE TABLE uu (a int);\nSELECT 1/0;"),
        ).engine.run()

    assert_same(before, database.snapshot())


def test_copy_from_stdin_is_refused_in_words(database: Database, tmp_path: Path) -> None:
    with pytest.raises(WizardError, match="COPY"):
        Operator(database, make_rollout(tmp_path, "CREATE TABLE tt (a int);\nCOPY tt FROM STDIN;")).engine.run()


def test_a_practice_failure_works_for_every_step_id(database: Database, tmp_path: Path) -> None:
    rollout = make_rollout(tmp_path, "CREATE TABLE tt (a int);", step="it's {1}")

    outcome = Operator(database, rollout, fail_at="it's {1}").engine.run()

    assert outcome.failure is not None
    assert outcome.failure.sqlstate == "RW999"


@pytest.mark.parametrize(
    "files",
    [
        {"facts": "SELECT 1 AS a WHERE false"},
        {"prerequisite": "SELECT 'error' AS level, 'x' AS found, '' AS fix"},
        {"prerequisite": "SELECT 'pass' AS level"},
        {"check": "SELECT 'a' AS subject"},
        {"check": "SELECT 'a' AS subject, 1 AS expected, 1 AS found"},
    ],
    ids=lambda files: " ".join(f"{kind} {text}" for kind, text in files.items()),
)
def test_a_query_of_another_shape_is_a_fault_of_the_rollout_in_words(
    database: Database, tmp_path: Path, files: dict[str, str]
) -> None:
    """A WizardError, or a check that failed: never an exception that the command line can only report as a crash."""
    operator = Operator(database, make_rollout(tmp_path, "CREATE TABLE tt (a int);", **files))

    try:
        outcome = operator.engine.run()
        operator.engine.rollback()
    except WizardError as error:
        assert ".sql" in str(error)
    else:
        assert outcome.ending == "check failed"


def test_a_query_of_the_rollout_cannot_write_whatever_it_holds(database: Database, tmp_path: Path) -> None:
    check = "SELECT 'a' AS subject, 'x' AS expected, 'x' AS found; COMMIT; CREATE TABLE evil (a int)"
    with suppress(WizardError):
        Operator(database, make_rollout(tmp_path, "CREATE TABLE tt (a int);", check=check)).engine.run()

    assert database.value("select to_regclass('public.evil')") is None
