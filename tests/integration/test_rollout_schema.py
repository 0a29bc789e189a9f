"""The built-in rollout in another schema than public, one whose name has to be quoted."""

from __future__ import annotations

from tests.conftest import MakeDatabase
from tests.support.database import assert_same
from tests.support.engine import Operator


def test_phase_1_runs_verifies_and_rolls_back_in_a_schema_with_an_awkward_name(make_database: MakeDatabase) -> None:
    database = make_database("no_shared_function")
    database.execute(
        'CREATE SCHEMA "App 2"; GRANT USAGE ON SCHEMA "App 2" TO authenticated, service_role;'
        ' ALTER TABLE clones SET SCHEMA "App 2"; ALTER TABLE knowledge SET SCHEMA "App 2"'
    )
    before = database.snapshot()
    operator = Operator(database, schema="App 2")

    outcome = operator.engine.run()

    assert outcome.sentence.startswith("FINISHED and verified: 8 of 9 criteria")
    assert database.value('SELECT count(*) FROM "App 2".domains') == 8
    assert operator.engine.rollback().ending == "done"
    operator.engine.forget()
    assert_same(before, database.snapshot())
