"""The built-in rollout's prerequisites and facts on a real server: a safe and an unsafe database for each of them."""

from __future__ import annotations

import pytest

from tests.conftest import MakeDatabase
from tests.support.database import Database
from tests.support.rollout_sql import ROLLOUT, Connection, deploy, prerequisites, rows, session
from tests.support.series import sampled

LEVELS = ("pass", "warn", "stop")


def worst(conn: Connection) -> dict[str, str]:
    """The worst level of each prerequisite that is not a pass."""
    found = {name: max((row["level"] for row in told), key=LEVELS.index) for name, told in prerequisites(conn).items()}
    return {name: level for name, level in found.items() if level != "pass"}


def told(conn: Connection, name: str) -> str:
    """What the rows of one prerequisite that are no pass say, found and fix."""
    return "\n".join(f"{row['found']}\n{row['fix']}" for row in prerequisites(conn)[name] if row["level"] != "pass")


def facts(conn: Connection) -> dict[str, str]:
    """The rollout's own facts; one row, all text."""
    (row,) = rows(conn, ROLLOUT.read_sql(ROLLOUT.facts))
    assert all(isinstance(value, str) for value in row.values())
    return row


def test_all_pass_on_a_clean_database(make_database: MakeDatabase) -> None:
    with session(make_database("old_grants")) as conn:
        assert worst(conn) == {}
        assert facts(conn) == {
            "shared_function_body": "same",
            "creator_id_type": "text",
            "category_type": "text",
            "api_grants": "present",
            "update_triggers": "some",
            "update_witnesses": "some",
            "replica_witnesses": "none",
            "published_rows": "none",
            "whole_row_copies": "none",
        }


def test_todays_default_privileges_are_a_warning_that_says_how_to_decline(database: Database) -> None:
    with session(database) as conn:
        assert worst(conn) == {"api-rights": "warn"}
        assert "--decide grants=skip" in told(conn, "api-rights")
        assert facts(conn)["api_grants"] == "missing"


def test_they_still_pass_when_the_rollout_is_done(make_database: MakeDatabase) -> None:
    database = make_database("old_grants")
    deploy(database)
    with session(database) as conn:
        assert worst(conn) == {}


@pytest.mark.parametrize(
    ("variant", "expected", "words"),
    [
        ("foreign_owner", {"app-tables": "stop"}, "GRANT app_owner TO postgres;"),
        ("bigint_ids", {"keys": "stop"}, "clones.id is bigint"),
        ("missing_auth", {"auth-functions": "stop"}, "auth.uid() does not exist"),
        ("other_shared_function", {"shared-function": "warn"}, "SECURITY DEFINER"),
        (
            "hostile_shared_function",
            {"shared-function-kept": "stop", "shared-function": "warn"},
            "do not have: version",
        ),
        ("creator_id_uuid", {}, ""),
        ("category_enum", {}, ""),
        ("no_shared_function", {}, ""),
    ],
)
def test_variants(make_database: MakeDatabase, variant: str, expected: dict[str, str], words: str) -> None:
    with session(make_database("old_grants", variant)) as conn:
        assert worst(conn) == expected
        assert not expected or words in told(conn, next(iter(expected)))


@pytest.mark.parametrize(
    ("variant", "fact", "value"),
    [
        ("no_shared_function", "shared_function_body", "absent"),
        ("other_shared_function", "shared_function_body", "other"),
        ("creator_id_uuid", "creator_id_type", "uuid"),
        ("category_enum", "category_type", "enum"),
    ],
)
def test_facts_of_variants(make_database: MakeDatabase, variant: str, fact: str, value: str) -> None:
    with session(make_database(variant)) as conn:
        assert facts(conn)[fact] == value


API_ROLES = "anon, authenticated, service_role"
"""postgres is a member of these and has their rights too."""

VIEWS = "DROP VIEW clone_catalog; "
COPYING = (
    "CREATE TABLE history (LIKE clones); CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN INSERT INTO history SELECT OLD.*; RETURN NEW; END'; CREATE TRIGGER keep BEFORE DELETE ON clones"
    " FOR EACH ROW EXECUTE FUNCTION keep()"
)
UNSAFE = [
    ("ALTER TABLE clones RENAME TO people", "app-tables", "stop", "clones does not exist in schema public"),
    ("ALTER TABLE clones SET SCHEMA extensions", "app-tables", "stop", "there is one in extensions"),
    ("ALTER TABLE clones RENAME TO c; CREATE VIEW clones AS TABLE c", "app-tables", "stop", "clones is a view"),
    (
        "ALTER TABLE knowledge RENAME TO k; CREATE TABLE knowledge (id uuid PRIMARY KEY) PARTITION BY HASH (id);"
        " ALTER TABLE knowledge OWNER TO postgres",
        *("app-tables", "warn", "knowledge is partitioned"),
    ),
    ("ALTER TABLE clones DROP CONSTRAINT clones_pkey CASCADE", "keys", "stop", "public.clones ADD PRIMARY KEY (id);"),
    ("ALTER TABLE knowledge DROP CONSTRAINT knowledge_pkey", "keys", "warn", "knowledge.id is uuid without"),
    (f"{VIEWS}ALTER TABLE clones DROP category", "column-types", "stop", "clones has no column category"),
    (f"{VIEWS}ALTER TABLE clones ALTER category TYPE text[] USING '{{}}'", "column-types", "stop", "text[]"),
    (f"{VIEWS}ALTER TABLE clones ALTER category TYPE varchar(80)", "column-types", "pass", ""),
    ("ALTER TABLE clones RENAME creator_id TO owner_id", "column-types", "stop", "no column creator_id"),
    (
        f"REVOKE USAGE ON SCHEMA auth FROM {API_ROLES}, postgres; REVOKE pg_read_all_data FROM postgres",
        *("auth-functions", "stop", "GRANT USAGE ON SCHEMA auth TO postgres;"),
    ),
    (
        "REVOKE EXECUTE ON FUNCTION auth.uid() FROM PUBLIC, postgres",
        *("auth-functions", "stop", "GRANT EXECUTE ON FUNCTION auth.uid() TO postgres;"),
    ),
    ("ALTER ROLE service_role RENAME TO other", "api-roles", "stop", "CREATE ROLE service_role NOLOGIN;"),
    ("ALTER ROLE anon RENAME TO other", "api-roles", "warn", "role anon does not exist"),
    (
        "DROP FUNCTION update_updated_at_column CASCADE; CREATE FUNCTION update_updated_at_column() RETURNS int"
        " LANGUAGE sql AS 'SELECT 1'",
        *("shared-function", "stop", "it is not a trigger function"),
    ),
    (
        "REVOKE EXECUTE ON FUNCTION update_updated_at_column() FROM PUBLIC;"
        " ALTER FUNCTION update_updated_at_column() OWNER TO supabase_admin;"
        f" REVOKE EXECUTE ON FUNCTION update_updated_at_column() FROM {API_ROLES}, postgres",
        *("shared-function", "stop", "GRANT EXECUTE ON FUNCTION public.update_updated_at_column() TO postgres;"),
    ),
    ("ALTER FUNCTION update_updated_at_column() SET search_path = ''", "shared-function", "pass", ""),
    (
        "REVOKE USAGE ON SCHEMA public FROM authenticated, PUBLIC",
        *("api-rights", "warn", "GRANT USAGE ON SCHEMA public TO authenticated;"),
    ),
    ("REVOKE SELECT ON clones FROM authenticated", "api-rights", "warn", "GRANT SELECT ON public.clones"),
    (
        "REVOKE SET ON PARAMETER session_replication_role FROM postgres",
        *("backfill-witnesses", "warn", "--decide backfill_triggers=fire"),
    ),
    ("ALTER TABLE clones ENABLE ALWAYS TRIGGER clones_changed", "backfill-witnesses", "warn", "clones.clones_changed"),
    ("ALTER TABLE clones ENABLE REPLICA TRIGGER clones_changed", "backfill-witnesses", "warn", "only while the others"),
    ("CREATE RULE r AS ON UPDATE TO clones DO ALSO NOTHING", "backfill-witnesses", "warn", "clones.r"),
    ("ALTER PUBLICATION supabase_realtime ADD TABLE clones", "backfill-witnesses", "warn", "supabase_realtime"),
    (COPYING, "whole-row-triggers", "warn", "public.keep() copies whole rows"),
]


@pytest.mark.parametrize(("change", "name", "level", "words"), sampled(UNSAFE, 4))
def test_an_unsafe_database_is_named(
    make_database: MakeDatabase, change: str, name: str, level: str, words: str
) -> None:
    with session(make_database("old_grants"), "supabase_admin") as conn:
        conn.execute(change.encode())
        conn.execute("SET LOCAL ROLE postgres")
        assert worst(conn).get(name, "pass") == level
        assert words in told(conn, name)
        assert all(row["fix"] for found in prerequisites(conn).values() for row in found if row["level"] != "pass")
        facts(conn)


def test_nothing_fails_where_nothing_is_there(make_database: MakeDatabase) -> None:
    with session(make_database(), "supabase_admin") as conn:
        conn.execute("DROP SCHEMA auth CASCADE; DROP TABLE knowledge, clones CASCADE")
        for role in ("anon", "authenticated", "service_role"):
            conn.execute(f"ALTER ROLE {role} RENAME TO former_{role}".encode())
        conn.execute("SET LOCAL ROLE postgres")
        assert {name for name, level in worst(conn).items() if level == "stop"} == {
            *("app-tables", "keys", "column-types", "auth-functions", "api-roles")
        }
        assert facts(conn) | {"shared_function_body": ""} == {
            "shared_function_body": "",
            "creator_id_type": "absent",
            "category_type": "absent",
            "api_grants": "missing",
            "update_triggers": "none",
            "update_witnesses": "none",
            "replica_witnesses": "none",
            "published_rows": "none",
            "whole_row_copies": "none",
        }


def test_nothing_fails_in_a_schema_that_does_not_exist(database: Database) -> None:
    with session(database) as conn:
        conn.execute("SET LOCAL search_path = nowhere, pg_temp")
        assert worst(conn)["app-tables"] == "stop"
        assert facts(conn)["shared_function_body"] == "absent"


def test_arguments_of_a_webhook_are_never_told(database: Database) -> None:
    with session(database, "supabase_admin") as conn:
        conn.execute("REVOKE SET ON PARAMETER session_replication_role FROM postgres")
        conn.execute("SET LOCAL ROLE postgres")
        text = told(conn, "backfill-witnesses")
        assert "clones.clones_changed" in text
        assert "Bearer" not in text
        assert "https" not in text


def test_a_trigger_on_other_columns_does_not_count(make_database: MakeDatabase) -> None:
    with session(make_database("no_shared_function"), "supabase_admin") as conn:
        conn.execute("DROP TRIGGER clones_changed ON clones")
        assert facts(conn)["update_triggers"] == "none"
        conn.execute(
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
            " CREATE TRIGGER t BEFORE UPDATE OF name ON clones FOR EACH ROW EXECUTE FUNCTION f()"
        )
        assert facts(conn)["update_triggers"] == "none"
        conn.execute("CREATE TRIGGER u BEFORE UPDATE ON knowledge FOR EACH ROW EXECUTE FUNCTION f()")
        assert facts(conn)["update_triggers"] == "some"
