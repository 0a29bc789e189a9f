"""A failing statement: gone without a trace, recorded with its place, shown again anywhere until it is answered."""

from __future__ import annotations

import pytest

from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from wizard.engine.events import Event, Failed, PartStarted


def test_the_failed_step_leaves_nothing_and_those_before_it_stay(database: Database, twin: Database) -> None:
    operator = Operator(database, fail_at="2.2")
    Operator(twin).engine.run(last="2.1")

    outcome = operator.engine.run()

    assert outcome.ending == "failed"
    assert outcome.sentence == "FAILED 2.2 (RW999). Steps 0 to 2.1 are committed; 2.2 left nothing behind"
    assert operator.states()["2.2"] == "failed"
    # The registry's rows differ, its schema does not.
    assert database.dump() == twin.dump()


def test_the_failure_has_all_four_parts_and_is_shown_again_to_another_operator(database: Database) -> None:
    operator = Operator(database, fail_at="2.2")
    operator.engine.run()

    shown = Operator(database, operator="grace@elsewhere").engine.survey()

    failure = shown.failure
    assert failure is not None
    assert failure == operator.told(Failed)[0].failure
    assert (failure.step, failure.sqlstate, failure.message) == ("2.2", "RW999", "practice failure in step 2.2")
    assert failure.detail and failure.hint and failure.sql.startswith("DO $practice$")
    assert shown.sentence == f"FAILED 2.2 (RW999). {failure.state_now}"
    assert len(failure.todo) == 3
    assert shown.last_session is not None
    assert shown.last_session.operator == "ada@workstation"


def test_a_retry_goes_on_where_it_failed(database: Database, twin: Database) -> None:
    operator = Operator(database, fail_at="2.2")
    operator.engine.run()

    outcome = operator.engine.run()

    assert outcome.ending == "done"
    assert operator.engine.survey().failure is None
    Operator(twin).engine.run()
    assert database.dump() == twin.dump()


@pytest.mark.parametrize("step", ["1.1", "2.2", "6.2"])
def test_rolling_back_after_a_failure_returns_to_the_start(database: Database, step: str) -> None:
    before = database.snapshot()
    operator = Operator(database, fail_at=step)
    operator.engine.run()

    outcome = Operator(database, operator="grace@elsewhere").engine.rollback()

    assert outcome.ending == "done"
    survey = operator.engine.survey()
    assert survey.failure is None
    assert survey.rolled_back
    operator.engine.forget()
    assert_same(before, database.snapshot())


def test_a_server_error_names_file_line_and_column(database: Database) -> None:
    """The prerequisites held; then, just before step 6.2 was sent, somebody renamed the column that it reads."""
    operator = Operator(database)

    def rename(event: Event) -> None:
        if isinstance(event, PartStarted) and event.step == "6.2":
            database.execute("alter table clones rename column category to kind")

    operator.listen(rename)
    failure = operator.engine.run().failure

    assert failure is not None
    assert (failure.sqlstate, failure.file) == ("42703", "deploy/6.2_map_clones.sql")
    text = operator.engine.rollout.read_sql(failure.file).splitlines()
    assert text[failure.line - 1][failure.column - 1 :].startswith("category)")
    log = operator.engine.statements()[-1]
    assert (log.outcome, log.error[:5]) == ("failed", "42703")


def test_a_failed_check_means_done_but_not_verified(database: Database) -> None:
    operator = Operator(database)
    operator.engine.run(last="2.1")
    database.execute("alter table clones alter column rag_enabled set default true")

    outcome = operator.engine.run()

    assert outcome.ending == "check failed"
    assert "NOT VERIFIED" in outcome.sentence
    assert operator.states()["V"] == "todo"
    database.execute("alter table clones alter column rag_enabled set default false")
    assert operator.engine.run().ending == "done"
