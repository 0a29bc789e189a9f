"""A dry run ends with the exit code of the real command, and says why, whatever would stop that one at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.support.cluster import Cluster
from tests.support.database import SUPERUSER, Database, assert_same
from tests.support.engine import Operator
from tests.support.pgbouncer import Pooler, pgbouncer
from tests.support.program import Program
from wizard.engine.session.exclusive import lock_key
from wizard.errors import ExitCode

WRITING = ("run", "rollback", "forget --keep-objects")


@pytest.fixture
def transaction_pool(cluster: Cluster) -> Iterator[Pooler]:
    with pgbouncer(cluster, "transaction") as pooler:
        yield pooler


def codes(wizard: Program, command: str) -> tuple[int, int]:
    """Of the dry run, which has to say why it ends otherwise than well, and of the real command."""
    tried = wizard(*command.split(), "--dry-run")
    real = wizard(*command.split(), "--yes")
    if real.code != ExitCode.DONE:
        assert "Would be refused" in tried.out + tried.err, tried.err
    document = wizard(*command.split(), "--dry-run", "--json").document
    assert document["exit_code"] == tried.code
    assert bool(document["refused"]) == (tried.code != ExitCode.DONE)
    return tried.code, real.code


def test_through_a_transaction_pool(database: Database, transaction_pool: Pooler, state_dir: Path) -> None:
    direct, pooled = Program.on(database, state_dir), Program.on(transaction_pool.through(database), state_dir)
    folder = str(state_dir / "archive")
    assert direct("run", "--yes", "--to", "1.1").code == ExitCode.DONE
    database.execute("insert into domains (domain_name) values ('made by the application')")
    assert direct("rollback", "--yes", "--archive", folder).code == ExitCode.DONE
    assert direct("run", "--yes", "--to", "1.1").code == ExitCode.DONE
    before = database.snapshot()

    for command in (*WRITING, f"restore {folder}"):
        assert codes(pooled, command) == (ExitCode.CONNECTION, ExitCode.CONNECTION), command
    for way in ("--dry-run", "--yes"):
        # There is nothing after it, so no session that writes is opened.
        assert pooled("rollback", "--to", "1.1", way).code == ExitCode.DONE

    assert_same(before, database.snapshot())
    assert direct("restore", folder, "--dry-run").code == ExitCode.DONE


def test_on_a_database_that_is_read_only(database: Database, state_dir: Path) -> None:
    """Also where nothing is left to run: the real command opens a session that writes in any case."""
    Operator(database).engine.run()
    name = sql.Identifier(database.name)
    database.execute(sql.SQL("alter database {} set default_transaction_read_only = on").format(name), user=SUPERUSER)
    wizard = Program.on(database, state_dir)

    for command in WRITING:
        assert codes(wizard, command) == (ExitCode.PREREQUISITES, ExitCode.PREREQUISITES), command


def test_while_another_operator_is_at_work(database: Database, state_dir: Path) -> None:
    Operator(database).engine.run(last="1.1")
    with psycopg.connect(database.conninfo()) as other:
        other.execute("select pg_advisory_lock(%s, %s)", lock_key("public"))

        for command in WRITING:
            assert codes(Program.on(database, state_dir), command) == (5, 5), command


def test_forgetting_while_somebody_rolls_out_in_another_schema(database: Database, state_dir: Path) -> None:
    """The registry is one for all schemas."""
    Operator(database).engine.run(last="1.1")
    with psycopg.connect(database.conninfo()) as other:
        other.execute("select pg_advisory_lock(%s, %s)", lock_key("app2"))

        assert codes(Program.on(database, state_dir), "forget --keep-objects") == (5, 5)
