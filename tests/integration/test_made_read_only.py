"""A platform that makes the database read-only, as for a full disk, stops a rollout before its next part."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from psycopg import sql

from tests.support.blocking import end_the_wizard
from tests.support.database import Database
from tests.support.engine import Operator
from wizard.demo.server import SUPERUSER
from wizard.engine import sitting
from wizard.engine.events import Event, PartCommitted, PartStarted
from wizard.errors import ExitCode, PrerequisiteError

PARTS = "select step, direction, state from rag_wizard.part order by number desc limit 1"


def make_read_only(database: Database) -> None:
    name = sql.Identifier(database.name)
    database.execute(
        sql.SQL("alter database {} set default_transaction_read_only = on").format(name), user=SUPERUSER
    )  # fmt: skip


def make_writable(database: Database) -> None:
    name = sql.Identifier(database.name)
    with database.connect(SUPERUSER) as admin:
        admin.execute("set default_transaction_read_only = off")
        admin.execute(sql.SQL("alter database {} reset default_transaction_read_only").format(name))


def read_only_at(operator: Operator, database: Database, moment: Callable[[Event], bool]) -> None:
    def hear(event: Event) -> None:
        if moment(event):
            make_read_only(database)

    operator.listen(hear)


def sending(step: str, direction: str) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, PartStarted) and (event.step, event.direction) == (step, direction)


def refused(act: Callable[[], object]) -> PrerequisiteError:
    with pytest.raises(PrerequisiteError, match="cannot be written to: default_transaction_read_only is on") as stopped:
        act()
    assert stopped.value.exit_code is ExitCode.PREREQUISITES
    return stopped.value


def test_on_the_way_forward_and_back(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where parts take longer than a moment: the question travels behind each of them."""
    monkeypatch.setattr(sitting, "ASK_BEHIND_S", 0.0)
    operator = Operator(database)
    read_only_at(operator, database, sending("1.2", "deploy"))

    assert refused(operator.engine.run).why == "Steps 0 to 1.2 are committed."

    assert database.query(PARTS) == [("1.2", "deploy", "done")]
    make_writable(database)
    operator.listen(lambda _: None)
    operator.engine.run(last="1.4")
    read_only_at(operator, database, sending("1.4", "revert"))

    assert refused(operator.engine.rollback).why == "Steps 0 to 1.3 are committed."

    assert database.query(PARTS) == [("1.4", "revert", "done")]
    make_writable(database)
    operator.listen(lambda _: None)
    assert operator.engine.rollback().ending == "done"


def test_between_two_parts_that_lie_apart(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a pause: what was seen behind the last part is too old then."""
    monkeypatch.setattr(sitting, "WRITABLE_S", 0.0)
    operator = Operator(database)
    read_only_at(operator, database, lambda event: isinstance(event, PartCommitted) and event.step == "1.2")

    refused(operator.engine.run)

    assert database.query(PARTS) == [("1.2", "deploy", "done")]
    make_writable(database)


def test_after_the_connection_was_lost(database: Database) -> None:
    operator = Operator(database)

    def hear(event: Event) -> None:
        if sending("1.3", "deploy")(event):
            make_read_only(database)
            end_the_wizard(database)

    operator.listen(hear)

    assert refused(operator.engine.run).why == "Steps 0 to 1.2 are committed."

    make_writable(database)
    operator.listen(lambda _: None)
    assert operator.engine.run(last="1.3").ending == "done"
