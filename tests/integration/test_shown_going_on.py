"""What is shown of a backfill that goes on, forward or back, is what is sent: its own attempt, not a new one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.conftest import MakeDatabase
from tests.integration.test_plan_online import cut, message
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.filling import fill, filling, make_things
from wizard.engine.events import BackfillProgressed, Event
from wizard.engine.views import StatementView, StepView


def stop_in(operator: Operator, step: str, direction: str = "deploy") -> None:
    """After the first batch that is told."""

    def hear(event: Event) -> None:
        if isinstance(event, BackfillProgressed) and (event.step, event.direction) == (step, direction) and event.rows:
            operator.engine.stop()

    operator.listen(hear)


def texts(views: Iterable[StatementView]) -> list[str]:
    return [view.sql for view in views]


def backfill(steps: Iterable[StepView], step: str) -> list[str]:
    """The text of its part in batches."""
    return next(texts(part.statements) for one in steps if one.id == step for part in one.parts if part.in_batches)


def assert_sent(database: Database, shown: list[str]) -> None:
    """What the part begins with, a batch and the checkpoint went to the server as they were shown."""
    logged = [text.strip() for text in database.logged()]
    begins, quick, _, _, _, ends = cut([line for line in shown if "has no table" not in line])[:6]
    for lines in (begins, quick, ends):
        assert any(message(lines).fullmatch(text) for text in logged), "\n".join(lines)


@pytest.fixture
def operator(database: Database, tmp_path: Path) -> Operator:
    """Whose backfill of 900 rows takes its time."""
    make_things(database)
    database.execute("create index on things (n)")  # so that each parameter of a batch has a value
    return fill(database, filling(tmp_path), batch_delay_s=0.1)


SHOWN: dict[str, Callable[[Operator], Iterable[StepView]]] = {
    "screen": lambda operator: operator.engine.survey().steps,
    "question": lambda operator: operator.engine.left(first="1", last="1").steps,
    "dry run": lambda operator: operator.engine.dry_run(first="1", last="1").would_run,
}


@pytest.mark.parametrize("where", SHOWN)
@pytest.mark.parametrize("done", [False, True], ids=["interrupted", "done"])
def test_forward(database: Database, operator: Operator, where: str, done: bool) -> None:
    if not done:
        stop_in(operator, "1")
    assert operator.engine.run().ending == ("done" if done else "stopped")
    operator.listen(lambda _: None)
    if done:
        database.execute("update things set filled = null where filled = 'x'")
    shown = backfill(SHOWN[where](operator), "1")
    database.log_statements()

    assert operator.engine.run(first="1", last="1").ending == "done"

    assert_sent(database, shown)


@pytest.mark.parametrize("where", ["plan", "screen"])
def test_back(make_database: MakeDatabase, where: str) -> None:
    database = make_database(rows=1000)
    assert Operator(database, strategy="online").engine.run(last="6.2").ending == "done"
    operator = Operator(database, strategy="online", batch_rows=100, batch_delay_s=0.3)
    stop_in(operator, "6.2", "revert")
    assert operator.engine.rollback("6.1").ending == "stopped"
    operator.listen(lambda _: None)
    operator.engine.set_delay(0.0)
    if where == "plan":
        [step] = operator.engine.rollback_plan("6.1").steps
        shown = texts(step.statements)
    else:
        shown = next(texts(step.revert) for step in operator.engine.survey().steps if step.id == "6.2")
    database.log_statements()

    assert operator.engine.rollback("6.1").ending == "done"

    assert_sent(database, shown)
