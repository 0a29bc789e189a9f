"""A part of a restore that is tried again, in the same engine, is another part: it never meets its own record."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.test_archive import EXPERT, only_archive
from tests.support.blocking import end_the_wizard
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.rag_rows import archived, read_rows, write_rows
from wizard.engine.events import ConnectionLost, Event, PartStarted
from wizard.errors import RefusedError

RESTORED = "select state, count(*)::int from rag_wizard.part where step = 'restore' group by state order by state"


def test_after_a_refusal_whose_cause_is_gone(database: Database, tmp_path: Path) -> None:
    operator = archived(database, tmp_path, "1.2", EXPERT)
    database.execute("alter table experts add constraint nobody check (name is null)")
    with pytest.raises(RefusedError, match="does not take the archived rows"):
        operator.engine.restore(only_archive(tmp_path))
    database.execute("alter table experts drop constraint nobody")

    assert operator.engine.restore(only_archive(tmp_path)).ending == "done"

    assert database.value("select count(*) from experts") == 1
    assert [state for state, _ in database.query(RESTORED)] == ["done", "interrupted"]


def test_after_a_connection_that_was_lost_in_the_first_part(database: Database, tmp_path: Path) -> None:
    operator = Operator(database, archives=tmp_path)
    operator.engine.run()
    write_rows(database)
    before = read_rows(database)
    operator.engine.rollback()
    operator.engine.run()

    def lose(event: Event) -> None:
        if isinstance(event, PartStarted) and event.step == "restore":
            operator.listen(lambda _: None)
            end_the_wizard(database)

    operator.listen(lose)

    assert operator.engine.restore(only_archive(tmp_path)).ending == "done"

    assert operator.told(ConnectionLost)
    assert read_rows(database) == before
