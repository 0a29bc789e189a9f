"""Running forward: the same catalog as the guide's own SQL, idempotence, ranges, prerequisites that stop."""

from __future__ import annotations

import re

import pytest

from tests.conftest import MakeDatabase
from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from tests.support.guide import GUIDE
from wizard.engine.events import CheckFinished, PartCommitted, StatementCommitted, StepFinished
from wizard.errors import ExitCode, PrerequisiteError, RefusedError, UsageError

OWN = {"id", "created_at", "updated_at"}
"""Values that two separate runs choose for themselves."""


def without_grants(dump: str) -> str:
    """A dump without the rights that step 4 adds and the guide forgets."""
    return re.sub(
        r"^(--\n-- Name: TABLE \w+; Type: ACL.*\n--\n\n)?(GRANT|REVOKE) .*;\n\n*", "", dump, flags=re.MULTILINE
    )


def test_the_catalog_equals_that_of_the_guides_own_sql(make_database: MakeDatabase) -> None:
    ours, guides = make_database("old_grants"), make_database("old_grants")
    operator = Operator(ours)

    outcome = operator.engine.run()
    operator.engine.forget(keep_objects=True)
    guides.psql(GUIDE, single_transaction=True)

    assert outcome.ending == "done", outcome
    assert ours.dump() == guides.dump()
    assert ours.digest(OWN, schemas=["public"]) == guides.digest(OWN, schemas=["public"])


def test_with_todays_privileges_only_the_missing_grants_are_added(database: Database, twin: Database) -> None:
    operator = Operator(database)

    operator.engine.run()
    operator.engine.forget(keep_objects=True)
    twin.psql(GUIDE, single_transaction=True)

    assert without_grants(database.dump()) == without_grants(twin.dump())
    rights = database.query(
        "select grantee, string_agg(privilege_type, ' ' order by privilege_type)"
        " from information_schema.table_privileges"
        " where table_name = 'experts' and grantee in ('anon', 'authenticated', 'service_role')"
        " and privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE') group by 1 order by 1"
    )
    assert rights == [
        ("authenticated", "DELETE INSERT SELECT UPDATE"),
        ("service_role", "DELETE INSERT SELECT UPDATE"),
    ]


def test_grants_can_be_declined(database: Database) -> None:
    Operator(database, decisions={"grants": "skip"}).engine.run()

    assert database.value("select has_table_privilege('authenticated', 'public.experts', 'SELECT')") is False


def test_every_column_that_was_there_keeps_its_value_and_no_application_trigger_fires(database: Database) -> None:
    columns = {f"public.clones.{c}" for c in _added("clones")} | {f"public.knowledge.{c}" for c in _added("knowledge")}
    before = database.digest(columns)

    Operator(database).engine.run()

    after = database.digest(columns)
    assert {name: after[name] for name in before} == before


def _added(table: str) -> tuple[str, ...]:
    clones = ("rag_enabled", "rag_initialization_status", "rag_expert_name", "rag_domain_mapping", "rag_config")
    knowledge = ("rag_processing_status", "rag_document_id", "openai_file_id", "rag_error_message")
    return clones if table == "clones" else knowledge


def test_every_step_is_checked_after_it_committed_and_the_criteria_close_the_run(database: Database) -> None:
    operator = Operator(database)

    outcome = operator.engine.run()

    finished = {event.step: event for event in operator.told(StepFinished)}
    assert list(finished) == [
        "0",
        "1.1",
        "1.2",
        "1.3",
        "1.4",
        "1.5",
        "1.6",
        "2.1",
        "2.2",
        "3",
        "4",
        "5",
        "6.1",
        "6.2",
        "V",
    ]
    assert all(event.checks_passed == event.checks for event in finished.values())
    assert all(finished[step].checks for step in ("1.1", "1.6", "2.1", "2.2", "3", "4", "6.1", "6.2", "V"))
    assert outcome.verification is not None
    assert len(outcome.verification.criteria) == 9
    assert outcome.sentence.startswith("FINISHED and verified: 8 of 9 criteria, open: 5")
    assert outcome.open_steps == ("5",)
    assert len(operator.told(CheckFinished)) > 40


def test_a_second_run_changes_nothing(database: Database) -> None:
    Operator(database).engine.run()
    before = database.snapshot()

    outcome = Operator(database).engine.run()

    assert outcome.ending == "done"
    assert outcome.changed is False
    assert_same(before, database.snapshot())


def test_the_log_holds_every_statement_with_rows_duration_and_transaction(database: Database) -> None:
    operator = Operator(database)
    operator.engine.run()

    log = operator.engine.statements()

    assert [entry.sql for entry in log] == [event.sql for event in operator.told(StatementCommitted)]
    assert all(entry.outcome == "committed" and entry.xid and entry.lsn for entry in log)
    assert all(entry.duration_ms is not None and entry.duration_ms >= 0 for entry in log)
    rows = {entry.step: entry.rows for entry in log if entry.rows is not None}
    assert rows == {"1.1": 8, "6.1": 0, "6.2": 40}
    assert {entry.operator for entry in log} == {"ada@workstation"}


def test_a_range_runs_both_ends_and_no_more(database: Database) -> None:
    operator = Operator(database)

    operator.engine.run(last="1.3")
    operator.engine.run(first="1.4", last="1.5")

    states = operator.states()
    assert [step for step, state in states.items() if state == "done"] == ["1.1", "1.2", "1.3", "1.4", "1.5"]


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [("2.1", None, "comes before 2.1 and is not done"), ("9", None, 'no step "9"'), ("3", "1.1", "comes after")],
)
def test_an_impossible_range_is_a_usage_error_and_changes_nothing(
    database: Database, first: str, last: str | None, words: str
) -> None:
    before = database.snapshot()

    with pytest.raises(UsageError, match=words):
        Operator(database).engine.run(first=first, last=last)

    assert_same(before, database.snapshot())


@pytest.mark.parametrize(
    ("variant", "found"),
    [
        ("foreign_owner", "belongs to app_owner"),
        ("bigint_ids", "bigint"),
        ("missing_auth", "auth"),
    ],
)
def test_a_prerequisite_that_is_not_met_stops_before_anything_is_changed(
    make_database: MakeDatabase, variant: str, found: str
) -> None:
    database = make_database(variant)
    before = database.snapshot()

    with pytest.raises(PrerequisiteError) as stopped:
        Operator(database).engine.run()

    assert found in stopped.value.why
    assert stopped.value.fix
    assert_same(before, database.snapshot())


@pytest.mark.parametrize(
    ("taken", "named"),
    [
        ("create table domains (id int)", "table domains"),
        ("create view experts as select 1 as id", "table experts (step 1.2)\n  is        view"),
        ("alter table clones add column rag_enabled int", "column clones.rag_enabled"),
        ("create index idx_clones_rag_status on clones (name)", "index idx_clones_rag_status"),
        ("alter table clones add constraint clones_rag_initialization_status_check check (true)", "constraint clones_"),
        ("create function map_clone_category_to_domain(text) returns text return 'x'", "function map_clone_category"),
        ("create table t (id int constraint domains_pkey primary key)", "index domains_pkey"),
    ],
)
def test_a_name_that_is_taken_stops_before_anything_is_changed(database: Database, taken: str, named: str) -> None:
    database.execute(taken)
    before = database.snapshot()

    with pytest.raises(RefusedError) as refused:
        Operator(database).engine.run()

    assert named in f"{refused.value.what}\n{refused.value.why}"
    assert Operator(database).engine.dry_run().exit_code == ExitCode.REFUSED
    assert_same(before, database.snapshot())


@pytest.mark.parametrize("variants", [("creator_id_uuid",), ("category_enum",), ("creator_id_uuid", "category_enum")])
def test_other_column_types_are_served_and_shown_as_deviations(
    make_database: MakeDatabase, variants: tuple[str, ...]
) -> None:
    database = make_database(*variants)
    before = database.snapshot()
    operator = Operator(database)
    plain = sum(len(step.deviations) for step in Operator(make_database()).engine.survey().steps)

    assert sum(len(step.deviations) for step in operator.engine.survey().steps) == plain + len(variants)
    assert operator.engine.run().ending == "done"
    assert operator.engine.rollback().ending == "done"
    operator.engine.forget()
    assert_same(before, database.snapshot())


@pytest.mark.parametrize("variant", ["no_shared_function", "other_shared_function"])
def test_the_shared_function_is_made_when_absent_and_otherwise_left_alone(
    make_database: MakeDatabase, variant: str
) -> None:
    database = make_database(variant)
    before = database.snapshot()
    operator = Operator(database)

    operator.engine.run(last="1.6")
    operator.engine.rollback()
    operator.engine.forget()

    assert_same(before, database.snapshot())


def test_each_part_takes_one_transaction(database: Database) -> None:
    operator = Operator(database)
    operator.engine.run()

    assert len(operator.told(PartCommitted)) == 12
    parts: dict[str, set[str | None]] = {}
    for entry in operator.engine.statements():
        parts.setdefault(entry.step, set()).add(entry.xid)
    assert all(len(xids) == 1 for xids in parts.values())
    assert len({xid for xids in parts.values() for xid in xids}) == len(parts)


def test_a_database_whose_backfill_would_fire_triggers_needs_a_decision(make_database: MakeDatabase) -> None:
    database = make_database()
    database.execute("revoke set on parameter session_replication_role from postgres", user="supabase_admin")
    try:
        operator = Operator(database)
        with pytest.raises(PrerequisiteError, match="backfill_triggers"):
            operator.engine.run()
        answered = Operator(database, decisions={"backfill_triggers": "fire"})
        assert answered.engine.run().ending == "done"
    finally:
        database.execute("grant set on parameter session_replication_role to postgres", user="supabase_admin")


def test_clones_that_come_later_are_told_and_never_held_against_the_rollout(database: Database) -> None:
    operator = Operator(database)
    operator.engine.run()
    database.execute("insert into clones (creator_id, name, category, rag_enabled) values ('u', 'new', 'ai', null)")
    database.execute(
        "update clones set category = 'legal'"
        " where id = (select id from clones where category = 'medical' order by id limit 1)"
    )

    outcome = Operator(database).engine.run()

    assert outcome.ending == "done"
    assert outcome.verification is not None
    told = {
        row.subject: row.found for check in outcome.verification.checks for row in check.rows if "told" in row.subject
    }
    assert told["newer than step 6.2, told only"] == (
        "2 clones were inserted or changed since and have no mapping or another one"
    )
    assert told["clones with rag_enabled NULL, newer than step 6.1, told only"] == "1"


def test_rights_taken_away_later_fail_the_check_of_step_4(database: Database) -> None:
    operator = Operator(database)
    operator.engine.run()
    database.execute(
        "revoke all on domains, experts, rag_documents, vector_stores, assistants, clone_rag_mapping"
        " from authenticated, service_role"
    )

    failed = [check.id for check in operator.engine.verify().checks if not check.passed]

    assert failed == ["4.objects", "4.grants"]
