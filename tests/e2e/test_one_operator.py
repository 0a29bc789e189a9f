"""Two operators at once, with the installed command: the second is told who is at work and changes nothing."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.database import Database, assert_same
from tests.support.program import Program

AT_ONCE = 4


def runs_at_once(database: Database, state_dir: Path, times: int) -> None:
    """The first run is held at a barrier by a blocker; `times` others come meanwhile, some at the same moment."""
    first, others = Program.on(database, state_dir), Program.on(database, state_dir)
    with database.connect(autocommit=False) as blocker:
        # Writers may go on, a foreign key on the table may not: step 1.2 waits.
        blocker.execute("lock table clones in row exclusive mode")
        running = first.start("run", "--yes", "--lock-timeout", "10min", "--operator", "ada@workstation")
        try:
            while not database.value(
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                " and application_name like 'rag-wizard%' and datname = current_database()",
                user="supabase_admin",
            ):
                assert running.poll() is None, running.communicate()
            # The session at work goes on saying that it is alive.
            before = database.snapshot(exclude={"heartbeat_at"})
            for _ in range(0, times, AT_ONCE):
                refused = [others.start("run", "--yes", "--operator", "grace@elsewhere") for _ in range(AT_ONCE)]
                for process in refused:
                    _, words = process.communicate(timeout=60)
                    assert process.returncode == 5, words
                    assert re.search(r"another operator .* on acme-test: ada@workstation, pid \d+, since", words)
            assert_same(before, database.snapshot(exclude={"heartbeat_at"}))
            blocker.rollback()
            _, words = running.communicate(timeout=60)
            assert running.returncode == 0, words
        finally:
            _end(running)
    assert database.query(
        "select step, part, count(*) from rag_wizard.part where state = 'done' group by 1, 2 having count(*) > 1"
    ) == []  # fmt: skip
    assert others("run", "--yes").code == 0


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_a_second_run_exits_5_and_says_who_is_at_work(database: Database, state_dir: Path) -> None:
    runs_at_once(database, state_dir, AT_ONCE)


@pytest.mark.slow
def test_a_hundred_second_runs_exit_5(database: Database, state_dir: Path) -> None:
    runs_at_once(database, state_dir, 100)
