"""How many rows a part changed is in the log, unless counting them would hold up the application."""

from __future__ import annotations

from tests.conftest import MakeDatabase
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.starting import guide_statements, paste


def test_the_rows_of_a_rollback_are_recorded(make_database: MakeDatabase) -> None:
    database = make_database(rows=240)
    operator = Operator(database, strategy="atomic")
    operator.engine.run()

    operator.engine.rollback("6.1")

    updates = [one for one in operator.engine.statements() if one.direction == "revert" and one.sql[:6] == "UPDATE"]
    assert [(one.step, one.rows) for one in updates] == [("6.2", 240)]


def test_a_table_that_is_there_is_not_locked_until_the_rows_are_told(database: Database) -> None:
    """The guide's first step, pasted as far as its table: it gets RLS, a trigger and rows while somebody may use it."""
    paste(database, guide_statements("1.1")[:1])
    operator = Operator(database)
    operator.engine.survey()
    database.log_statements()

    operator.engine.run(last="1.1")

    sent = [text for text in database.logged() if text.startswith("BEGIN;")]
    (message,) = (text for text in sent if "ENABLE ROW LEVEL SECURITY" in text and "intent" in text)
    assert "INSERT INTO" in message.partition("ENABLE ROW LEVEL SECURITY")[2]
    assert message.rstrip().endswith("COMMIT")
    assert database.value("select count(*) from domains") == 8
