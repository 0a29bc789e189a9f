"""How long the application may wait for late rows is kept: measured before the lock, and never exceeded twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.database import Database
from tests.support.engine import Operator, at_start_of
from wizard.engine.events import LockWaited, PartStarted, StepStarted
from wizard.errors import LockNotObtainedError

EXPERT = "insert into experts (name, domain, context) values ('late', 'other', '')"
SLOW = """
create function slow(locked boolean, seconds float) returns boolean language plpgsql as $$
begin
    if not locked or exists (
        select from pg_locks where pid = pg_backend_pid() and relation = 'experts'::regclass
            and mode = 'AccessExclusiveLock'
    ) then
        perform pg_sleep(seconds);
    end if;
    return true;
end $$;
"""


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    return tmp_path / "archives"


def made_slow(database: Database, *, locked: bool, seconds: float) -> None:
    """The recorded condition of experts needs so long for each row; with `locked` only under the lock."""
    condition = f"slow({locked}, {seconds})"
    database.execute(SLOW)
    done = database.query(
        "update rag_wizard.guard set sql = replace(sql, E'(\\ntrue\\n)', %s) where table_name = 'experts'"
        " returning sql",
        [f"(\n{condition}\n)"],
    )
    assert condition in str(done)


def reverts(operator: Operator) -> list[str]:
    return [event.step for event in operator.told(PartStarted) if event.direction == "revert"]


def test_both_looks_through_the_table_are_measured_before_it_is_locked(database: Database, archives: Path) -> None:
    """Each of them alone would be short enough."""
    operator = Operator(database, archives=archives, lock_budget_ms=1000)
    operator.engine.run(last="1.2")
    made_slow(database, locked=False, seconds=0.7)
    operator.listen(lambda event: database.execute(EXPERT) if isinstance(event, StepStarted) else None)

    with pytest.raises(LockNotObtainedError, match="looking for rows of experts") as gave_up:
        operator.engine.rollback()

    assert "The table was not locked" in gave_up.value.why
    assert "--discard-data" in gave_up.value.fix
    assert reverts(operator) == []
    assert operator.told(LockWaited) == []
    operator.listen(lambda _: None)
    assert operator.engine.rollback(discard_data=True).ending == "done"


def test_what_takes_longer_under_the_lock_than_it_may_lets_go_and_does_not_come_again(
    database: Database, archives: Path
) -> None:
    operator = Operator(database, archives=archives, lock_budget_ms=3_000)
    operator.engine.run(last="1.2")
    made_slow(database, locked=True, seconds=60)
    at_start_of(operator, "1.2", database, EXPERT)

    with pytest.raises(LockNotObtainedError, match=r"gave up step 1\.2: saving what changed since") as gave_up:
        operator.engine.rollback()

    assert "is still there, whole" in gave_up.value.why
    assert "goes on with the same archive" in gave_up.value.fix
    assert "--discard-data" in gave_up.value.fix
    assert (reverts(operator), operator.told(LockWaited)) == (["1.2"], [])
    database.execute(
        "create or replace function slow(locked boolean, seconds float) returns boolean language sql return true"
    )
    assert Operator(database, archives=archives, lock_budget_ms=60_000).engine.rollback().ending == "done"
    assert len(list((archives / "acme-test").iterdir())) == 1
