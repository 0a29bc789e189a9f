"""A deadlock outside of a transaction: the index that it leaves invalid goes before the next try."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from tests.support.blocking import eventually, holding
from tests.support.database import Database
from tests.support.engine import Operator
from wizard.demo.server import SUPERUSER
from wizard.engine.events import Event, LockWaited, PartStarted

INDEX = "idx_clones_rag_status"
TABLE_LOCK = "lock table clones in share update exclusive mode"
WAITING = (
    "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    " and (application_name like 'rag-wizard%%' or query = %s)"
)
VALID = "select indisvalid from pg_index where indexrelid = to_regclass(%s)"


@contextmanager
def deadlock_of(operator: Operator, database: Database, direction: str) -> Iterator[None]:
    """As soon as the index is built or dropped.

    The application wrote, which the wizard waits for once it has its lock on the table; it already waits for the same
    lock then, behind the wizard. It never looks for a deadlock, so the wizard is who finds it.
    """
    with holding(database) as first, holding(database, "set deadlock_timeout = '1h'", user=SUPERUSER) as application:
        application.commit()
        asking = Thread(target=lambda: application.execute(TABLE_LOCK.encode()))

        def waits(number: int) -> None:
            eventually(lambda: database.value(WAITING, (TABLE_LOCK,), user=SUPERUSER) == number, "they wait")

        def interfere() -> None:
            waits(1)
            asking.start()
            waits(2)
            first.rollback()

        interfering = Thread(target=interfere)

        def hear(event: Event) -> None:
            if isinstance(event, PartStarted) and INDEX in event.sql and not interfering.ident:
                assert event.direction == direction
                first.execute(TABLE_LOCK.encode())
                application.execute(b"update clones set name = name")
                interfering.start()
            if isinstance(event, LockWaited) and interfering.ident:
                asking.join()
                application.rollback()

        operator.listen(hear)
        yield
        interfering.join()


@pytest.fixture
def operator(database: Database) -> Operator:
    """Everything up to 2.2 is committed."""
    operator = Operator(database, strategy="online", lock_patience_s=60.0)
    assert operator.engine.run(last="1.6").ending == "done"
    return operator


def test_a_build_that_met_a_deadlock_is_begun_anew(database: Database, operator: Operator) -> None:
    with deadlock_of(operator, database, "deploy"):
        assert operator.engine.run().ending == "done"

    assert [one.sqlstate for one in operator.told(LockWaited) if one.sql.startswith("CREATE INDEX")] == ["40P01"]
    assert database.value(VALID, (INDEX,))
    log = [one.sql.split(" ON ")[0] for one in operator.engine.statements() if INDEX in one.sql]
    assert log == [f'DROP INDEX CONCURRENTLY IF EXISTS "{INDEX}"', f"CREATE INDEX CONCURRENTLY {INDEX}"]
    assert operator.engine.rollback().ending == "done"


def test_a_drop_that_met_a_deadlock_is_sent_again(database: Database, operator: Operator) -> None:
    assert operator.engine.run().ending == "done"

    with deadlock_of(operator, database, "revert"):
        assert operator.engine.rollback("1.6").ending == "done"

    assert "40P01" in {one.sqlstate for one in operator.told(LockWaited)}
    assert database.value("select to_regclass(%s) is null", (INDEX,))
