"""The engine on a rollout about something else: it knows nothing of clones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from wizard.errors import PrerequisiteError
from wizard.rollout.load import load_rollout

TINY = Path(__file__).parent.parent / "rollouts" / "tiny"
WIZARD = Path(__file__).parent.parent.parent / "wizard"


def test_it_runs_verifies_and_rolls_back(database: Database) -> None:
    before = database.snapshot()
    operator = Operator(database, load_rollout(TINY), decisions={"samples": "with"})

    outcome = operator.engine.run()

    assert outcome.sentence.startswith("FINISHED and verified: 2 of 2 criteria")
    assert database.value("select count(*) from tickets") == 2
    assert operator.engine.rollback().ending == "done"
    operator.engine.forget()
    assert_same(before, database.snapshot())


def test_it_runs_in_a_schema_with_an_awkward_name(database: Database) -> None:
    database.execute('create schema "Help ""desk"""')
    before = database.snapshot()
    operator = Operator(database, load_rollout(TINY), schema='Help "desk"')

    assert operator.engine.run().ending == "done"
    assert database.value('select count(*) from "Help ""desk""".tickets') == 0
    operator.engine.rollback()
    operator.engine.forget()
    assert_same(before, database.snapshot())


def test_two_rollouts_live_in_one_registry(database: Database) -> None:
    before = database.snapshot()
    tiny, phase1 = Operator(database, load_rollout(TINY)), Operator(database)

    tiny.engine.run()
    phase1.engine.run(last="1.1")
    tiny.engine.rollback()

    assert phase1.states()["1.1"] == "done"
    phase1.engine.rollback()
    phase1.engine.forget()
    assert_same(before, database.snapshot())


def test_a_decision_without_default_stops_and_names_the_answers(database: Database) -> None:
    database.execute("create table old_tickets (title text); insert into old_tickets values ('a'), ('b')")
    before = database.snapshot()

    with pytest.raises(PrerequisiteError) as stopped:
        Operator(database, load_rollout(TINY)).engine.run()

    assert "--decide legacy_rows=copy|leave" in stopped.value.fix
    assert_same(before, database.snapshot())
    operator = Operator(database, load_rollout(TINY), decisions={"legacy_rows": "copy"})
    assert operator.engine.run().ending == "done"
    assert database.value("select count(*) from tickets") == 2


def test_the_engine_names_nothing_of_the_builtin_rollout() -> None:
    words = re.compile(r"\b(clones|knowledge|domains|rag_documents|vector_stores|assistants)\b")
    files = [file for folder in ("engine", "db", "rollout") for file in (WIZARD / folder).rglob("*")]
    found = [str(file) for file in files if file.suffix in {".py", ".sql"} and words.search(file.read_text())]

    assert len(files) > 40
    assert found == []
