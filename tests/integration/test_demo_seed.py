"""What the demo's database claims to be: Supabase's roles and rights, and an application with realistic rows."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from psycopg import sql

from tests.support.cluster import Cluster
from tests.support.database import Database, assert_same
from tests.support.guide import guide_step
from wizard.demo.seed import seed_database

MakeDatabase = Callable[..., Database]

API_ROLES = ("anon", "authenticated", "service_role")


def as_role(database: Database, role: str, statement: str, *, subject: str = "") -> list[tuple[object, ...]]:
    """Rows of one statement as the API would send it: a role, and the claims of a request."""
    with database.connect(autocommit=False) as conn:
        claims = f'{{"sub": "{subject}", "role": "{role}"}}' if subject else "{}"
        conn.execute("select set_config('request.jwt.claims', %s, true)", [claims])
        conn.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        cursor = conn.execute(statement.encode())
        return cursor.fetchall() if cursor.description else [(cursor.rowcount,)]


def test_categories_are_the_guides_seven_and_the_odd_ones_it_forgets(database: Database) -> None:
    found = dict(database.query("select category, count(*) from clones group by category"))
    assert found == {
        "medical": 6,
        "business": 7,
        "education": 5,
        "finance": 4,
        "coaching": 4,
        "legal": 3,
        "ai": 4,
        None: 2,
        "Medical ": 1,
        "AI": 1,
        "gaming": 1,
        "": 1,
        "lifestyle": 1,
    }


def test_knowledge_is_about_twice_as_large_and_every_row_has_its_clone(make_database: MakeDatabase) -> None:
    database = make_database(rows=300)
    assert database.value("select count(*) from clones") == 300
    assert 550 <= database.value("select count(*) from knowledge") <= 650
    orphans = "select count(*) from knowledge k where not exists (select from clones c where c.id = k.clone_id)"
    assert database.value(orphans) == 0
    strangers = "select count(*) from clones where creator_id not in (select user_id from user_profiles)"
    assert database.value(strangers) == 0


def test_the_same_size_gives_the_same_database_to_the_last_byte(cluster: Cluster, make_database: MakeDatabase) -> None:
    first, second = make_database(), make_database()
    second.execute(sql.SQL("drop schema public cascade"), user="supabase_admin")
    name = sql.Identifier(second.name)
    cluster.drop(second)
    cluster.admin.execute(
        sql.SQL("create database {} template template0 owner postgres").format(name), user="supabase_admin"
    )
    seed_database(cluster.server, second.name, rows=40)
    assert_same(first.snapshot(), second.snapshot())


def test_the_server_knows_its_tables_sizes(database: Database) -> None:
    sizes = dict(
        database.query("select relname, reltuples::int from pg_class where relname in ('clones', 'knowledge')")
    )
    assert sizes == {"clones": 40, "knowledge": database.value("select count(*) from knowledge")}


def test_postgres_is_no_superuser_but_may_create_in_database_and_schema(database: Database) -> None:
    rights = "rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"
    found = database.query(f"select {rights} from pg_roles where rolname = 'postgres'")
    assert found == [(False, True, True, True, True)]
    assert database.value("select has_database_privilege(current_database(), 'create')")
    assert database.value("select has_schema_privilege('public', 'create')")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute("alter role postgres superuser")
    for role in API_ROLES:
        assert as_role(database, role, "select current_user") == [(role,)]


def test_application_objects_belong_to_postgres(database: Database) -> None:
    owners = database.query(
        "select distinct relowner::regrole::text from pg_class where relnamespace = 'public'::regnamespace"
    )
    assert owners == [("postgres",)]


@pytest.mark.parametrize(("variants", "allowed"), [((), False), (("old_grants",), True)])
def test_api_roles_get_rights_on_new_tables_only_in_the_old_state(
    make_database: MakeDatabase, variants: tuple[str, ...], allowed: bool
) -> None:
    database = make_database(*variants)
    database.execute("create table brand_new (id int)")
    rights = "select has_table_privilege(%s, 'brand_new', %s)"
    for role in API_ROLES:
        for right in ("select", "insert", "update", "delete"):
            assert database.value(rights, [role, right]) is allowed, (role, right)
        # What the opt-out leaves behind in both states.
        assert database.value(rights, [role, "truncate"]) is True
        assert database.value("select has_table_privilege(%s, 'clones', 'select')", [role]) is True


def test_the_webhook_fires_on_an_update_and_its_token_is_in_the_catalog(database: Database) -> None:
    hooks = "select hook_name, count(*) from supabase_functions.hooks group by 1"
    assert database.query(hooks) == []
    database.execute("update clones set bio = bio")
    assert database.query(hooks) == [("clones_changed", 40)]
    arguments = "select encode(tgargs, 'escape') from pg_trigger where tgname = 'clones_changed'"
    assert "Bearer demo-webhook-token" in database.value(arguments)


def test_postgres_can_hold_triggers_back_for_one_transaction(database: Database) -> None:
    stamp = "select max(updated_at) from clones"
    before = database.value(stamp)
    with database.connect() as conn, conn.transaction():
        conn.execute("set local session_replication_role = replica")
        conn.execute("update clones set bio = bio")
    assert database.value("select count(*) from supabase_functions.hooks") == 0
    assert database.value(stamp) == before
    database.execute("update clones set bio = bio")
    assert database.value(stamp) > before


def test_the_applications_own_rows_are_guarded_by_rls(database: Database) -> None:
    owner, mine = database.query("select creator_id, count(*) from clones group by 1 order by 1 limit 1")[0]
    own = "select count(*) from clones where creator_id = auth.uid()::text"
    assert as_role(database, "authenticated", own, subject=owner) == [(mine,)]
    stranger = "00000000-0000-0000-0000-000000000000"
    assert as_role(database, "authenticated", "update clones set bio = bio", subject=stranger) == [(0,)]
    published = database.value("select count(*) from clones where is_published")
    assert as_role(database, "anon", "select count(*) from clones") == [(published,)]
    assert as_role(database, "anon", "select count(*) from clone_catalog") == [(published,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(database, "anon", "select count(*) from knowledge")


def test_auth_functions_answer_with_the_claims_of_the_request(database: Database) -> None:
    subject = "11111111-2222-3333-4444-555555555555"
    asked = "select auth.uid()::text, auth.role(), auth.jwt() ->> 'sub'"
    assert as_role(database, "authenticated", asked, subject=subject) == [(subject, "authenticated", subject)]
    assert as_role(database, "anon", asked) == [(None, None, None)]


def test_the_shared_trigger_function_has_exactly_the_guides_body(database: Database) -> None:
    body = "select prosrc from pg_proc where oid = 'update_updated_at_column()'::regprocedure"
    ours = database.value(body)
    database.psql(guide_step("1.1"))
    assert database.value(body) == ours
    users = "select tgrelid::regclass::text from pg_trigger where tgfoid = 'update_updated_at_column()'::regprocedure"
    assert {table for (table,) in database.query(users)} == {"clones", "knowledge", "user_profiles", "domains"}


def test_the_realtime_publication_is_empty_and_belongs_to_postgres(database: Database) -> None:
    found = "select pubowner::regrole::text, puballtables from pg_publication where pubname = 'supabase_realtime'"
    assert database.query(found) == [("postgres", False)]
    assert database.query("select * from pg_publication_tables") == []
