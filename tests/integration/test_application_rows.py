"""What the application had and what it writes keeps every value through run and rollback, `updated_at` included."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import pytest

from tests.conftest import MakeDatabase
from tests.support.audit import Application, Audit, Rows, triggers_not_to_be_held_back
from tests.support.database import Database
from tests.support.engine import Operator
from wizard.engine.events import PartCommitted
from wizard.errors import PrerequisiteError, WizardError

STEPS = ("1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "2.1", "2.2", "3", "4", "6.1", "6.2")
CLONES, KNOWLEDGE = 40, 80
EACH_CLONE = Counter({("clones", "UPDATE"): CLONES})
HOOKS = "select count(*) from supabase_functions.hooks"

FORCED = """
alter table clones force row level security;
alter table knowledge force row level security;
"""
GENERATED = """
alter table clones add column name_length int generated always as (length(name)) stored,
                   add column number bigint generated always as identity;
alter table knowledge add column shout text generated always as (upper(title)) stored;
"""
VIRTUAL = "alter table clones add column shown_as text generated always as (upper(name)) virtual"
FIRED = {"backfill_triggers": "fire"}


def through_everything(operator: Operator, rows: Rows, *, back_to: tuple[str, ...]) -> None:
    """A run, back to each of the steps and forward again, back to the start; the rows are compared after each."""
    assert operator.engine.run().ending == "done"
    rows.assert_kept("after the run")
    for step in back_to:
        assert operator.engine.rollback(to=step).ending == "done"
        rows.assert_kept(f"after rolling back to {step}")
        assert operator.engine.run().ending == "done"
        rows.assert_kept(f"after running again from {step}")
    assert operator.engine.rollback().ending == "done"
    rows.assert_kept("after rolling back to the start")


@pytest.mark.parametrize(
    ("variants", "prepared", "back_to"),
    [
        pytest.param((), "", ("6.1",), id="as it is"),
        pytest.param((), FORCED + GENERATED, (), id="forced, generated"),
        pytest.param((), FORCED + GENERATED, STEPS[-2::-1], id="each step", marks=pytest.mark.slow),
        pytest.param(
            ("creator_id_uuid", "category_enum"), GENERATED, ("6.1", "2.2"), id="other types", marks=pytest.mark.slow
        ),
        pytest.param(("other_shared_function",), "", ("6.1", "2.2"), id="other function", marks=pytest.mark.slow),
        pytest.param(("old_grants",), FORCED, ("6.1", "2.2"), id="old grants", marks=pytest.mark.slow),
    ],
)
def test_no_value_changes_and_no_trigger_sees_a_row(
    make_database: MakeDatabase, variants: tuple[str, ...], prepared: str, back_to: tuple[str, ...]
) -> None:
    database = make_database(*variants)
    if prepared:
        database.execute(prepared)
    if GENERATED in prepared and int(database.value("show server_version_num")) >= 180000:
        database.execute(VIRTUAL)
    audit, rows, hooks = Audit(database), Rows(database), database.value(HOOKS)
    operator = Operator(database)
    operator.listen(audit.hear)

    through_everything(operator, rows, back_to=back_to)

    assert audit.parts == []
    assert not audit.noted()
    assert database.value(HOOKS) == hooks
    assert Counter(table for table, _ in rows.expected)["clones"] == CLONES, "there must have been rows to see"


def test_the_audit_notes_the_updates_of_anybody_else(database: Database) -> None:
    """Proof that it can see: the same update, sent by somebody who holds no trigger back."""
    audit, rows = Audit(database), Rows(database)

    database.execute("update clones set bio = bio")

    assert audit.noted() == EACH_CLONE
    assert audit.changed() == {"updated_at"}
    with pytest.raises(AssertionError, match="40 rows differ"):
        rows.assert_kept("after an update of everything")


@pytest.mark.parametrize("firing", ["always", pytest.param("replica", marks=pytest.mark.slow)])
def test_a_trigger_that_cannot_be_held_back_sees_each_clone_once_and_nothing_else(
    database: Database, firing: str
) -> None:
    """ENABLE ALWAYS and ENABLE REPLICA fire while the others are held back: named, and decided by the operator."""
    audit, rows = Audit(database, firing), Rows(database)
    with pytest.raises(PrerequisiteError, match="backfill_witnesses"):
        Operator(database).engine.run()
    operator = Operator(database, decisions={"backfill_witnesses": "act"})
    operator.listen(audit.hear)

    through_everything(operator, rows, back_to=("6.1",))

    # The whole rollback drops the column with step 2.1 and has no row to update.
    assert audit.parts == [("deploy 6.2", EACH_CLONE), ("revert 6.2", EACH_CLONE), ("deploy 6.2", EACH_CLONE)]
    assert audit.changed() == {"rag_domain_mapping"}
    told = [result.found for result in operator.engine.check() if result.level == "warn"]
    assert any(f"ENABLE {firing.upper()}" in found and "clones.audited" in found for found in told)


def test_where_triggers_cannot_be_held_back_the_operator_decides_first(database: Database) -> None:
    audit, rows = Audit(database), Rows(database)
    with triggers_not_to_be_held_back(database), pytest.raises(PrerequisiteError, match="backfill_triggers"):
        Operator(database).engine.run()

    assert not audit.noted()
    rows.assert_kept("after a run that was refused")
    assert database.value("select to_regclass('domains')::text") is None


def test_a_right_that_was_taken_since_never_lets_triggers_fire_unasked(database: Database) -> None:
    """The rollout began with triggers held back; now another role, or the same with less, goes on."""
    audit, rows = Audit(database), Rows(database)
    Operator(database).engine.run(last="5")
    with triggers_not_to_be_held_back(database):
        ran = Operator(database)
        with suppress(WizardError):
            assert ran.engine.run().ending == "failed"
        assert ran.states()["6.1"] != "done"
    Operator(database).engine.run()
    with triggers_not_to_be_held_back(database):
        with suppress(WizardError):
            assert Operator(database).engine.rollback(to="6.1").ending == "failed"
        rows.assert_kept("after a rollback that could not hold triggers back")
        # The whole rollback has no row to update: it drops the column.
        assert Operator(database).engine.rollback().ending == "done"

    assert not audit.noted()
    rows.assert_kept("after rolling back to the start")


@pytest.mark.parametrize(
    "back_to", [pytest.param((), id="there"), pytest.param(("6.1", "4", "2.2"), id="and back", marks=pytest.mark.slow)]
)
def test_where_triggers_fire_each_clone_is_updated_once_and_only_updated_at_moves(
    database: Database, back_to: tuple[str, ...]
) -> None:
    """As with the guide's own SQL: the application's trigger sets updated_at, its webhook is called for each clone."""
    audit, rows, stamps = Audit(database), Rows(database, aside="updated_at"), Rows(database)
    moved = "select count(*), count(*) filter (where updated_at > now() - interval '1 hour') from {}"
    with triggers_not_to_be_held_back(database):
        operator = Operator(database, decisions=FIRED)
        operator.listen(audit.hear)
        through_everything(operator, rows, back_to=back_to)

    there_and_back = [("revert 6.2", EACH_CLONE), ("deploy 6.2", EACH_CLONE)]
    assert audit.parts == [("deploy 6.2", EACH_CLONE), *(there_and_back * len(back_to))]
    assert audit.changed() == {"rag_domain_mapping", "updated_at"}
    assert database.value(HOOKS) == audit.noted().total()
    assert database.query(moved.format("clones")) == [(CLONES, CLONES)]
    different = {table for (table, key), row in stamps.now().items() if stamps.expected[table, key] != row}
    assert different == {"clones"}


@pytest.mark.parametrize(
    "back_to",
    [pytest.param(("6.1",), id="6.1"), pytest.param(STEPS[-2::-1], id="each step", marks=pytest.mark.slow)],
)
def test_what_the_application_writes_meanwhile_stands_exactly_as_it_wrote_it(
    database: Database, back_to: tuple[str, ...]
) -> None:
    audit, rows, hooks = Audit(database), Rows(database), database.value(HOOKS)
    operator = Operator(database)
    with Application(database, rows) as application:
        operator.listen(application.hear)
        outcomes = [operator.engine.run()]
        for step in back_to:
            outcomes += [operator.engine.rollback(to=step), operator.engine.run()]
        outcomes.append(operator.engine.rollback())

    assert [outcome.ending for outcome in outcomes] == ["done"] * len(outcomes)
    rows.assert_kept("while the application was writing")
    assert audit.noted() == application.wrote
    assert database.value(HOOKS) - hooks == sum(n for (table, _), n in application.wrote.items() if table == "clones")
    # Once more after each part, and it never stopped in between.
    assert application.turns > len(operator.told(PartCommitted)) >= 24
