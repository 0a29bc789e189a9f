"""What others built on objects that a rollback is about to drop: every kind of it, and nothing else."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.conftest import MakeDatabase
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.foreign_objects import CASES, OUTSIDER, Case
from tests.support.guide import GUIDE
from tests.support.series import sampled
from wizard.db.connect import connect
from wizard.demo.server import SUPERUSER
from wizard.engine.looking.dependents import Dependent, ObjectRef, dependents_words, find_dependents

TABLES = ("clone_rag_mapping", "assistants", "vector_stores", "rag_documents", "experts", "domains")
COLUMNS = {
    "clones": (*("rag_enabled", "rag_initialization_status", "rag_expert_name", "rag_domain_mapping", "rag_config"),),
    "knowledge": ("rag_processing_status", "rag_document_id", "openai_file_id", "rag_error_message"),
}
FUNCTIONS = ("map_clone_category_to_domain(text)", "update_updated_at_column()")

ON_TABLES = """
select kind, of_table, name
from (
    select 'constraint' as kind, conrelid, conname::text from pg_catalog.pg_constraint
    where contype <> 'n'
    union all select 'index', indrelid, i.relname
    from pg_catalog.pg_index join pg_catalog.pg_class i on i.oid = indexrelid
    union all select 'trigger', tgrelid, tgname from pg_catalog.pg_trigger where not tgisinternal
    union all select 'policy', polrelid, polname from pg_catalog.pg_policy
    union all select 'column', attrelid, attname from pg_catalog.pg_attribute where attnum > 0 and not attisdropped
    union all select 'table', oid, relname from pg_catalog.pg_class where relkind in ('r', 'p')
) as things (kind, relation, name)
cross join lateral (
    select relname::text, relnamespace from pg_catalog.pg_class where oid = relation
) as at (of_table, namespace)
where namespace = %s::regnamespace
"""

DROPS = (
    *(f"alter table {table} " + ", ".join(f"drop column {c}" for c in columns) for table, columns in COLUMNS.items()),
    f"drop table {', '.join(TABLES)}",
    *(f"drop function {function}" for function in FUNCTIONS),
)
"""What a rollback comes to: never with CASCADE."""


@pytest.fixture
def rolled_out(make_database: MakeDatabase) -> Database:
    """The guide's own SQL, run by psql where no shared function was, and a role with a schema of its own."""
    database = make_database("no_shared_function")
    database.psql(GUIDE, single_transaction=True)
    database.psql(OUTSIDER, user=SUPERUSER)
    return database


def items_of(database: Database, schema: str = "public") -> list[ObjectRef]:
    """Everything that the guide makes, read from a database in which nobody else did anything."""
    found = [
        ObjectRef(kind, table, name)
        for kind, table, name in database.query(ON_TABLES, [sql.Identifier(schema).as_string()])
        if table in TABLES or (kind == "column" and name in COLUMNS.get(table, ())) or "rag_" in name
    ]
    return [*found, *(ObjectRef("function", "", name) for name in FUNCTIONS)]


def dependents_of(database: Database, items: list[ObjectRef], schema: str = "public") -> tuple[Dependent, ...]:
    with connect(database.target(), schema=schema, read_only=True) as connection:
        return find_dependents(connection, schema, items)


def server_refuses(database: Database, schema: str = "public") -> bool:
    """Whether dropping it all, in a transaction that is rolled back, ends at something that depends on it."""
    with database.connect(autocommit=False) as connection:
        connection.execute(sql.SQL("set local search_path = {}").format(sql.Identifier(schema)))
        try:
            for statement in DROPS:
                connection.execute(statement.encode())
        except psycopg.errors.DependentObjectsStillExist:
            return True
        finally:
            connection.rollback()
    return False


def test_a_finished_rollout_has_no_dependents_and_the_server_agrees(rolled_out: Database) -> None:
    items = items_of(rolled_out)

    assert len([item for item in items if item.kind == "table"]) == 6
    assert len([item for item in items if item.kind == "column" and item.table in COLUMNS]) == 9
    assert len([item for item in items if item.kind == "policy"]) == 21
    assert dependents_of(rolled_out, items) == ()
    assert not server_refuses(rolled_out)


def test_a_run_of_the_wizard_has_no_dependents_either(make_database: MakeDatabase) -> None:
    database = make_database("no_shared_function")
    Operator(database, strategy="online").engine.run()

    items = items_of(database)

    assert len([item for item in items if item.kind == "policy"]) == 21
    assert dependents_of(database, items) == ()


@pytest.mark.parametrize("case", sampled(CASES, 12), ids=lambda case: str(case.id))
def test_what_somebody_else_built_is_listed_as_the_server_would_treat_it(rolled_out: Database, case: Case) -> None:
    items = items_of(rolled_out)
    rolled_out.execute(f"set role {case.by}; {case.made}")

    found = dependents_of(rolled_out, items)

    would = "stops the drop" if case.stops else "would be dropped with it"
    assert [(one.kind, one.name, one.on, one.would) for one in found] == [(case.kind, case.name, case.on, would)]
    assert server_refuses(rolled_out) == case.stops
    assert (
        f"; keep {'what you need of it' if case.kind == 'column' else 'its definition'}, then: {found[0].fix}"
        in (dependents_words(found)[0])
    )

    rolled_out.execute(found[0].fix)
    assert dependents_of(rolled_out, items) == ()
    assert not server_refuses(rolled_out)


def test_dependents_of_dependents_are_listed_before_what_they_hold(rolled_out: Database) -> None:
    items = items_of(rolled_out)
    rolled_out.execute(
        "set role analyst; create view reporting.a as select id, domain from public.experts;"
        "create materialized view reporting.c as select domain from reporting.a;"
        "create view reporting.b as select c.domain, d.id"
        " from reporting.c join public.domains d on d.domain_name = c.domain;"
        "create function reporting.d() returns bigint begin atomic select count(*) from reporting.b; end;"
        "alter table reporting.notes alter column id set default reporting.d();"
        "reset role; alter table experts add column note text check (note <> '');"
        "create index experts_by_note on experts (note); create view reporting.e as select note from experts"
    )

    found = dependents_of(rolled_out, items)

    assert {one.name: one.on for one in found if one.name.startswith(("reporting.", "for "))} == {
        "for reporting.notes.id": "function reporting.d()",
        "reporting.d()": "view reporting.b",
        "reporting.b": "table domains",
        "reporting.c": "view reporting.a",
        "reporting.a": "table experts",
        "reporting.e": "table experts",
    }
    assert {one.name for one in found if one.would == "would be dropped with it"} == {
        *("public.experts.note", "public.experts_by_note", "experts_note_check on public.experts"),
    }
    for one in found:
        rolled_out.execute(one.fix)
    assert dependents_of(rolled_out, items) == ()
    assert not server_refuses(rolled_out)


def test_a_view_and_a_function_that_need_each_other_are_both_listed(rolled_out: Database) -> None:
    rolled_out.execute(
        "create view circle as select id, 0::bigint as number from experts;"
        "create function around() returns bigint begin atomic select count(*) from circle; end;"
        "create or replace view circle as select id, around() as number from experts"
    )

    found = dependents_of(rolled_out, items_of(rolled_out))

    assert {one.name for one in found} == {"public.circle", "public.around()"}


def test_what_a_rollback_keeps_has_no_dependents(rolled_out: Database) -> None:
    rolled_out.execute(
        "create view overview as select * from rag_documents; create view all_clones as select * from clones"
    )

    found = dependents_of(rolled_out, [ObjectRef("table", "experts", ""), ObjectRef("column", "clones", "rag_config")])

    assert [(one.name, one.on) for one in found if one.kind == "view"] == [
        ("public.all_clones", "column clones.rag_config")
    ]


def test_items_of_a_table_count_for_themselves_where_the_table_stays(rolled_out: Database) -> None:
    rolled_out.execute(
        "alter table reporting.notes add constraint of_domain foreign key (category) references domains (domain_name)"
    )

    found = dependents_of(rolled_out, [ObjectRef("constraint", "domains", "domains_domain_name_key")])

    assert {(one.kind, one.on, one.would) for one in found} == {
        ("foreign key", "constraint domains_domain_name_key on domains", "stops the drop")
    }
    assert {one.name for one in found} == {
        *(
            "fk_domain on public.experts",
            "fk_domain on public.rag_documents",
            "fk_vector_domain on public.vector_stores",
        ),
        *("fk_assistant_domain on public.assistants", "fk_mapping_domain on public.clone_rag_mapping"),
        "of_domain on reporting.notes",
    }


def test_items_that_are_gone_are_passed_over(rolled_out: Database) -> None:
    items = items_of(rolled_out)
    for statement in DROPS:
        rolled_out.execute(statement)
    elsewhere = ObjectRef("function", "", "no such thing(")

    assert dependents_of(rolled_out, [*items, elsewhere, ObjectRef("grant", "experts", "anon: SELECT")]) == ()
    assert dependents_of(rolled_out, []) == ()


def test_another_schema_with_an_awkward_name_is_read_and_public_is_left_out(make_database: MakeDatabase) -> None:
    schema = 'Clone "AI"'
    database = make_database("no_shared_function")
    database.psql(GUIDE, single_transaction=True)
    public = items_of(database)
    database.execute(
        sql.SQL("create schema {0}; alter table clones set schema {0}; alter table knowledge set schema {0};").format(
            sql.Identifier(schema)
        )
    )
    for table in TABLES:
        database.execute(sql.SQL("alter table {} set schema {}").format(sql.Identifier(table), sql.Identifier(schema)))
    for function in FUNCTIONS:
        database.execute(sql.SQL("alter function {} set schema {}").format(sql.SQL(function), sql.Identifier(schema)))
    items = items_of(database, schema)
    assert sorted(map(repr, items)) == sorted(map(repr, public))
    assert dependents_of(database, items, schema) == ()

    database.execute(
        "create table experts (name text); create view old as select * from experts;"
        'create view "Clone ""AI"""."My View" as select * from "Clone ""AI""".experts;'
        'alter table "Clone ""AI""".experts add column "Rank %" int;'
        'create trigger "On Change" before update on experts'
        ' for each row execute function "Clone ""AI""".update_updated_at_column()'
    )
    found = dependents_of(database, items, schema)

    assert {(one.kind, one.name, one.on) for one in found} == {
        ("view", '"Clone ""AI"""."My View"', "table experts"),
        ("column", '"Clone ""AI""".experts."Rank %"', "table experts"),
        ("trigger", '"On Change" on public.experts', "function update_updated_at_column()"),
    }
    for one in found:
        database.execute(one.fix)
    assert dependents_of(database, items, schema) == ()
    assert not server_refuses(database, schema)


def test_a_table_that_inherits_is_let_go_and_never_dropped(rolled_out: Database) -> None:
    rolled_out.execute(
        "create table old_experts (retired date) inherits (experts); create table oldest () inherits (old_experts);"
        "create view retired as select * from old_experts"
    )

    found = dependents_of(rolled_out, items_of(rolled_out))

    assert [one.fix for one in found] == ["ALTER TABLE public.old_experts NO INHERIT public.experts;"]
    assert found[0].would == "stops the drop"


def test_a_partition_that_somebody_added_to_a_partitioned_table_is_let_go(database: Database) -> None:
    database.execute(
        "create table visits (day date not null, note text) partition by range (day);"
        "create index by_day on visits (day);"
        "create table visits_2026 partition of visits for values from ('2026-01-01') to ('2027-01-01');"
        "create table visits_2027 partition of visits for values from ('2027-01-01') to ('2028-01-01');"
        "create view new_notes as select note from visits_2027"
    )
    items = [
        *(ObjectRef("table", name, "") for name in ("visits", "visits_2026")),
        *(ObjectRef("column", table, name) for table in ("visits", "visits_2026") for name in ("day", "note")),
        ObjectRef("index", "visits", "by_day"),
    ]

    assert [(one.kind, one.name, one.on, one.would, one.fix) for one in dependents_of(database, items)] == [
        (
            *("partition", "public.visits_2027", "table visits", "would be dropped with it"),
            "ALTER TABLE public.visits DETACH PARTITION public.visits_2027;",
        )
    ]


PARTITIONED = """
create table readings (id uuid, rag_enabled boolean, rag_status text constraint known check (rag_status <> ''))
    partition by hash (id);
create table readings_0 partition of readings for values with (modulus 2, remainder 0);
create table readings_1
    (note text, rag_status text constraint known check (rag_status <> ''), rag_enabled boolean, id uuid);
alter table readings_1 drop column note;
alter table readings attach partition readings_1 for values with (modulus 2, remainder 1);
create index readings_enabled on readings (rag_enabled);
"""


def test_partitions_carry_their_parent_s_items(database: Database) -> None:
    database.execute(PARTITIONED)
    items = [
        *(ObjectRef("column", "readings", name) for name in ("rag_enabled", "rag_status")),
        *(ObjectRef("constraint", "readings", "known"), ObjectRef("index", "readings", "readings_enabled")),
    ]
    assert dependents_of(database, items) == ()

    database.execute(
        "create index one_only on readings_1 (rag_status); create index every_one on readings (id, rag_status);"
        "create view first_half as select rag_enabled from readings_0;"
        "alter table readings add constraint told check (rag_enabled or rag_status <> ''),"
        " add column enabled boolean generated always as (rag_enabled) stored"
    )
    found = dependents_of(database, items)

    assert {(one.kind, one.name, one.on, one.would) for one in found} == {
        ("index", "public.one_only", "column readings.rag_status", "would be dropped with it"),
        ("index", "public.every_one", "column readings.rag_status", "would be dropped with it"),
        ("view", "public.first_half", "column readings.rag_enabled", "stops the drop"),
        ("column", "public.readings.enabled", "column readings.rag_enabled", "stops the drop"),
        (
            *("constraint", "told on public.readings"),
            *("column readings.rag_enabled, column readings.rag_status", "would be dropped with it"),
        ),
    }
    for one in found:
        database.execute(one.fix)
    assert dependents_of(database, items) == ()


def test_words_say_what_would_happen_and_what_to_do() -> None:
    def words(**values: Any) -> str:
        return dependents_words([Dependent.model_validate(values)])[0]

    assert words(
        kind="view", name="public.v", on="table experts", would="stops the drop", fix="DROP VIEW public.v;"
    ) == ("view public.v depends on table experts and stops the drop; keep its definition, then: DROP VIEW public.v;")
    assert words(
        kind="column",
        name="public.experts.note",
        on="table experts",
        would="would be dropped with it",
        fix="ALTER TABLE public.experts DROP COLUMN note;",
    ) == (
        "column public.experts.note depends on table experts and would be dropped with it, its values included;"
        " keep what you need of it, then: ALTER TABLE public.experts DROP COLUMN note;"
    )
    assert words(
        kind="publication",
        name="public.clones in publication realtime",
        on="column clones.rag_enabled",
        would="stops the drop",
        fix="ALTER PUBLICATION realtime DROP TABLE public.clones;",
    ) == (
        "public.clones in publication realtime depends on column clones.rag_enabled and stops the drop;"
        " keep its definition, then: ALTER PUBLICATION realtime DROP TABLE public.clones;"
        " Then add the table again without it."
    )


def test_words_hold_no_control_character_and_no_statement_that_would_name_something_else(rolled_out: Database) -> None:
    rolled_out.execute('create view "red\x1b[31m\nview" as select id from experts')

    found = dependents_of(rolled_out, items_of(rolled_out))

    assert found[0].fix == 'DROP VIEW public."red\x1b[31m\nview";'
    assert dependents_words(found) == [
        'view public."red\\x1b[31m view" depends on table experts and stops the drop;'
        " keep its definition, then change or drop it yourself"
    ]
