"""A restore that is tried again never meets its own record, and goes on behind the rows that it has put back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.test_archive import EXPERT, KilledError, only_archive
from tests.support.blocking import end_the_wizard
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.rag_rows import Rows, archived, read_rows, write_rows
from wizard.engine.events import ConnectionLost, Event, PartCommitted, PartStarted
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


APPLICATION = """
update experts set context = 'edited' where name = 'Ada1'; delete from clone_rag_mapping where expert_name = 'Ada2';
insert into vector_stores (vector_id, domain_name) values ('v3', 'other')"""


def full_of_rows(database: Database, archives: Path) -> tuple[Operator, Rows]:
    """An operator who has run again, with an archive of everything; the rows as they were."""
    operator = Operator(database, archives=archives)
    operator.engine.run()
    write_rows(database)
    before = read_rows(database)
    operator.engine.rollback()
    operator.engine.run()
    return operator, before


def require_gone_on(database: Database, before: Rows) -> None:
    """Every value is back, and what the application did to rows that were back before is as it was done."""
    now = read_rows(database)
    assert {table: now[table] for table in ("clones", "knowledge")} == {
        table: before[table] for table in ("clones", "knowledge")
    }
    assert database.value("select context from experts where name = 'Ada1'") == "edited"
    assert database.value("select count(*) from clone_rag_mapping") == len(before["clone_rag_mapping"]) - 1
    assert database.value("select count(*) from vector_stores") == len(before["vector_stores"]) + 1


def test_behind_its_rows_when_it_was_killed_and_the_application_wrote_to_them(
    database: Database, tmp_path: Path
) -> None:
    operator, before = full_of_rows(database, tmp_path)

    def die(event: Event) -> None:
        if isinstance(event, PartCommitted):
            raise KilledError

    operator.listen(die)
    with pytest.raises(KilledError):
        operator.engine.restore(only_archive(tmp_path))
    database.execute(APPLICATION)

    outcome = Operator(database).engine.restore(only_archive(tmp_path))

    assert outcome.sentence.startswith("RESTORED the values of 18 rows of existing tables")
    assert "its rows were put back before" in outcome.sentence
    require_gone_on(database, before)


def test_behind_its_rows_when_the_connection_was_lost_and_the_application_wrote_to_them(
    database: Database, tmp_path: Path
) -> None:
    operator, before = full_of_rows(database, tmp_path)

    def lose(event: Event) -> None:
        if isinstance(event, PartCommitted):
            operator.listen(lambda _: None)
            database.execute(APPLICATION)
            end_the_wizard(database)

    operator.listen(lose)

    assert operator.engine.restore(only_archive(tmp_path)).ending == "done"

    assert operator.told(ConnectionLost)
    require_gone_on(database, before)


def test_a_default_row_that_was_changed_in_place_is_in_nobodys_way(database: Database, tmp_path: Path) -> None:
    edited = "update domains set expert_names = '{Ada}' where domain_name = 'other'"
    operator = archived(database, tmp_path, "1.2", edited)
    database.execute(EXPERT)
    assert "1 row changed in place" in operator.engine.restore(only_archive(tmp_path)).sentence

    outcome = operator.engine.restore(only_archive(tmp_path))

    assert (outcome.ending, outcome.changed) == ("done", False)
    assert "Every archived row was put back before" in outcome.sentence


def test_rows_whose_tables_were_rolled_back_again_are_put_back_again(database: Database, tmp_path: Path) -> None:
    operator = archived(database, tmp_path, "1.2", EXPERT)
    folder = only_archive(tmp_path)
    operator.engine.restore(folder)
    operator.engine.rollback("1.1", discard_data=True)
    operator.engine.run(last="1.2")
    assert database.value("select count(*) from experts") == 0

    assert operator.engine.restore(folder).ending == "done"

    assert database.value("select name from experts") == "late"
