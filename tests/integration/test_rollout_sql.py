"""The built-in rollout's SQL on a real server, and the tiny one's: deploy, revert, locks, guards. No engine here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import MakeDatabase
from tests.support.database import Database, assert_same
from tests.support.guide import GUIDE
from tests.support.rollout_sql import (
    ROLLOUT,
    SQL_STEPS,
    deploy,
    facts_of,
    failing,
    losses,
    prerequisites,
    revert,
    rows,
    session,
)
from wizard.engine.parts.guard import guards_of
from wizard.rollout.load import load_rollout
from wizard.rollout.render import Renderer

GENERATED = ("id", "created_at", "updated_at")
"""Columns that differ between two runs: keys by chance, times by the clock."""


# Deploy: the same catalog as the guide's own SQL.


def test_the_files_as_they_are_make_the_guides_catalog(make_database: MakeDatabase) -> None:
    database, twin = (make_database("old_grants", "no_shared_function") for _ in range(2))
    twin.psql(GUIDE)
    for step in SQL_STEPS:
        for fragment in step.deploy:
            if fragment.sql != "deploy/4_grants.sql" and not fragment.replaces:
                database.psql(ROLLOUT.folder / "sql" / fragment.sql)
    assert database.dump() == twin.dump()
    assert database.digest(GENERATED, schemas=("public",)) == twin.digest(GENERATED, schemas=("public",))


@pytest.mark.parametrize("variant", ["old_grants", "creator_id_uuid", "category_enum", "no_shared_function"])
def test_every_variant_ends_in_the_guides_catalog(make_database: MakeDatabase, variant: str) -> None:
    """Where the guide's text cannot run, or the API would be locked out, it is amended by hand first."""
    database, twin = make_database(variant), make_database(variant)
    guide = GUIDE.read_text(encoding="utf-8")
    if variant == "creator_id_uuid":
        guide = guide.replace("auth.uid()::text", "auth.uid()")
    if variant == "category_enum":
        guide = guide.replace("map_clone_category_to_domain(category)", "map_clone_category_to_domain(category::text)")
    twin.psql(guide)
    if variant != "old_grants":
        twin.psql(ROLLOUT.read_sql("deploy/4_grants.sql"))
    deploy(database)
    assert database.dump() == twin.dump()
    assert database.digest(GENERATED, schemas=("public",)) == twin.digest(GENERATED, schemas=("public",))


def test_the_backfill_fires_no_trigger_and_moves_no_timestamp(database: Database) -> None:
    before = database.query("SELECT id, updated_at FROM clones ORDER BY id")
    facts = deploy(database)
    assert facts["update_triggers"] == "some"
    assert database.value("SELECT count(*) FROM clones WHERE rag_domain_mapping IS NULL") == 0
    assert database.query("SELECT id, updated_at FROM clones ORDER BY id") == before
    assert database.value("SELECT count(*) FROM supabase_functions.hooks") == 0


def test_default_status_keeps_what_a_clone_has(database: Database) -> None:
    deploy(database, steps=SQL_STEPS[:-2])
    database.execute(
        "SET session_replication_role = replica;"
        " UPDATE clones SET rag_enabled = NULL, rag_initialization_status = 'ready', rag_config = NULL"
    )
    deploy(database, steps=[ROLLOUT.step("6.1")])
    kept = database.query("SELECT DISTINCT rag_enabled, rag_initialization_status, rag_config FROM clones")
    assert kept == [(False, "ready", {})]


def test_default_status_fills_each_column_by_itself(database: Database) -> None:
    deploy(database, steps=SQL_STEPS[:-2])
    database.execute(
        "SET session_replication_role = replica;"
        " UPDATE clones SET rag_enabled = true, rag_initialization_status = NULL, rag_config = '{\"k\": 1}'"
    )
    deploy(database, steps=[ROLLOUT.step("6.1")])
    filled = database.query("SELECT DISTINCT rag_enabled, rag_initialization_status, rag_config FROM clones")
    assert filled == [(True, "pending", {"k": 1})]


def test_deploy_creates_and_revert_removes_without_looking_away() -> None:
    for step in ROLLOUT.steps:
        for fragment in step.deploy:
            assert not re.search(r"IF NOT EXISTS|OR REPLACE", ROLLOUT.read_sql(fragment.sql)), fragment.sql
        for fragment in step.revert:
            statements = re.sub(r"--.*", "", ROLLOUT.read_sql(fragment.sql))
            assert "CASCADE" not in statements, fragment.sql
            assert statements.count("DROP") == statements.count("IF EXISTS"), fragment.sql


def test_every_sql_file_is_used() -> None:
    named = {ROLLOUT.facts}
    for step in ROLLOUT.steps:
        named |= {fragment.sql for fragment in (*step.deploy, *step.revert)}
        named |= {query.sql for query in (*step.prerequisites, *step.previews, *step.checks)}
    folder = ROLLOUT.folder / "sql"
    assert named == {str(path.relative_to(folder)) for path in folder.rglob("*.sql")}


# Revert: back to the start.


@pytest.mark.parametrize("variant", ["old_grants", "no_shared_function", "other_shared_function", "category_enum"])
def test_rolling_everything_back_returns_to_the_start(make_database: MakeDatabase, variant: str) -> None:
    database = make_database(variant)
    before = database.snapshot()
    facts = deploy(database)
    assert database.snapshot() != before
    revert(database, facts)
    assert_same(before, database.snapshot())


@pytest.mark.slow
def test_each_step_alone_rolls_back_to_where_it_began(make_database: MakeDatabase) -> None:
    database = make_database("no_shared_function")
    facts = facts_of(database)
    for step in SQL_STEPS:
        before = database.snapshot()
        deploy(database, facts, [step])
        revert(database, facts, [step])
        assert_same(before, database.snapshot())
        deploy(database, facts, [step])


def test_reverting_twice_is_no_error(make_database: MakeDatabase) -> None:
    """What may be repeated wants the state "absent"; step 4's REVOKE and 6.2's UPDATE need their tables."""
    database = make_database("old_grants", "no_shared_function")
    facts = deploy(database)
    for _ in range(2):
        revert(database, facts, [ROLLOUT.step("6.2"), ROLLOUT.step("2.1")])
        revert(database, facts, [s for s in SQL_STEPS if s.id not in {"6.2", "2.1"}])


def test_a_mapping_that_was_changed_survives_the_revert_of_the_backfill(database: Database) -> None:
    facts = deploy(database)
    database.execute("UPDATE clones SET rag_domain_mapping = 'life-coaching' WHERE category = 'medical'")
    revert(database, facts, [ROLLOUT.step("6.2")])
    kept = "SELECT DISTINCT category FROM clones WHERE rag_domain_mapping IS NOT NULL"
    assert database.query(kept) == [("medical",)]


# Locks and guards.


def test_declared_locks_are_those_the_server_holds(make_database: MakeDatabase) -> None:
    """The strongest lock on each table at the end of each step's transaction."""
    database = make_database("no_shared_function")
    facts = facts_of(database)
    held = (
        "SELECT c.relname, l.mode FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation"
        " WHERE l.pid = pg_backend_pid() AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
    )
    modes = ["AccessShareLock", "RowExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "AccessExclusiveLock"]
    for rendered in Renderer(ROLLOUT, facts).steps:
        strongest: dict[str, str] = {}
        with session(database) as conn:
            for statement in (s for part in rendered.parts for s in part.statements):
                conn.execute(statement.sql.encode())
            for row in sorted(rows(conn, held), key=lambda row: modes.index(row["mode"])):
                words = re.findall("[A-Z][a-z]+", row["mode"])[:-1]
                strongest[row["relname"]] = " ".join(words).upper()
        assert {lock.table: lock.mode for lock in rendered.step.locks} == strongest, rendered.step.id
        existing = {lock.table for lock in rendered.step.locks if lock.existing}
        assert existing == set(strongest) & {"clones", "knowledge"}, rendered.step.id
        deploy(database, facts, [rendered.step])


def test_guards_count_what_the_application_wrote_and_nothing_else(database: Database) -> None:
    deploy(database)
    assert set(losses(database).values()) == {0}
    database.psql("""
        INSERT INTO domains (domain_name) VALUES ('gardening');
        UPDATE domains SET expert_names = '{Ada}' WHERE domain_name = 'other';
        INSERT INTO experts (name, domain, context) VALUES ('Ada', 'other', 'c'), ('Bob', 'other', 'c');
        INSERT INTO rag_documents (name, document_link, domain) VALUES ('d', 'l', 'other');
        INSERT INTO vector_stores (vector_id, domain_name) VALUES ('v', 'other');
        INSERT INTO assistants (assistant_id, domain_name, expert_name) VALUES ('a', 'other', 'Ada');
        INSERT INTO clone_rag_mapping (clone_id, expert_name, domain_name)
            SELECT id, 'Ada', 'other' FROM clones LIMIT 3;
        UPDATE clones SET rag_enabled = true WHERE category = 'ai';
        UPDATE clones SET rag_domain_mapping = NULL, rag_enabled = NULL WHERE category = 'legal';
        UPDATE clones SET rag_domain_mapping = 'gardening' WHERE category = 'finance';
        UPDATE knowledge SET openai_file_id = 'f' WHERE id IN (SELECT id FROM knowledge LIMIT 2);
    """)
    changed = database.value("SELECT count(*) FROM clones WHERE category IN ('ai', 'finance', 'legal')")
    assert changed > 1
    expected = {"1.1": 2, "1.2": 2, "1.3": 1, "1.4": 1, "1.5": 1, "1.6": 3, "2.1": changed, "2.2": 2}
    assert losses(database) == expected


def test_guards_of_a_step_need_only_that_step(make_database: MakeDatabase) -> None:
    database = make_database("category_enum")
    facts = deploy(database)
    for step in reversed(SQL_STEPS):
        with session(database) as conn:
            for guard in guards_of(step):
                assert rows(conn, guard.select) == [], step.id
        revert(database, facts, [step])


# The other rollout, which has nothing to do with clones.


def test_the_tiny_rollout_runs_and_rolls_back(database: Database) -> None:
    tiny = load_rollout(Path(__file__).parent.parent / "rollouts" / "tiny")
    database.execute(
        "CREATE TABLE old_tickets (title text); INSERT INTO old_tickets VALUES ('Urgent: help'), ('Later')"
    )
    before = database.snapshot()
    facts = facts_of(database, tiny, {"legacy_rows": "copy", "samples": "with"})
    assert facts["legacy"] == "present"
    deploy(database, facts, rollout=tiny)
    with session(database) as conn:
        assert failing(conn, tiny) == {}
        assert [row["level"] for row in prerequisites(conn, tiny)["old-tickets"]] == ["warn"]
    assert database.query("SELECT priority, count(*) FROM tickets GROUP BY 1 ORDER BY 1") == [(1, 2), (5, 2)]
    assert losses(database, tiny) == {"tickets": 0}
    database.execute("INSERT INTO tickets (title) VALUES ('Hello')")
    assert losses(database, tiny) == {"tickets": 1}
    revert(database, facts, rollout=tiny)
    assert_same(before, database.snapshot())
