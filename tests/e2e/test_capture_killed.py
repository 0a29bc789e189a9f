"""kill -9 at the real command while triggers note what the application changes; then the same command again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.busy_rows import rows_now
from tests.support.database import Database
from tests.support.program import Program
from wizard.engine.keeping.capture import LARGE_ROWS

ONE = "(select id from clones order by id limit 1)"
MANY = """
set session_replication_role = replica;
insert into clones (creator_id, name) select 'app', n::text from generate_series(1, %s) as n;
set session_replication_role = origin;
analyze clones;
"""
SEAMS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "triggers made": lambda event: event["event"] == "part_committed" and event["step"] == "capture",
    "archived": lambda event: event["event"] == "step_started",
    "dropping": lambda event: event["event"] == "part_started" and event["step"] == "2.1",
}


@pytest.mark.slow
@pytest.mark.parametrize("seam", SEAMS)
def test_killed_the_same_command_goes_on_and_no_value_is_lost(database: Database, state_dir: Path, seam: str) -> None:
    database.execute(MANY % (LARGE_ROWS + 100))
    program = Program.on(database, state_dir)
    before = database.dump()
    assert program("run", "--yes").code == 0
    database.execute(f"update clones set rag_expert_name = 'before' where id = {ONE}")

    process = program.start("rollback", "--yes", "--json")
    assert process.stdout is not None and process.stderr is not None
    for line in process.stdout:
        if SEAMS[seam](json.loads(line)):
            break
    process.kill()
    process.wait()
    process.stdout.close()
    process.stderr.close()
    database.execute(f"update clones set rag_config = '[1.10]' where id = {ONE}")
    values = rows_now(database)
    status = program("status")
    assert "triggers on clones note what changes" in status.out + status.err

    ended = program("rollback", "--yes")
    assert ended.code == 0, ended.err
    (archive,) = {path.parent for path in state_dir.rglob("manifest.json")}
    assert program("run", "--yes").code == 0
    assert program("restore", str(archive), "--yes").code == 0
    assert rows_now(database) == values
    assert program("rollback", "--yes", "--discard-data", "--confirm", "acme-test").code == 0
    assert program("forget", "--yes").code == 0
    assert database.dump() == before
