"""Whatever only looks changes nothing, takes no lock, and works for a role that may only read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from wizard.engine.api import Engine
from wizard.errors import ConnectionUnsuitableError

LOOKS: dict[str, Callable[[Engine], object]] = {
    "survey": lambda engine: engine.survey(),
    "check": lambda engine: engine.check(),
    "verify": lambda engine: engine.verify(),
    "plan": lambda engine: engine.plan(),
    "dry run": lambda engine: engine.dry_run(),
    "rollback plan": lambda engine: engine.rollback_plan(),
    "log": lambda engine: engine.statements(),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_looking_at_a_clean_database_changes_nothing(
    database: Database, readonly_user: str, look: Callable[[Engine], object]
) -> None:
    before = database.snapshot()

    look(Operator(database).engine)
    # It may not hold triggers back, so what it plans depends on the answer.
    look(Operator(database, user=readonly_user, decisions={"backfill_triggers": "fire"}).engine)

    assert_same(before, database.snapshot())
    assert database.value("select to_regnamespace('rag_wizard')::text") is None


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_looking_at_a_finished_rollout_changes_nothing(database: Database, look: Callable[[Engine], object]) -> None:
    Operator(database).engine.run()
    before = database.snapshot()

    look(Operator(database).engine)

    assert_same(before, database.snapshot())


def test_the_server_itself_refuses_writes_of_a_looking_session(database: Database) -> None:
    database.log_statements()
    Operator(database).engine.dry_run()

    sent = database.logged()

    assert any("SET \"default_transaction_read_only\" = 'on'" in text for text in sent), sent[:5]
    assert not any("pg_try_advisory_lock" in text for text in sent)
    assert not any(word in text for text in sent for word in ("INSERT INTO", "CREATE SCHEMA", "UPDATE rag_wizard"))


def test_a_registry_that_cannot_be_read_is_never_taken_for_empty(database: Database, readonly_user: str) -> None:
    Operator(database).engine.run(last="1.1")

    with pytest.raises(ConnectionUnsuitableError, match='belongs to role "postgres"'):
        Operator(database, user=readonly_user).engine.survey()


def test_a_dry_run_tells_what_would_run_and_the_exit_code(database: Database, readonly_user: str) -> None:
    allowed = Operator(database).engine.dry_run()
    refused = Operator(database, user=readonly_user).engine.dry_run()

    assert [step.id for step in allowed.would_run][:3] == ["1.1", "1.2", "1.3"]
    assert {step.state.value for step in allowed.would_run} == {"would_run"}
    assert allowed.exit_code == 0
    assert allowed.cannot_tell
    assert refused.exit_code == 3


def test_verify_fails_before_the_run_and_passes_after(database: Database) -> None:
    assert not Operator(database).engine.verify().passed
    Operator(database).engine.run()
    assert Operator(database).engine.verify().passed
