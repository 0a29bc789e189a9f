"""Every starting database ends as it has to: round trip, exit 3 or exit 7, the last two with nothing changed."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest

from tests.conftest import MakeDatabase
from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from tests.support.rollout_sql import SQL_STEPS
from tests.support.series import sampled
from tests.support.starting import (
    CONFLICTS,
    HALF_PASTED,
    ROUND_TRIPS,
    UNMET,
    Start,
    free_to_change,
    lasting,
    untouchable,
)
from wizard.errors import ExitCode, PrerequisiteError, RefusedError

STEPS = tuple(step.id for step in SQL_STEPS)


def walks(*sample: str) -> list[Any]:
    """(start, steps): a few steps of one start in `make test`, every step of every start in `make test-all`.

    On the older servers every step of every fourth start: what a start is made of differs, the servers hardly do.
    """
    starts = ROUND_TRIPS if os.environ.get("RAG_WIZARD_TEST_PG", "18") == "18" else ROUND_TRIPS[::4]
    every = [pytest.param(start, STEPS, marks=pytest.mark.slow, id=str(start)) for start in starts]
    return [pytest.param(HALF_PASTED, sample, id="sample"), *every]


@pytest.mark.parametrize("start", sampled(ROUND_TRIPS, 6), ids=str)
def test_a_round_trip_leaves_the_start_exactly(make_database: MakeDatabase, start: Start) -> None:
    database = start.make(make_database)
    before = database.snapshot()
    changeable = free_to_change(database, start.schema)
    kept = untouchable(database, start.schema, changeable)
    operator = start.operator(database)

    assert operator.engine.dry_run().exit_code == ExitCode.DONE
    assert_same(before, database.snapshot())
    outcome = operator.engine.run()
    assert outcome.ending == "done", outcome
    assert outcome.verification is not None
    assert outcome.verification.passed
    assert untouchable(database, start.schema, changeable) == kept

    rolled_out = database.snapshot()
    again = start.operator(database).engine.run()
    assert (again.ending, again.changed) == ("done", False)
    assert_same(rolled_out, database.snapshot())

    assert operator.engine.rollback().ending == "done"
    operator.engine.forget()
    assert_same(before, database.snapshot())


@pytest.mark.parametrize("start", sampled(UNMET, 2), ids=str)
def test_a_database_that_cannot_be_served_stops_the_run(make_database: MakeDatabase, start: Start) -> None:
    database = start.make(make_database)
    before = database.snapshot()
    operator = start.operator(database)

    assert operator.engine.dry_run().exit_code == ExitCode.PREREQUISITES
    with pytest.raises(PrerequisiteError) as stopped:
        operator.engine.run()

    assert start.named in stopped.value.why
    assert stopped.value.fix
    assert_same(before, database.snapshot())


@pytest.mark.parametrize("start", sampled(CONFLICTS, 3), ids=str)
def test_a_conflict_is_refused_before_anything_changes(make_database: MakeDatabase, start: Start) -> None:
    database = start.make(make_database)
    before = database.snapshot()
    operator = start.operator(database)

    assert operator.engine.dry_run().exit_code == ExitCode.REFUSED
    with pytest.raises(RefusedError) as refused:
        operator.engine.run()

    assert refused.value.exit_code == ExitCode.REFUSED
    assert start.named in str(refused.value)
    # Both definitions, one under the other.
    assert re.search(r"^  is +\S.*^  expected +\S", refused.value.why, re.MULTILINE | re.DOTALL)
    assert refused.value.fix
    assert_same(before, database.snapshot())


@pytest.mark.parametrize(("start", "steps"), walks("1.2", "2.1", "6.1"))
def test_rolling_back_to_any_step_and_forward_again_ends_the_same(
    make_database: MakeDatabase, start: Start, steps: tuple[str, ...]
) -> None:
    database = start.make(make_database)
    before = database.snapshot()
    operator = start.operator(database)
    operator.engine.run()
    undisturbed = lasting(database, start.schema)

    for step in steps:
        assert operator.engine.rollback(to=step).ending == "done", step
        assert operator.engine.run().ending == "done", step
        assert_same(undisturbed, lasting(database, start.schema))

    operator.engine.rollback()
    operator.engine.forget()
    assert_same(before, database.snapshot())


@pytest.mark.parametrize(("start", "steps"), walks("1.3", "4", "6.2"))
def test_running_any_step_twice_changes_nothing(
    make_database: MakeDatabase, start: Start, steps: tuple[str, ...]
) -> None:
    database = start.make(make_database)
    before = database.snapshot()
    operator = start.operator(database)
    operator.engine.run()
    undisturbed = lasting(database, start.schema)
    operator.engine.rollback()
    operator.engine.forget()
    assert_same(before, database.snapshot())

    for step in steps:
        assert operator.engine.run(last=step).ending == "done", step
        once = database.snapshot()
        again = operator.engine.run(first=step, last=step)
        assert (again.ending, again.changed) == ("done", False), step
        assert_same(once, database.snapshot())

    assert operator.engine.run().ending == "done"
    assert_same(undisturbed, lasting(database, start.schema))


def test_in_columns_that_were_there_a_backfill_fills_the_nulls_and_nothing_else(make_database: MakeDatabase) -> None:
    database = make_database("unset_columns_before")
    clones = "select id, rag_enabled, rag_config, rag_domain_mapping from clones order by id"
    knowledge = "select id, rag_processing_status from knowledge order by id"
    before = {table: database.query(table) for table in (clones, knowledge)}

    assert Operator(database).engine.run().ending == "done"

    for table, rows in before.items():
        after = database.query(table)
        changed = [(old, new) for old, new in zip(rows, after, strict=True) if old != new]
        assert changed
        assert all(value is None or value == now for old, new in changed for value, now in zip(old, new, strict=True))
    # A clone that has RAG and no configuration is none of the guide's rows.
    unset = "select count(*) from clones where rag_enabled is null or rag_domain_mapping is null"
    assert database.value(unset) == 0
    assert database.value("select count(*) from clones where rag_config is null and not rag_enabled") == 0
    assert database.value("select count(*) from knowledge where rag_processing_status is null") == 0


def test_an_outside_view_made_later_stops_the_rollback_and_survives(database: Database) -> None:
    before = database.snapshot()
    operator = Operator(database)
    operator.engine.run()
    database.execute('create view "Client ""Reports""" as select name, domain from rag_documents')
    database.execute('create view their_documents as select count(*) from "Client ""Reports"""')
    rolled_out = database.snapshot()

    with pytest.raises(RefusedError) as refused:
        operator.engine.rollback()

    assert 'Client ""Reports""' in str(refused.value)
    assert "rag_documents" in str(refused.value)
    assert_same(rolled_out, database.snapshot())
    database.execute('drop view their_documents, "Client ""Reports"""')
    assert operator.engine.rollback().ending == "done"
    operator.engine.forget()
    assert_same(before, database.snapshot())


def test_an_outside_view_does_not_stop_a_rollback_that_keeps_its_table(database: Database) -> None:
    operator = Operator(database)
    operator.engine.run()
    database.execute("create view reports as select name, domain from rag_documents")

    assert operator.engine.rollback(to="2.1").ending == "done"

    assert database.value("select count(*) from reports") == 0


def test_forced_rls_that_would_hide_rows_from_the_operator_stops_the_run(make_database: MakeDatabase) -> None:
    database = make_database("force_rls")
    before = database.snapshot()
    operator = Operator(database)

    database.execute("alter role postgres nobypassrls", user="supabase_admin")
    try:
        with pytest.raises(PrerequisiteError) as stopped:
            operator.engine.run()
    finally:
        database.execute("alter role postgres bypassrls", user="supabase_admin")

    assert "RLS hides rows of clones, knowledge" in stopped.value.why
    assert_same(before, database.snapshot())
