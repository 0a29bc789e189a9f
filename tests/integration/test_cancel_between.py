"""A cancel that comes while no statement runs: what would be sent next is not sent, and the record says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.conftest import MakeDatabase
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.filling import fill, filling, make_things
from tests.support.proxy import Fault, Proxy, proxy_to, url_through
from tests.support.rag_rows import write_rows
from wizard.engine.events import BackfillProgressed, Event, Noticed, PartStarted
from wizard.rollout.load import load_rollout

THINGS = Path(__file__).parent.parent / "rollouts" / "things"
INDEX = "select to_regclass('idx_things_n')::text"
LATEST = "select state from rag_wizard.part order by number desc limit 1"
CAPTURES = "select count(*) from pg_trigger where tgname like 'rag_wizard_capture%'"


@contextmanager
def cancelled_before(operator: Operator, database: Database, mark: str) -> Iterator[Proxy]:
    """Its requests go through a proxy; one that holds `mark` reaches the server just after a cancel, once."""
    asked: list[str] = []

    def judge(_number: int, text: str) -> Fault:
        if mark in text and not asked:
            asked.append(text)
            operator.engine.cancel()
        return Fault.PASS

    direct = operator.engine.target
    with proxy_to(lambda: database.target().port, judge, lambda: None) as proxy:
        operator.engine.target = replace(direct, conninfo=SecretStr(url_through(proxy, database)))
        yield proxy
        assert asked
    operator.engine.target = direct


def test_before_a_part_is_sent_it_is_kept_from_being_sent(make_database: MakeDatabase) -> None:
    database = make_database("things")
    operator = Operator(database, load_rollout(THINGS), strategy="online")

    def hear(event: Event) -> None:
        if isinstance(event, PartStarted) and event.title == "idx_things_n":
            operator.engine.cancel()

    operator.listen(hear)
    assert operator.engine.run().ending == "stopped"

    assert (database.value(INDEX), database.value(LATEST)) == (None, "interrupted")
    operator.listen(lambda _: None)
    assert operator.engine.run().ending == "done"


def test_between_the_lock_timeout_and_an_index_it_is_not_built(make_database: MakeDatabase) -> None:
    database = make_database("things")
    operator = Operator(database, load_rollout(THINGS), strategy="online")

    with cancelled_before(operator, database, "SET lock_timeout = '30min'") as proxy:
        assert operator.engine.run().ending == "stopped"

    assert (database.value(INDEX), database.value(LATEST)) == (None, "interrupted")
    sent = [text for text in proxy.seen if "lock_timeout = " in text or "INDEX CONCURRENTLY" in text]
    assert ["30min" in text for text in sent[-2:]] == [True, False], "the session has its own lock_timeout again"
    assert operator.engine.run().ending == "done"


def test_between_two_messages_of_a_transaction_it_is_rolled_back(database: Database) -> None:
    operator = Operator(database)
    operator.engine.run(last="4")

    with cancelled_before(operator, database, "'6.1', 1, 'deploy'"):
        assert operator.engine.run().ending == "stopped"

    assert (operator.states()["6.1"], database.value(LATEST)) == ("todo", "interrupted")
    assert operator.engine.run().ending == "done"


def test_right_before_a_backfill_counts_it_does_not_count(database: Database, tmp_path: Path) -> None:
    make_things(database)
    operator = fill(database, filling(tmp_path))
    database.log_statements()

    def hear(event: Event) -> None:
        if isinstance(event, BackfillProgressed) and event.phase == "counting":
            operator.engine.cancel()

    operator.listen(hear)
    assert operator.engine.run().ending == "stopped"

    assert not [text for text in database.logged() if "count(*) AS number FROM" in text]
    assert database.value(LATEST) == "interrupted"
    operator.listen(lambda _: None)
    assert operator.engine.run().ending == "done"


def test_what_a_rollback_that_is_cancelled_has_made_goes_all_the_same(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wizard.engine.keeping.capture.LARGE_ROWS", -1)
    operator = Operator(database, archives=tmp_path)
    operator.engine.run()
    write_rows(database)

    def hear(event: Event) -> None:
        if isinstance(event, Noticed) and event.text.startswith("triggers on"):
            assert database.value(CAPTURES)
            operator.engine.cancel()

    operator.listen(hear)
    assert operator.engine.rollback().ending == "stopped"

    assert database.value(CAPTURES) == 0
    operator.listen(lambda _: None)
    assert operator.engine.rollback().ending == "done"
