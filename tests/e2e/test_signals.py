"""Signals to the installed command: the part rolls back, checkpoints stay, the exit code says which signal it was."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.blocking import assert_cancelled
from tests.support.database import Database
from tests.support.program import Program
from tests.support.series import sampled

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def waiting(database: Database) -> bool:
    """True while the wizard waits for a table lock."""
    return bool(
        database.value(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
            " and application_name like 'rag-wizard%' and datname = current_database()",
            user="supabase_admin",
        )
    )


@contextmanager
def held_in(database: Database, program: Program) -> Iterator[tuple[subprocess.Popen[str], object]]:
    """A run that waits inside step 2.1 for a blocker, which is handed out too."""
    with database.connect(autocommit=False) as blocker:
        blocker.execute("lock table clones in access share mode")
        process = program.start("run", "--yes", "--lock-timeout", "60s")
        try:
            while not waiting(database):
                assert process.poll() is None, process.communicate()
            yield process, blocker
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()


@pytest.mark.parametrize("number", sampled(list(CODES), 1), ids=lambda number: number.name)
def test_a_signal_mid_statement_rolls_the_part_back_and_keeps_the_rest(
    database: Database, state_dir: Path, number: signal.Signals
) -> None:
    program = Program.on(database, state_dir)
    with held_in(database, program) as (process, _):
        process.send_signal(number)
        _, words = process.communicate(timeout=30)
        # While the lock is still held: nothing but the signal ended the wait.
        assert_cancelled(database)

    assert process.returncode == CODES[number], words
    assert "Traceback" not in words
    assert "Steps 0 to 1.6 are committed" in words
    assert re.search(r"^Resume +rag-wizard .*run$", words, re.MULTILINE)
    assert database.value("select count(*) from pg_attribute where attname = 'rag_enabled'") == 0
    assert program("run", "--yes").code == 0


@pytest.mark.parametrize("number", sampled(list(CODES), 1), ids=lambda number: number.name)
def test_a_signal_at_a_prompt_changes_nothing(database: Database, state_dir: Path, number: signal.Signals) -> None:
    program = Program.on(database, state_dir)
    master, slave = os.openpty()
    process = subprocess.Popen(
        program.command(["run"]), env=program.env(), stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    )
    os.close(slave)
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(master, 65536)
    process.send_signal(number)
    assert process.wait(30) == CODES[number]
    os.close(master)
    assert database.value("select to_regnamespace('rag_wizard')::text") is None


def test_ctrl_z_stops_only_between_two_parts(database: Database, state_dir: Path) -> None:
    program = Program.on(database, state_dir)
    with held_in(database, program) as (process, blocker):
        process.send_signal(signal.SIGTSTP)
        assert process.stderr is not None
        while "Stopping after the running part" not in process.stderr.readline():
            assert process.poll() is None
        assert not stopped(process)
        assert waiting(database)
        blocker.rollback()  # type: ignore[attr-defined]
        while not stopped(process):
            assert process.poll() is None, process.communicate()
        held = database.value(
            "select count(*) from pg_locks l join pg_class c on c.oid = l.relation where c.relname = 'clones'"
        )
        states = database.query("select state, count(*) from rag_wizard.part group by 1")
        process.send_signal(signal.SIGCONT)
        _, words = process.communicate(timeout=60)

    assert held == 0
    assert states == [("done", 7)]
    assert process.returncode == 0, words


def stopped(process: subprocess.Popen[str]) -> bool:
    """True while the process is stopped (T in its stat line)."""
    stat = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8")
    return stat.rpartition(")")[2].split()[0] == "T"
