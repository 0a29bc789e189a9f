"""The log of a backfill that was stopped, failed, died, or was done again: it loses nothing that is committed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.test_archive import KilledError
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.filling import fill, filling, make_things
from wizard.engine.events import BackfillProgressed, Event
from wizard.export.log import LogFormat, LogHeader, export_log
from wizard.rollout.load import load_rollout
from wizard.rollout.model import Rollout

VALUE = """
create table broken (n int);
create function value(n int) returns text language plpgsql volatile
as 'begin if exists (select from broken where broken.n = value.n) then raise ''broken''; end if; return ''x''; end'"""
FILLED = "select n from things where filled is not null order by 1"
LOGGED = "select outcome, rows, finished_at is null from rag_wizard.statement order by part_id, ordinal"


@pytest.fixture
def rollout(database: Database, twin: Database, tmp_path: Path) -> Rollout:
    """Fills a column with what a function says, which fails where the test wants it to."""
    for one in (database, twin):
        make_things(one)
        one.execute(VALUE)
    return filling(tmp_path, value="value(n)")


def at_batch(operator: Operator, number: int, then: Callable[[], object]) -> None:
    """Interferes once, after so many batches."""
    done: list[Event] = []

    def hear(event: Event) -> None:
        if isinstance(event, BackfillProgressed) and event.batches >= number and not done:
            done.append(event)
            then()

    operator.listen(hear)


def exported(operator: Operator, form: LogFormat = "sql") -> str:
    return export_log(operator.engine.statements(), form, LogHeader("acme-test", "", "fill", "public"))


def assert_replays(operator: Operator, database: Database, twin: Database) -> None:
    """The twin then holds all that is committed, or more."""
    twin.psql(exported(operator))
    assert set(database.query(FILLED)) <= set(twin.query(FILLED))


def test_of_a_stopped_pass_what_is_committed_is_replayed(database: Database, twin: Database, rollout: Rollout) -> None:
    operator = fill(database, rollout, batch_delay_s=0.1)
    at_batch(operator, 2, operator.engine.stop)
    assert operator.engine.run().ending == "stopped"

    log = exported(operator)
    assert "batches of it" in log
    assert "the UPDATE goes further and changes all rows that were left" in log
    assert '"outcome": "interrupted"' in exported(operator, "jsonl")
    assert_replays(operator, database, twin)
    assert twin.value("select count(*) from things where filled is null") == 0

    operator.listen(lambda _: None)
    assert operator.engine.run().ending == "done"
    assert database.query(LOGGED) == [("committed", 900, False)]


def test_of_a_session_that_died_too(database: Database, twin: Database, rollout: Rollout) -> None:
    operator = fill(database, rollout, batch_delay_s=0.1)

    def die() -> None:
        raise KilledError

    at_batch(operator, 2, die)
    with pytest.raises(KilledError):
        operator.engine.run()

    assert database.value("select state from rag_wizard.part where rows > 0") == "intent"
    assert_replays(fill(database, rollout), database, twin)


def test_a_failure_stays_in_the_log_when_the_part_goes_on(database: Database, twin: Database, rollout: Rollout) -> None:
    operator = fill(database, rollout)
    database.execute("insert into broken values (699)")
    for _ in range(2):
        assert operator.engine.run().ending == "failed"
    assert database.value("select count(*) from things where filled = 'x'") > 0
    assert "a statement of this part failed" in exported(operator)
    assert_replays(operator, database, twin)

    database.execute("delete from broken")
    assert operator.engine.run().ending == "done"

    assert database.query(LOGGED) == [("failed", None, False), ("failed", None, False), ("committed", 900, False)]
    assert exported(operator).count("P0001 broken") == 2


def test_another_pass_leaves_the_log_of_the_first(database: Database, twin: Database, rollout: Rollout) -> None:
    operator = fill(database, rollout, batch_delay_s=0.1)
    assert operator.engine.run().ending == "done"
    for one in (database, twin):
        one.execute("insert into things (id, n) select g, g from generate_series(2001, 2300) as g")
    at_batch(operator, 1, operator.engine.stop)

    assert operator.engine.run(first="1", last="1").ending == "stopped"

    (first, *_), (_, rows, is_open) = database.query(LOGGED)
    assert (first, rows, is_open) == ("committed", None, True)
    assert_replays(operator, database, twin)
    operator.listen(lambda _: None)
    assert operator.engine.run(first="1", last="1").ending == "done"
    assert database.query(LOGGED) == [("committed", 900, False), ("committed", 300, False)]
    assert exported(operator).count("UPDATE things") == 2


def test_a_script_that_goes_on_ends_the_same_pass(database: Database, rollout: Rollout) -> None:
    operator = fill(database, rollout)
    database.execute("insert into broken values (699)")
    assert operator.engine.run().ending == "failed"
    database.execute("delete from broken")

    database.psql(fill(database, rollout).engine.plan())

    assert database.query(LOGGED) == [("failed", None, False), ("committed", 900, False)]


def test_an_earlier_pass_is_replayed_before_the_steps_that_came_after_it(
    database: Database, twin: Database, rollout: Rollout, tmp_path: Path
) -> None:
    """The second step could not run on rows that are not filled."""
    (tmp_path / "sql" / "full.sql").write_text(
        "ALTER TABLE things ADD CONSTRAINT all_filled CHECK (filled IS NOT NULL)"
    )
    first = (tmp_path / "steps" / "1.toml").read_text()
    second = first.partition("[[deploy]]")[0].replace('id = "1"', 'id = "2"') + '[[deploy]]\nsql = "full.sql"\n'
    (tmp_path / "steps" / "2.toml").write_text(second)
    header = tmp_path / "steps" / "rollout.toml"
    header.write_text(header.read_text().replace('["1"]', '["1", "2"]'))
    operator = fill(database, load_rollout(tmp_path))
    assert operator.engine.run().ending == "done"
    assert operator.engine.run(first="1", last="1").ending == "done"

    assert_replays(operator, database, twin)
