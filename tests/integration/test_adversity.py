"""The engine where the database, the registry or the clock is not as it would like them to be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.support.database import Database, assert_same
from tests.support.engine import Operator, at_start_of
from wizard.engine.events import Event, PartCommitted, StepFinished, StepStarted
from wizard.errors import OtherOperatorError, RefusedError, WizardError
from wizard.rollout.load import load_rollout

TINY = Path(__file__).parent.parent / "rollouts" / "tiny"
SUPERUSER = "supabase_admin"


def test_after_a_rollback_that_failed_the_operator_can_go_forward_again(database: Database) -> None:
    operator = Operator(database)
    operator.engine.run()
    at_start_of(operator, "2.2", database, "create view dependent as select rag_document_id from knowledge")
    assert operator.engine.rollback().ending == "failed"

    outcome = Operator(database).engine.run()

    assert outcome.sentence.startswith("FINISHED and verified")


def test_a_failed_rollback_names_what_is_still_there(database: Database) -> None:
    operator = Operator(database)
    operator.engine.run(last="1.1")
    at_start_of(operator, "1.1", database, "create view dependent as select id from domains")

    failure = operator.engine.rollback().failure

    assert failure is not None
    assert "Nothing is rolled out" not in failure.state_now
    assert "1.1 is still there" in failure.state_now


@pytest.mark.parametrize(
    "by_hand",
    ["drop table clone_rag_mapping", "alter table clones drop column rag_config", "drop table domains cascade"],
)
def test_what_somebody_removed_by_hand_does_not_keep_the_rest_from_being_rolled_back(
    database: Database, by_hand: str, tmp_path: Path
) -> None:
    operator = Operator(database, archives=tmp_path)
    operator.engine.run()
    database.execute(by_hand)

    outcome = operator.engine.rollback()

    assert outcome.ending == "done"
    assert database.value("select count(*) from pg_class where relname = 'experts' and relkind = 'r'") == 0


def test_the_order_of_parts_does_not_hang_on_the_servers_clock(database: Database) -> None:
    operator = Operator(database)
    operator.engine.run(last="1.2")
    # The clock is set back by an hour: NTP, a failover, a restored machine.
    database.execute("update rag_wizard.part set intended_at = intended_at + interval '1 hour'")

    operator.engine.rollback(to="1.1")

    assert operator.states()["1.2"] == "rolled_back"
    assert operator.engine.rollback().ending == "done"


def test_a_clone_whose_insert_was_under_way_during_the_backfill_is_no_failure(database: Database) -> None:
    operator = Operator(database)
    operator.engine.run(last="6.1")
    with psycopg.connect(database.conninfo()) as application:
        application.execute(
            "insert into clones select (jsonb_populate_record(null::clones, to_jsonb(c) ||"
            " jsonb_build_object('id', gen_random_uuid(), 'rag_domain_mapping', null))).* from clones c limit 1"
        )

        def commit(event: Event) -> None:
            if isinstance(event, PartCommitted) and event.step == "6.2":
                application.commit()

        operator.listen(commit)
        outcome = operator.engine.run()

    assert outcome.ending == "done"


def test_rolling_step_4_back_takes_only_what_it_granted(database: Database) -> None:
    database.execute("alter default privileges in schema public grant select on tables to authenticated")
    operator = Operator(database)
    operator.engine.run(last="3")
    rights = (
        "select relname, relacl::text from pg_class where relnamespace = 'public'::regnamespace"
        " and relname in ('domains', 'experts') order by 1"
    )
    before = database.query(rights)

    operator.engine.run(last="4")
    operator.engine.rollback(to="3")

    assert database.query(rights) == before


@pytest.mark.parametrize(
    "taken",
    ["clones_rag_initialization_status_check", "experts_clone_id_fkey", "rag_documents_processing_status_check"],
)
def test_a_constraint_name_that_another_table_has_is_a_conflict_found_before(database: Database, taken: str) -> None:
    """Postgres would choose <name>1 in silence: a constraint's chosen name is unique in its schema."""
    database.execute(f"create table other (x text constraint {taken} check (x <> ''))")
    before = database.snapshot()

    with pytest.raises(RefusedError, match=f"constraint {taken} on other"):
        Operator(database).engine.run()

    assert_same(before, database.snapshot())


@pytest.mark.parametrize(
    ("taken", "words", "found"),
    [
        ("create type experts as enum ('a', 'b')", "enum type experts", "enum type of 'a', 'b'"),
        ("create domain assistants as text", "domain assistants", "domain over text"),
        (
            "create view domains_domain_name_key as select 1",
            "view domains_domain_name_key",
            "view domains_domain_name_key",
        ),
    ],
)
def test_a_name_that_is_needed_is_a_conflict_wherever_one_looks(
    database: Database, taken: str, words: str, found: str
) -> None:
    database.execute(taken)
    before = database.snapshot()
    engine = Operator(database).engine

    survey, dry = engine.survey(), engine.dry_run()
    with pytest.raises(RefusedError, match=words) as refused:
        engine.run()

    conflicts = [conflict for step in survey.steps for conflict in step.conflicts]
    assert [(one.words, one.found) for one in conflicts] == [(words, found)]
    assert survey.sentence.startswith("CONFLICT in ")
    assert [conflict for step in dry.would_run for conflict in step.conflicts] == conflicts
    assert dry.exit_code == 7
    assert f"is        {found}" in refused.value.why
    assert_same(before, database.snapshot())


@pytest.mark.parametrize(
    "setting",
    [
        "datestyle = 'German, DMY'",
        "datestyle = 'SQL, MDY'",
        "quote_all_identifiers = on",
        "idle_session_timeout = '5s'",
    ],
)
def test_settings_of_the_database_do_not_reach_us(database: Database, setting: str) -> None:
    database.execute(f"alter database {database.name} set {setting}", user=SUPERUSER)

    assert Operator(database).engine.run().sentence.startswith("FINISHED and verified")
    assert Operator(database).engine.survey().finished


@pytest.mark.parametrize("look", ["status", "rollback_plan", "forget", "run"])
def test_a_locked_registry_is_not_called_a_failed_connection(database: Database, look: str) -> None:
    operator = Operator(database, lock_timeout_ms=50)
    looks: dict[str, Callable[[], object]] = {
        "status": operator.engine.survey,
        "rollback_plan": operator.engine.rollback_plan,
        "forget": operator.engine.forget,
        "run": operator.engine.run,
    }
    operator.engine.run(last="1.1")
    with psycopg.connect(database.conninfo()) as other:
        other.execute("lock table rag_wizard.rollout")
        with pytest.raises(WizardError) as stopped:
            looks[look]()

    assert stopped.value.exit_code == 6
    assert "connect" not in stopped.value.what.lower()


def test_a_locked_table_is_not_called_a_failed_connection_when_rows_are_counted(database: Database) -> None:
    operator = Operator(database, lock_timeout_ms=50)
    operator.engine.run()
    with psycopg.connect(database.conninfo()) as other:
        other.execute("lock table clones")
        with pytest.raises(WizardError) as stopped:
            operator.engine.rollback_plan()

    assert stopped.value.exit_code == 6


@pytest.mark.parametrize(
    "schema",
    ["create schema rag_wizard", "create schema rag_wizard; create table rag_wizard.rollout (mine int)"],
)
def test_a_schema_of_that_name_that_is_no_registry_is_told_and_never_dropped(database: Database, schema: str) -> None:
    database.execute(schema)
    before = database.snapshot()
    operator = Operator(database)

    for attempt in (operator.engine.survey, operator.engine.run, lambda: operator.engine.forget(keep_objects=True)):
        with pytest.raises(WizardError, match="rag_wizard"):
            attempt()

    assert_same(before, database.snapshot())


def test_a_registry_that_vanishes_in_mid_run_is_told_in_words(database: Database) -> None:
    operator = Operator(database)

    def drop(event: Event) -> None:
        if isinstance(event, StepFinished) and event.step == "1.3":
            database.execute("drop schema rag_wizard cascade")

    operator.listen(drop)

    with pytest.raises(WizardError, match="rag_wizard"):
        operator.engine.run()


def test_a_server_that_refuses_the_registry_is_told_in_words(database: Database) -> None:
    database.execute(
        "create function refuse() returns event_trigger language plpgsql as"
        " $$begin raise exception 'no DDL today'; end$$;"
        " create event trigger refuse on ddl_command_end execute function refuse()",
        user=SUPERUSER,
    )

    with pytest.raises(WizardError, match="no DDL today"):
        Operator(database).engine.run()


def test_forget_does_not_take_the_registry_from_a_run_in_another_schema(database: Database) -> None:
    database.execute('create schema "App 2"')
    operator = Operator(database, load_rollout(TINY), schema="App 2")
    refused: list[WizardError] = []

    def forget(event: Event) -> None:
        if isinstance(event, StepStarted) and not refused:
            try:
                Operator(database).engine.forget()
            except (OtherOperatorError, RefusedError) as error:
                refused.append(error)

    operator.listen(forget)

    assert operator.engine.run().ending == "done"
    assert refused


def test_a_role_that_inherits_nothing_from_the_owner_is_told_so(database: Database) -> None:
    Operator(database).engine.run(last="1.1")
    database.execute("drop role if exists heir; create role heir login noinherit in role postgres", user=SUPERUSER)
    database.execute(f"alter role heir password '{database.password}'", user=SUPERUSER)

    try:
        with pytest.raises(WizardError, match="registry") as stopped:
            Operator(database, user="heir").engine.survey()
    finally:
        database.execute("drop role heir", user=SUPERUSER)

    assert stopped.value.exit_code == 4


def test_a_dry_run_of_an_impossible_range_ends_as_the_run_would(database: Database) -> None:
    operator = Operator(database)
    with pytest.raises(WizardError) as real:
        operator.engine.run(first="3")

    try:
        code = int(operator.engine.dry_run(first="3").exit_code)
    except WizardError as error:
        code = int(error.exit_code)

    assert code == int(real.value.exit_code)
