"""kill -9 at the real command while triggers note what the application changes; then the same command again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.blocking import end_the_wizard, eventually
from tests.support.busy_rows import rows_now
from tests.support.database import SUPERUSER, Database
from tests.support.program import Program
from wizard.engine.keeping.capture import LARGE_ROWS

ONE = "(select id from clones order by id limit 1)"
MANY = """
set session_replication_role = replica;
insert into clones (creator_id, name) select 'app', n::text from generate_series(1, %s) as n;
set session_replication_role = origin;
analyze clones;
"""
WAITING = """
create function wait() returns event_trigger language plpgsql as $$ begin
    if current_query() ~ 'ALTER TABLE IF EXISTS "clones" DROP COLUMN' then
        perform pg_advisory_xact_lock_shared(4711);
    end if;
end $$;
create event trigger wait on ddl_command_start when tag in ('ALTER TABLE') execute function wait();
"""
WAITS = (
    "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and application_name like 'rag-wizard 0%'"
    " and datname = current_database()"
)
SEAMS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "triggers made": lambda event: event["event"] == "part_committed" and event["step"] == "capture",
    "archived": lambda event: event["event"] == "step_started",
    "dropping": lambda event: (
        event["event"] == "part_started" and event["step"] == "2.1" and "columns" in event["title"]
    ),
}


@contextmanager
def dropping_waits(database: Database) -> Iterator[None]:
    """Within it, dropping columns of clones waits as for a lock, and is over when it ends."""
    with database.connect(SUPERUSER) as holder:
        holder.execute("select pg_advisory_lock(4711)")
        holder.execute(WAITING)
        try:
            yield
        finally:
            holder.execute("drop event trigger wait; drop function wait()")


@pytest.mark.slow
@pytest.mark.parametrize("seam", SEAMS)
def test_killed_the_same_command_goes_on_and_no_value_is_lost(database: Database, state_dir: Path, seam: str) -> None:
    database.execute(MANY % (LARGE_ROWS + 100))
    program = Program.on(database, state_dir)
    before = database.dump()
    assert program("run", "--yes").code == 0
    database.execute(f"update clones set rag_expert_name = 'before' where id = {ONE}")

    with dropping_waits(database):
        process = program.start("rollback", "--yes", "--json")
        assert process.stdout is not None and process.stderr is not None
        for line in process.stdout:
            if SEAMS[seam](json.loads(line)):
                break
        if seam == "dropping":
            eventually(lambda: database.value(WAITS, user=SUPERUSER), "the columns are being dropped")
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
        end_the_wizard(database)  # what was sent already would otherwise be done as soon as it may
    database.execute(f"update clones set rag_config = '[1.10]' where id = {ONE}")
    values = rows_now(database)
    status = program("status")
    assert "triggers on clones note what changes" in status.out + status.err

    ended = program("rollback", "--yes")
    assert ended.code == 0, ended.err
    # What the killed command had not published yet is no archive.
    folders = {path.parent for path in state_dir.rglob("manifest.json")}
    (archive,) = {folder for folder in folders if not folder.name.startswith(".")}
    assert program("run", "--yes").code == 0
    assert program("restore", str(archive), "--yes").code == 0
    assert rows_now(database) == values
    assert program("rollback", "--yes", "--discard-data", "--confirm", "acme-test").code == 0
    assert program("forget", "--yes").code == 0
    assert database.dump() == before
