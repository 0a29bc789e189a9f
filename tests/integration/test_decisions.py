"""Each decision of the built-in rollout on a real server: default, answers, what is refused, what is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.conftest import MakeDatabase
from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from tests.support.series import sampled
from wizard.errors import ExitCode, PrerequisiteError, RefusedError, UsageError

ADMIN = "supabase_admin"
HISTORY = (
    "create table history (like clones); alter table history owner to postgres;"
    " create function keep_history() returns trigger language plpgsql as"
    " 'begin insert into public.history select old.*; return new; end';"
    " create trigger keep_history before update on clones for each row execute function keep_history()"
)
ALWAYS = "alter table clones enable always trigger clones_changed"
PUBLISHED = "alter publication supabase_realtime add table clones"
MANY = f"{PUBLISHED}; update pg_class set reltuples = 20000 where oid = 'public.clones'::regclass"
NEVER_ANALYSED = f"{MANY}; update pg_class set reltuples = -1, relpages = 0 where oid = 'public.clones'::regclass"
PARTIAL = "alter default privileges for role postgres in schema public grant select on tables to authenticated"
REPLICA_RULE = "create rule seen as on update to clones do also nothing; alter table clones enable replica rule seen"


@dataclass(frozen=True)
class Case:
    """A database on which the decision `name` applies."""

    name: str
    step: str
    answer: str
    setup: str = ""
    variant: str = ""
    default: str = ""

    def database(self, make_database: MakeDatabase) -> Database:
        """A fresh one."""
        database = make_database(self.variant) if self.variant else make_database()
        if self.setup:
            database.execute(f"set allow_system_table_mods = on; set search_path = public; {self.setup}", user=ADMIN)
        return database


WITH_DEFAULT = [
    Case("shared_function", "1.1", "keep", variant="other_shared_function", default="keep"),
    Case("grants", "4", "skip", default="grant"),
    Case("grants", "4", "skip", setup=PARTIAL, default="grant"),
    Case("published_backfill", "6.2", "send", setup=PUBLISHED, default="send"),
]
WITHOUT_DEFAULT = [
    Case("whole_row_triggers", "2.1", "accept", setup=HISTORY),
    Case("backfill_witnesses", "6.1", "act", setup=ALWAYS),
    Case("backfill_witnesses", "6.1", "act", setup=REPLICA_RULE),
    Case("published_backfill", "6.2", "send", setup=MANY),
    Case("published_backfill", "6.2", "send", setup=NEVER_ANALYSED + "; insert into clones (creator_id, name)"
         " select 'u', 'c' from generate_series(1, 6000)"),
]  # fmt: skip


def recorded(database: Database) -> dict[str, str]:
    """The answers that the registry holds."""
    decisions: dict[str, str] = database.value("select decisions from rag_wizard.rollout")
    return decisions


@pytest.mark.parametrize("case", WITH_DEFAULT, ids=lambda case: f"{case.name} {case.variant}{case.setup[:12]}")
def test_a_default_is_taken_reported_and_recorded(make_database: MakeDatabase, case: Case) -> None:
    database = case.database(make_database)
    operator = Operator(database)

    survey = operator.engine.survey()
    assert survey.facts[case.name] == case.default
    assert [step.id for step in survey.steps if case.name in {d.name for d in step.decisions}] == [case.step]
    assert case.name not in {decision.name for decision in survey.open_decisions}

    assert operator.engine.run(last="1.1").ending == "done"
    assert recorded(database)[case.name] == case.default


@pytest.mark.parametrize("case", WITHOUT_DEFAULT, ids=lambda case: f"{case.name} {case.setup[-12:]}")
def test_without_a_default_a_run_stops_and_names_it_until_it_is_answered(
    make_database: MakeDatabase, case: Case
) -> None:
    database = case.database(make_database)
    before = database.snapshot()

    assert Operator(database).engine.dry_run().exit_code == ExitCode.PREREQUISITES
    with pytest.raises(PrerequisiteError, match=f"a decision is missing: {case.name}") as stopped:
        Operator(database).engine.run()
    assert f"--decide {case.name}={case.answer}" in stopped.value.fix
    assert "Nothing was changed" in stopped.value.why
    assert stopped.value.exit_code == ExitCode.PREREQUISITES
    assert_same(before, database.snapshot())

    answered = Operator(database, decisions={case.name: case.answer})
    assert answered.engine.dry_run().exit_code == ExitCode.DONE
    assert answered.engine.run(last="1.1").ending == "done"
    assert recorded(database)[case.name] == case.answer


@pytest.mark.parametrize("case", [WITH_DEFAULT[0], WITH_DEFAULT[1], WITHOUT_DEFAULT[0]], ids=lambda case: case.name)
def test_another_answer_is_refused_before_and_after_it_was_recorded(make_database: MakeDatabase, case: Case) -> None:
    database = case.database(make_database)
    before = database.snapshot()

    with pytest.raises(UsageError, match=f'"perhaps" is no answer to decision "{case.name}"'):
        Operator(database, decisions={case.name: "perhaps"}).engine.run()
    assert_same(before, database.snapshot())

    Operator(database, decisions={case.name: case.answer}).engine.run(last="1.1")
    with pytest.raises(RefusedError, match=f'"{case.name}" was answered "{case.answer}" .* not "perhaps"'):
        Operator(database, decisions={case.name: "perhaps"}).engine.run()
    assert Operator(database, decisions={case.name: case.answer}).engine.run(last="1.2").ending == "done"


# What the answers do.


def test_an_always_trigger_acts_once_for_every_clone_and_the_others_stay_still(database: Database) -> None:
    database.execute(ALWAYS, user=ADMIN)
    before = database.query("select id, updated_at from clones order by id")

    outcome = Operator(database, decisions={"backfill_witnesses": "act"}).engine.run()

    assert outcome.ending == "done"
    assert database.value("select count(*) from supabase_functions.hooks") == 40
    assert database.query("select id, updated_at from clones order by id") == before


@contextmanager
def unable_to_hold_back(database: Database) -> Iterator[None]:
    """For the whole server: postgres may not set session_replication_role."""
    database.execute("revoke set on parameter session_replication_role from postgres", user=ADMIN)
    try:
        yield
    finally:
        database.execute("grant set on parameter session_replication_role to postgres", user=ADMIN)


@pytest.mark.parametrize(
    ("setup", "asked"),
    sampled(
        [
            ("", {"backfill_triggers"}),
            ("drop trigger clones_changed on clones; drop function update_updated_at_column() cascade", set()),
            (
                "drop trigger clones_changed on clones; drop function update_updated_at_column() cascade;"
                " create rule seen as on update to clones do also nothing",
                {"backfill_triggers"},
            ),
            # What only acts while the others are held back never acts here.
            (
                "drop trigger clones_changed on clones; drop function update_updated_at_column() cascade;"
                " create rule seen as on update to clones do also nothing; alter table clones enable replica rule seen",
                set(),
            ),
            # A list of columns that 6.1 fills and that were there before.
            (
                "drop function update_updated_at_column() cascade; alter table clones add rag_config jsonb;"
                " drop trigger clones_changed on clones;"
                " create trigger clones_changed after update of rag_config on clones for each row"
                " execute function supabase_functions.http_request('u', 'POST', '{}', '{}', '1')",
                {"backfill_triggers"},
            ),
        ]
    ),
)
def test_where_nothing_can_be_held_back_triggers_and_rules_that_would_act_are_asked_about(
    database: Database, setup: str, asked: set[str]
) -> None:
    if setup:
        database.execute(f"set search_path = public; {setup}", user=ADMIN)
    with unable_to_hold_back(database):
        survey = Operator(database).engine.survey()
    assert {decision.name for decision in survey.open_decisions} == asked


@pytest.mark.parametrize(
    ("setup", "rows"),
    sampled(
        [
            ("", "none"),
            (PUBLISHED, "few"),
            (MANY, "many"),
            ("alter publication supabase_realtime add table knowledge", "none"),
            (
                "alter publication supabase_realtime add table knowledge;"
                " alter table knowledge add rag_processing_status text",
                "few",
            ),
            ("create publication everything for all tables", "few"),
            ("create publication inserts for table clones with (publish = 'insert')", "none"),
        ]
    ),
)
def test_rows_that_a_publication_would_send(database: Database, setup: str, rows: str) -> None:
    if setup:
        database.execute(f"set allow_system_table_mods = on; set search_path = public; {setup}", user=ADMIN)
    assert Operator(database).engine.survey().facts["published_rows"] == rows


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        ("insert into history select (new).*; return new;", True),
        ("declare r knowledge % rowtype; begin r := old; return new; end;", True),
        ("insert into history (id) values (old.id); return new;", False),
        # Functions that it calls are not looked into, and the words say so.
        ("perform note_history(to_jsonb(old)); return new;", False),
    ],
)
def test_whole_rows_are_found_in_a_trigger_functions_own_text(database: Database, body: str, asks: bool) -> None:
    body = body if body.startswith("declare") else f"begin {body} end"
    database.execute(
        f"create function keep_history() returns trigger language plpgsql as $$ {body} $$;"
        " create trigger keep_history before delete on knowledge for each row execute function keep_history()"
    )
    operator = Operator(database)

    assert operator.engine.survey().facts["whole_row_copies"] == ("some" if asks else "none")
    result = next(result for result in operator.engine.check() if result.id == "whole-row-triggers")
    assert result.level == ("warn" if asks else "pass")
    assert ("also what it calls" in result.fix) if asks else ("not looked into" in result.found)


def test_tables_that_inherit_count_with_the_table_that_is_updated(database: Database) -> None:
    """An update of clones reaches their rows, row triggers and publications, but no statement trigger of theirs."""
    database.execute(
        "set search_path = public; create table former_clones () inherits (clones);"
        " create function seen() returns trigger language plpgsql as 'begin return new; end';"
        " create trigger seen after update on former_clones for each statement execute function seen();"
        " alter table former_clones enable always trigger seen; alter table former_clones owner to postgres",
        user=ADMIN,
    )
    assert Operator(database).engine.survey().facts["replica_witnesses"] == "none"
    database.execute(
        "create trigger seen_row after update on former_clones for each row execute function seen();"
        " alter table former_clones enable always trigger seen_row; create publication p for table only former_clones",
        user=ADMIN,
    )

    operator = Operator(database)

    assert operator.engine.survey().facts["replica_witnesses"] == "some"
    assert operator.engine.survey().facts["published_rows"] == "few"
    found = next(result.found for result in operator.engine.check() if result.id == "backfill-witnesses")
    assert "former_clones.seen_row" in found
    assert "publication p sends each updated row of former_clones" in found


def test_missing_rights_are_granted_where_some_are_there(database: Database) -> None:
    database.execute(PARTIAL)
    before = database.snapshot()
    operator = Operator(database)

    assert operator.engine.survey().facts["api_grants"] == "partial"
    assert operator.engine.run().ending == "done"
    assert database.value("select has_table_privilege('authenticated', 'public.experts', 'DELETE')") is True
    assert database.value("select has_table_privilege('authenticated', 'public.domains', 'INSERT')") is False
    operator.engine.rollback()
    operator.engine.forget()
    assert_same(before, database.snapshot())


def test_missing_rights_can_be_declined_where_some_are_there(database: Database) -> None:
    database.execute(PARTIAL)

    assert Operator(database, decisions={"grants": "skip"}).engine.run().ending == "done"

    assert database.value("select has_table_privilege('authenticated', 'public.experts', 'SELECT')") is True
    assert database.value("select has_table_privilege('authenticated', 'public.experts', 'DELETE')") is False


@pytest.mark.parametrize("case", WITHOUT_DEFAULT[:1], ids=lambda case: case.name)
def test_an_answer_that_nobody_asked_for_changes_nothing(database: Database, case: Case) -> None:
    operator = Operator(database, decisions={case.name: case.answer})

    assert operator.engine.run(last="1.1").ending == "done"
    assert case.name not in recorded(database)
