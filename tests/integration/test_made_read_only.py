"""A platform that makes the database read-only, as for a full disk, stops a rollout before its next part."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from psycopg import sql

from tests.support.blocking import end_the_wizard
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.filling import fill, filling, make_things
from wizard.db.connect import connect
from wizard.db.prepared import ask
from wizard.demo.server import SUPERUSER
from wizard.engine import sitting
from wizard.engine.events import Event, PartCommitted, PartStarted
from wizard.engine.looking.prerequisites import WRITES_REFUSED
from wizard.engine.sending import pace
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


@pytest.mark.parametrize(
    ("settings", "refuses"),
    [
        (["database {database} set {name} = on", "role postgres in database {database} set {name} = off"], False),
        (["database {database} set {name} = on", "role postgres set {name} = no"], False),
        (["role postgres set {name} = off", "role postgres in database {database} set {name} = 1"], True),
        (["database {database} set {name} = true"], True),
        ([], False),
    ],
)
def test_what_counts_is_what_another_session_would_begin_with(
    database: Database, settings: list[str], refuses: bool
) -> None:
    name = "default_transaction_read_only"
    with database.connect(SUPERUSER) as admin, connect(database.target(), schema="public", read_only=False) as asking:
        try:
            for text in settings:
                admin.execute(f"alter {text.format(database=database.name, name=name)}".encode())

            assert ask(asking, WRITES_REFUSED) == [{"read_only": refuses}]
            with database.connect() as another:
                shown = another.execute(f"show {name}".encode()).fetchone()
            assert shown == ("on" if refuses else "off",)
        finally:
            admin.execute(f"alter role postgres reset {name}".encode())


def test_a_backfill_goes_on_where_the_role_may_write(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "LOOK_S", 0.0)
    make_things(database)
    operator = fill(database, filling(tmp_path))

    def hear(event: Event) -> None:
        if sending("1", "deploy")(event):
            text = "alter role postgres in database {} set default_transaction_read_only = off"
            database.execute(sql.SQL(text).format(sql.Identifier(database.name)), user=SUPERUSER)
            make_read_only(database)

    operator.listen(hear)

    assert operator.engine.run().ending == "done"
