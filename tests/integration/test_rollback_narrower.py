"""A rollback that ended half way, and then one that is to end sooner: what the first left out is not forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import MakeDatabase
from tests.support.database import Database, assert_same
from tests.support.engine import Operator, stopped_behind
from wizard.errors import RefusedError
from wizard.rollout.load import load_rollout

TINY = Path(__file__).parent.parent / "rollouts" / "tiny"
FILLED = "select count(*) from clones where rag_domain_mapping is not null"
STRATEGIES = pytest.mark.parametrize("strategy", ["atomic", "online"])


@STRATEGIES
def test_rows_that_a_column_was_to_take_along_keep_a_rollback_from_ending_before_it(
    make_database: MakeDatabase, strategy: str
) -> None:
    database = make_database()
    start = database.snapshot()
    Operator(database, strategy=strategy).engine.run()
    stopped_behind(Operator(database), "6.2")
    operator = Operator(database)
    before, filled = database.snapshot(), database.value(FILLED)
    assert operator.states()["6.2"] == "rolled_back"
    assert filled > 0

    with pytest.raises(RefusedError, match=r"a rollback of step 2\.1 was begun") as refused:
        operator.engine.rollback("3")
    with pytest.raises(RefusedError, match=r"a rollback of step 2\.1 was begun"):
        operator.engine.rollback_plan("3")

    assert "6.2 is rolled back without its rows, which 2.1 was to take along: UPDATE clones SET" in refused.value.why
    assert refused.value.fix == (
        "Finish that rollback, to the start or to a step before 2.1; or run again, then roll back to 3."
    )
    assert_same(before, database.snapshot())
    assert operator.engine.rollback("1.6").ending == "done"
    assert operator.engine.rollback().ending == "done"
    operator.engine.forget()
    assert_same(start, database.snapshot())


@STRATEGIES
def test_run_again_it_may_end_anywhere_and_the_rows_are_as_they_were(
    make_database: MakeDatabase, strategy: str
) -> None:
    database = make_database()
    Operator(database, strategy=strategy).engine.run()
    stopped_behind(Operator(database), "4")
    operator = Operator(database)

    assert operator.engine.run().ending == "done"
    assert operator.engine.rollback("3").ending == "done"

    assert database.value(FILLED) == 0
    assert database.value("select to_regprocedure('map_clone_category_to_domain(text)')::text") is None


@STRATEGIES
def test_a_step_that_was_rolled_back_with_its_rows_is_in_nobodys_way(
    make_database: MakeDatabase, strategy: str
) -> None:
    database = make_database()
    Operator(database, strategy=strategy).engine.run()
    assert Operator(database).engine.rollback("6.1").ending == "done"
    stopped_behind(Operator(database), "4")

    assert Operator(database).engine.rollback("2.2").ending == "done"

    assert database.value(FILLED) == 0


def test_what_went_with_its_own_step_is_in_nobodys_way(database: Database) -> None:
    """The step empties a column that it drops itself, in the same part."""
    operator = Operator(database, load_rollout(TINY))
    operator.engine.run()
    stopped_behind(operator, "priority")

    assert operator.engine.rollback("tickets").ending == "done"

    assert database.value("select count(*) from tickets") == 0
