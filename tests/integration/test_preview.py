"""What a step wants to be seen before it runs: counted on the database, bounded in time, never in the way."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from tests.conftest import MakeDatabase
from tests.support.blocking import eventually
from tests.support.database import Database
from tests.support.engine import Operator
from wizard.engine.events import Event, PartStarted, PrerequisiteChecked, StepPreviewed
from wizard.engine.looking import preview
from wizard.engine.views import PreviewTable
from wizard.rollout.load import load_rollout

TINY = Path(__file__).parents[1] / "rollouts" / "tiny"


def rows_of(table: PreviewTable) -> list[tuple[str | None, ...]]:
    assert table.untold == ""
    return list(table.rows)


def test_the_categories_are_told_with_counts_and_targets_before_the_column_is_there(database: Database) -> None:
    database.execute("SET session_replication_role = replica; UPDATE clones SET category = 'legal'")
    for category, count in (("' Medical '", 3), ("NULL", 2), ("'AI & robots'", 2), ("''", 1), ("'medical'", 5)):
        database.execute(
            f"UPDATE clones SET category = {category} WHERE id IN"
            f" (SELECT id FROM clones WHERE category = 'legal' LIMIT {count})"
        )
    before = database.digest()

    [table] = Operator(database).engine.preview("6.2")

    assert table.columns == ("category", "clones", "goes to", "note")
    assert rows_of(table) == [
        ("'legal'", "27", "legal-consulting", ""),
        ("'medical'", "5", "health-wellness", ""),
        ("' Medical '", "3", "other", "looks like medical"),
        ("'AI & robots'", "2", "other", "looks like ai"),
        ("NULL", "2", "other", "no category"),
        ("''", "1", "other", "empty"),
    ]
    assert database.digest() == before


def test_many_categories_are_summed_up_and_known_ones_never_among_the_rest(database: Database) -> None:
    database.execute(
        "UPDATE clones SET category = 'c' || number"
        " FROM (SELECT id AS numbered, row_number() OVER () AS number FROM clones) AS n WHERE id = numbered"
    )
    database.execute(
        "INSERT INTO clones"
        " SELECT (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(), 'category', v))).*"
        " FROM clones AS c, (VALUES ('legal'), ('x1'), ('x2')) AS w (v) WHERE c.category = 'c1'"
    )

    [table] = Operator(database).engine.preview("6.2")

    assert len(table.rows) == 42
    assert ("'legal'", "1", "legal-consulting", "") in table.rows
    assert table.rows[-1] == ("2 more", "2", "other", "0 of these look like a known one")


def test_an_enum_is_read_as_text(make_database: MakeDatabase) -> None:
    [table] = Operator(make_database("category_enum")).engine.preview("6.2")

    assert sum(int(str(row[1])) for row in rows_of(table)) == 40


def test_columns_that_are_there_already_are_counted_and_others_are_not(database: Database) -> None:
    database.execute("ALTER TABLE clones ADD rag_enabled boolean, ADD rag_domain_mapping text")
    database.execute(
        "UPDATE clones SET rag_enabled = true, rag_domain_mapping = 'x' WHERE id IN (SELECT id FROM clones LIMIT 1)"
    )
    operator = Operator(database)

    [touched], [mapped] = operator.engine.preview("6.1"), operator.engine.preview("6.2")

    absent = "added with this default"
    assert rows_of(touched) == [
        ("clones.rag_enabled", "39", "FALSE", "NULL there: from before, or set to NULL since"),
        ("clones.rag_initialization_status", "0", "pending", absent),
        ("clones.rag_config", "0", "{}", absent),
        ("knowledge.rag_processing_status", "0", "pending", absent),
    ]
    assert rows_of(mapped)[-1] == ("any", "1", "as it is", "has a mapping already, which is kept")


def test_what_cannot_be_counted_says_why_and_ends_in_time(
    database: Database, readonly_user: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(TINY, tmp_path / "tiny")
    step = tmp_path / "tiny" / "steps" / "tickets.toml"
    words = '\n[[preview]]\nid = "{0}"\ntitle = "{0}"\nsql = "{0}.sql"\n'
    step.write_text(step.read_text() + words.format("slow") + words.format("wrong") + words.format("quick"))
    for name, text in {
        "slow": "SELECT pg_sleep(60)::text AS never",
        "wrong": "SELECT nowhere FROM pg_class",
        "quick": "SELECT n::text AS number FROM generate_series(1, 120) AS n",
    }.items():
        (tmp_path / "tiny" / "sql" / f"{name}.sql").write_text(text)
    monkeypatch.setattr(preview, "TIMEOUT_MS", 5_000)
    operator = Operator(database, load_rollout(tmp_path / "tiny"))

    slow, wrong, quick = operator.engine.preview("tickets")

    assert slow.untold.startswith("took too long to count")
    assert wrong.untold == 'not counted; the server says: column "nowhere" does not exist'
    assert (len(quick.rows), quick.more) == (100, 20)
    [unseen] = Operator(database, user=readonly_user).engine.preview("6.2")
    assert unseen.untold.startswith("not counted; the server says: ")


def test_whoever_cancels_while_rows_are_counted_does_not_want_the_step(database: Database, tmp_path: Path) -> None:
    shutil.copytree(TINY, tmp_path / "tiny")
    step = tmp_path / "tiny" / "steps" / "tickets.toml"
    step.write_text(step.read_text() + '\n[[preview]]\nid = "slow"\ntitle = "slow"\nsql = "slow.sql"\n')
    (tmp_path / "tiny" / "sql" / "slow.sql").write_text("SELECT pg_sleep(60)::text AS never")
    operator = Operator(database, load_rollout(tmp_path / "tiny"))

    def cancel() -> None:
        counts = "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"
        eventually(lambda: database.value(counts), "it counts")
        operator.engine.cancel()

    cancelling = threading.Thread(target=cancel)
    cancelling.start()
    outcome = operator.engine.run(first="tickets", last="tickets")
    cancelling.join()

    assert outcome.ending == "stopped"
    assert operator.told(PartStarted) == []
    assert operator.told(StepPreviewed) == []
    assert operator.states()["tickets"] == "todo"


def test_whoever_cancels_among_the_prerequisites_waits_for_no_other(database: Database) -> None:
    operator = Operator(database)

    def hear(event: Event) -> None:
        if isinstance(event, PrerequisiteChecked):
            operator.engine.cancel()

    operator.listen(hear)
    outcome = operator.engine.run()

    assert (outcome.ending, len(operator.told(PrerequisiteChecked))) == ("stopped", 1)
