"""A rollback that was interrupted and is begun anew elsewhere: whichever archive it goes on with, no change is lost.

What the application changes in a large table is noted once, for the newest archive. Every table counts as large here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.test_archive import KilledError
from tests.integration.test_capture import TRIGGERS, dropping
from tests.support.busy_rows import rows_now
from tests.support.database import Database
from tests.support.engine import Operator
from wizard.engine.events import Event
from wizard.errors import UsageError


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wizard.engine.keeping.capture.LARGE_ROWS", -1)


def change(database: Database, name: str, number: int) -> None:
    """The application's change of one row."""
    one = f"(select id from clones order by id offset {number} limit 1)"
    database.execute(f"update clones set rag_expert_name = '{name}' where id = {one}")


def die_before_the_drop(operator: Operator, folder: Path) -> None:
    def die(event: Event) -> None:
        if dropping(event):
            raise KilledError

    operator.listen(die)
    with pytest.raises(KilledError):
        operator.engine.rollback(archive=folder)
    operator.listen(lambda _: None)


def ran(database: Database) -> Operator:
    """Rolled out, with a value in one row."""
    operator = Operator(database)
    operator.engine.run()
    change(database, "first", 0)
    return operator


def test_an_older_archive_is_not_gone_on_with_after_a_newer_one_took_what_was_noted(
    database: Database, tmp_path: Path
) -> None:
    operator = ran(database)
    die_before_the_drop(operator, tmp_path / "a")
    change(database, "second", 1)
    die_before_the_drop(operator, tmp_path / "b")
    change(database, "third", 2)
    values = rows_now(database)

    with pytest.raises(UsageError, match="is not empty"):
        operator.engine.rollback(archive=tmp_path / "a")
    assert operator.engine.rollback_plan(archive=tmp_path / "b").archive == str(tmp_path / "b")
    assert operator.engine.rollback(archive=tmp_path / "b").ending == "done"

    assert operator.engine.run().ending == "done"
    assert operator.engine.restore(tmp_path / "b").ending == "done"
    assert rows_now(database) == values


def test_killed_between_forgetting_what_was_noted_and_the_new_archive_nothing_is_lost(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = ran(database)
    die_before_the_drop(operator, tmp_path / "a")
    change(database, "second", 1)

    def killed(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as dying:
        dying.setattr("wizard.engine.keeping.keeper.make_archive", killed)
        dying.setattr("wizard.engine.keeping.capturing.Captures.give_up", lambda _: None)
        with pytest.raises(KilledError):
            operator.engine.rollback(archive=tmp_path / "b")
    assert len(database.query(TRIGGERS)) == 2
    values = rows_now(database)

    again = Operator(database, archives=tmp_path)
    assert again.engine.rollback().ending == "done"

    (folder,) = (tmp_path / "acme-test").iterdir()
    assert again.engine.run().ending == "done"
    assert again.engine.restore(folder).ending == "done"
    assert rows_now(database) == values


def test_an_archive_that_another_machine_made_since_keeps_this_one_from_its_own(
    database: Database, tmp_path: Path
) -> None:
    operator = ran(database)
    archives = Operator(database, archives=tmp_path)
    die_before_the_drop(archives, tmp_path / "a")
    change(database, "second", 1)
    die_before_the_drop(archives, tmp_path / "b")
    # Both open, as earlier versions left them.
    database.execute("update rag_wizard.archive set completed_at = null")
    database.execute("update rag_wizard.archive set host = 'elsewhere' where path like '%/b'")
    values = rows_now(database)

    plan = archives.engine.rollback_plan()
    assert plan.archive not in {str(tmp_path / "a"), str(tmp_path / "b")}
    assert archives.engine.rollback().ending == "done"

    (folder,) = (tmp_path / "acme-test").iterdir()
    assert operator.engine.run().ending == "done"
    assert operator.engine.restore(folder).ending == "done"
    assert rows_now(database) == values
