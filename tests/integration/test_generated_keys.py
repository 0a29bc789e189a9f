"""Rows that are known by a generated column: it is not written back, and still tells which row is which."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.integration.test_archive import only_archive
from tests.support.database import Database
from tests.support.engine import Operator, at_start_of
from wizard.errors import RefusedError
from wizard.rollout.load import load_rollout

TINY = Path(__file__).parent.parent / "rollouts" / "tiny"
KNOWN_BY = {
    "a unique column": "ADD COLUMN norm text GENERATED ALWAYS AS (lower(title)) STORED UNIQUE",
    "the primary key": "DROP CONSTRAINT tickets_pkey,"
    " ADD COLUMN norm text GENERATED ALWAYS AS (lower(title)) STORED PRIMARY KEY",
    "a part of the primary key": "DROP CONSTRAINT tickets_pkey,"
    " ADD COLUMN norm text GENERATED ALWAYS AS (lower(title)) STORED, ADD PRIMARY KEY (norm, origin)",
}


@pytest.fixture(params=KNOWN_BY)
def operator(database: Database, tmp_path: Path, request: pytest.FixtureRequest) -> Operator:
    """Who has run, rolled back and run again a rollout with such rows, which the application wrote until the drop."""
    shutil.copytree(TINY, tmp_path / "generated")
    (tmp_path / "generated" / "sql" / "shapes.json").unlink()
    with (tmp_path / "generated" / "sql" / "deploy" / "tickets.sql").open("a", encoding="utf-8") as made:
        made.write(f"\nALTER TABLE tickets {KNOWN_BY[request.param]};\n")
    operator = Operator(database, load_rollout(tmp_path / "generated"), archives=tmp_path / "archives")
    operator.engine.run(last="tickets")
    database.execute("insert into tickets (title) values ('First'), ('Second')")
    at_start_of(
        operator, "tickets", database, "update tickets set title = 'SECOND' where title = 'Second'",
        "insert into tickets (title) values ('Late')",
    )  # fmt: skip
    operator.engine.rollback()
    operator.listen(lambda _: None)
    operator.engine.run(last="tickets")
    return operator


def test_they_come_back_and_late_ones_take_the_place_of_archived_ones(
    operator: Operator, database: Database, tmp_path: Path
) -> None:
    assert operator.engine.restore(only_archive(tmp_path / "archives")).ending == "done"

    assert database.query("select title, norm from tickets order by id") == [
        ("First", "first"), ("SECOND", "second"), ("Late", "late"),
    ]  # fmt: skip


def test_a_row_that_stands_in_the_place_of_one_is_named(operator: Operator, database: Database, tmp_path: Path) -> None:
    database.execute("insert into tickets (id, title) values (77, 'FIRST')")

    with pytest.raises(RefusedError, match="rows of the application stand") as refused:
        operator.engine.restore(only_archive(tmp_path / "archives"))

    assert "1 in tickets" in refused.value.why
    assert database.query("select title from tickets") == [("FIRST",)]
