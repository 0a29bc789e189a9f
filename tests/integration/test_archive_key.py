"""Values of columns are archived by a key. Where a column of it is gone, they are neither dropped nor left unsaid."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import MakeDatabase
from tests.integration.test_archive import only_archive, rows_in
from tests.support.blocking import holding
from tests.support.database import Database, assert_same
from tests.support.engine import Operator, at_start_of
from wizard.engine.events import PartStarted
from wizard.errors import LockNotObtainedError, PrerequisiteError, RefusedError

SOME = "update knowledge set rag_error_message = 'own' where ctid in (select ctid from knowledge limit 2)"
RENAMED = "alter table knowledge rename column id to knowledge_id"


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    return tmp_path / "archives"


@pytest.fixture
def operator(database: Database, archives: Path) -> Operator:
    operator = Operator(database, archives=archives)
    operator.engine.run()
    return operator


def newest_archive(archives: Path) -> Path:
    return max(archives.glob("*/*"))


def own_values(database: Database) -> object:
    return database.value("select count(*) from knowledge where rag_error_message = 'own'")


@pytest.mark.parametrize("large", [False, True])
def test_values_whose_key_was_renamed_stop_the_rollback_and_its_plan(
    operator: Operator, database: Database, archives: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    """With large tables those whose key is there would get triggers first: none is made."""
    if large:
        monkeypatch.setattr("wizard.engine.keeping.capture.LARGE_ROWS", -1)
    database.execute(f"{SOME}; {RENAMED}")
    before = database.snapshot()

    with pytest.raises(RefusedError, match="table knowledge has no column id") as refused:
        operator.engine.rollback_plan()
    with pytest.raises(RefusedError, match="table knowledge has no column id"):
        operator.engine.rollback()

    assert "2 rows of knowledge with a RAG value of their own" in refused.value.why
    assert "ALTER TABLE public.knowledge RENAME COLUMN ... TO id;" in refused.value.fix.replace('"', "")
    assert_same(before, database.snapshot())
    assert [one for one in operator.told(PartStarted) if one.direction == "revert"] == []
    assert not archives.exists()
    assert own_values(database) == 2
    database.execute("alter table knowledge rename column knowledge_id to id")
    assert operator.engine.rollback().ending == "done"
    assert [row["rag_error_message"] for row in rows_in(only_archive(archives), "knowledge")] == ["own", "own"]


def test_a_key_that_is_renamed_while_a_rollback_is_interrupted_stops_it_too(
    operator: Operator, database: Database, archives: Path
) -> None:
    database.execute(SOME)
    operator.listen(lambda event: operator.engine.stop() if isinstance(event, PartStarted) else None)
    assert operator.engine.rollback().ending == "stopped"
    operator.listen(lambda _: None)
    database.execute(RENAMED)

    with pytest.raises(RefusedError, match="table knowledge has no column id"):
        Operator(database, archives=archives).engine.rollback()

    assert own_values(database) == 2


def test_without_a_key_and_without_values_the_rollback_needs_none(operator: Operator, database: Database) -> None:
    database.execute(RENAMED)

    assert operator.engine.rollback_plan().losses == ()
    assert operator.engine.rollback().ending == "done"


def test_without_a_key_a_value_that_comes_before_the_very_drop_stops_it(operator: Operator, database: Database) -> None:
    database.execute(RENAMED)
    at_start_of(operator, "2.2", database, SOME)

    outcome = operator.engine.rollback()

    assert outcome.failure is not None
    assert "values came into knowledge that cannot be archived" in outcome.failure.message
    assert own_values(database) == 2
    operator.listen(lambda _: None)
    with pytest.raises(RefusedError, match="table knowledge has no column id"):
        operator.engine.rollback()
    database.execute("alter table knowledge rename column knowledge_id to id")
    assert operator.engine.rollback().ending == "done"


def test_a_condition_that_cannot_be_read_either_counts_every_row(operator: Operator, database: Database) -> None:
    database.execute(f"{RENAMED}; alter table knowledge drop column openai_file_id")

    with pytest.raises(RefusedError, match="table knowledge has no column id"):
        operator.engine.rollback()


def test_an_archive_from_before_the_key_went_is_made_anew(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives, lock_timeout_ms=50, lock_patience_s=0.2)
    operator.engine.run()
    database.execute("insert into domains (domain_name) values ('of the application')")
    with holding(database, "select * from knowledge"), pytest.raises(LockNotObtainedError):
        operator.engine.rollback()
    assert database.value("select count(*) from pg_attribute where attname = 'rag_error_message'") == 1
    database.execute(RENAMED)

    assert operator.engine.rollback().ending == "done"

    assert [row["domain_name"] for row in rows_in(newest_archive(archives), "domains")] == ["of the application"]


def test_values_without_a_key_may_be_discarded(operator: Operator, database: Database) -> None:
    database.execute(f"{SOME}; {RENAMED}")

    plan = operator.engine.rollback_plan(discard_data=True)
    outcome = operator.engine.rollback(discard_data=True)

    assert (plan.would_lose > 0, plan.archive) == (True, "")
    assert outcome.ending == "done"
    assert database.value("select to_regclass('domains')") is None


def test_what_somebody_dropped_by_hand_holds_no_values(operator: Operator, database: Database) -> None:
    database.execute(
        f"{SOME}; {RENAMED}; alter table knowledge drop column rag_processing_status, drop column rag_document_id,"
        " drop column openai_file_id, drop column rag_error_message"
    )

    assert operator.engine.rollback_plan().losses == ()


def test_a_knowledge_without_an_id_stops_the_run(make_database: MakeDatabase) -> None:
    database = make_database()
    database.execute(RENAMED)
    operator = Operator(database)

    with pytest.raises(PrerequisiteError):
        operator.engine.run()

    (stop,) = [one for one in operator.engine.check() if one.level == "stop"]
    assert (stop.id, stop.found) == ("keys", "knowledge has no column id")
    assert "public.knowledge RENAME COLUMN ... TO id" in stop.fix
    assert database.value("select to_regclass('domains')") is None
