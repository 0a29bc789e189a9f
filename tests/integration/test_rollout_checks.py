"""The built-in rollout's checks on a real server: each passes after the deploy and fails for its own fault."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import MakeDatabase
from tests.support.cluster import Cluster
from tests.support.database import Database
from tests.support.rollout_sql import ROLLOUT, SQL_STEPS, deploy, facts_of, failing, session
from tests.support.series import sampled


@pytest.fixture(scope="module")
def deployed(cluster: Cluster) -> Iterator[Database]:
    """A database with the whole rollout, for tests that change nothing or roll back what they do."""
    database = cluster.make_database("old_grants", "no_shared_function")
    deploy(database)
    yield database
    cluster.drop(database)


@pytest.mark.parametrize(
    ("variants", "answers"),
    [
        ((), {}),
        ((), {"grants": "skip"}),
        (("old_grants",), {}),
        (("creator_id_uuid",), {}),
        (("category_enum",), {}),
        (("no_shared_function",), {}),
        (("other_shared_function",), {}),
    ],
)
def test_all_checks_pass_after_deploy(
    make_database: MakeDatabase, variants: tuple[str, ...], answers: dict[str, str]
) -> None:
    database = make_database(*variants)
    facts = facts_of(database, answers=answers)
    deploy(database, facts)
    with session(database) as conn:
        assert failing(conn, facts=facts) == {}


def test_no_check_passes_before_deploy(make_database: MakeDatabase) -> None:
    every = {check.id for step in ROLLOUT.steps for check in step.checks}
    with session(make_database("no_shared_function")) as conn:
        assert set(failing(conn)) == every


def test_checks_of_a_step_need_no_later_step(make_database: MakeDatabase) -> None:
    database = make_database("no_shared_function")
    facts = facts_of(database)
    for step in SQL_STEPS:
        deploy(database, facts, [step])
        with session(database) as conn:
            assert not {check.id for check in step.checks} & set(failing(conn)), step.id


def test_catalog_checks_work_for_a_role_that_only_reads(deployed: Database, readonly_user: str) -> None:
    with session(deployed, readonly_user) as conn:
        assert failing(conn) == dict.fromkeys(
            ["1.1.domains", "6.1.defaults", "6.2.mapping", "V.domains"], "error 42501"
        )
    with session(deployed, "supabase_admin") as conn:
        conn.execute("ALTER ROLE reader BYPASSRLS")
        conn.execute("SET LOCAL ROLE reader")
        assert failing(conn) == {}


FK = (
    "ALTER TABLE knowledge DROP CONSTRAINT knowledge_rag_document_id_fkey,"
    " ADD CONSTRAINT knowledge_rag_document_id_fkey"
)
CHECK = "ALTER TABLE clones DROP CONSTRAINT clones_rag_initialization_status_check"
READ_EXPERTS = 'POLICY "Users can read their own experts" ON experts'
POLICIES = {"4.policies", "V.policies"}
MUTATIONS = {
    "DROP INDEX idx_experts_domain": {"3.indexes"},
    "DROP INDEX idx_clones_rag_status": {"2.1.indexes"},
    "DROP INDEX idx_knowledge_rag_status; CREATE INDEX idx_knowledge_rag_status ON knowledge (title)": {"2.2.indexes"},
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_experts_domain'::regclass": {"3.indexes"},
    "ALTER TABLE domains ALTER expert_names DROP DEFAULT": {"1.1.columns"},
    "ALTER TABLE experts ALTER name DROP NOT NULL": {"1.2.columns"},
    "ALTER TABLE rag_documents ALTER file_size_bytes TYPE integer": {"1.3.columns"},
    "ALTER TABLE vector_stores DROP CONSTRAINT vector_stores_status_check": {"1.4.constraints"},
    "ALTER TABLE assistants ALTER status SET DEFAULT 'inactive'": {"1.5.columns"},
    "ALTER TABLE clone_rag_mapping DROP CONSTRAINT clone_rag_mapping_clone_id_key": {"1.6.constraints"},
    "ALTER TABLE clones DROP COLUMN rag_expert_name": {"2.1.columns", "V.clones_columns"},
    "ALTER TABLE knowledge DROP COLUMN openai_file_id": {"2.2.columns", "V.knowledge_columns"},
    f"{CHECK}, ADD CONSTRAINT clones_rag_initialization_status_check CHECK (true) NOT VALID": {"2.1.constraints"},
    f"{FK} FOREIGN KEY (rag_document_id) REFERENCES rag_documents (id)": {"2.2.constraints", "V.foreign_keys"},
    "DROP TRIGGER update_domains_updated_at ON domains": {"1.1.trigger"},
    "ALTER TABLE experts DISABLE TRIGGER update_experts_updated_at": {"1.2.trigger"},
    "ALTER TABLE experts DISABLE ROW LEVEL SECURITY": {"1.2.rls", "4.rls", "V.rls"},
    f"ALTER {READ_EXPERTS} USING (true)": POLICIES,
    f"ALTER {READ_EXPERTS} TO anon": POLICIES,
    f"DROP {READ_EXPERTS}": POLICIES,
    'ALTER POLICY "Users can insert their own experts" ON experts WITH CHECK (true)': POLICIES,
    "CREATE POLICY everybody ON domains FOR SELECT USING (true)": POLICIES,
    "REVOKE SELECT ON experts FROM authenticated": {"4.grants"},
    "REVOKE ALL ON domains, experts, rag_documents, vector_stores, assistants, clone_rag_mapping"
    " FROM authenticated, service_role": {"4.grants"},
    "DELETE FROM domains WHERE domain_name = 'other'": {"1.1.domains", "V.domains"},
    "UPDATE clones SET rag_enabled = NULL": {"6.1.defaults"},
    "UPDATE clones SET rag_initialization_status = NULL": {"6.1.defaults"},
    "UPDATE clones SET rag_config = NULL": {"6.1.defaults"},
    "UPDATE knowledge SET rag_processing_status = NULL": {"6.1.defaults"},
    "UPDATE clones SET rag_domain_mapping = NULL WHERE category = 'ai'": {"6.2.mapping"},
    "UPDATE clones SET rag_domain_mapping = 'other' WHERE category = 'medical'": {"6.2.mapping"},
    "CREATE OR REPLACE FUNCTION map_clone_category_to_domain(category text) RETURNS text LANGUAGE plpgsql"
    " AS 'BEGIN RETURN ''other''; END;'": {"6.2.function"},
    "CREATE OR REPLACE FUNCTION update_updated_at_column() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN RETURN NEW; END;'": {"1.1.function"},
    "DROP TABLE clone_rag_mapping": {
        *("1.6.columns", "1.6.constraints", "1.6.trigger", "1.6.rls", "3.indexes", "4.rls", "4.policies", "4.grants"),
        *("V.tables", "V.foreign_keys", "V.rls", "V.policies"),
    },
}


@pytest.mark.parametrize("mutation", sampled(list(MUTATIONS), 4))
def test_a_fault_fails_the_checks_it_concerns_and_no_other(deployed: Database, mutation: str) -> None:
    with session(deployed, "supabase_admin") as conn:
        conn.execute(mutation.encode())
        conn.execute("SET LOCAL ROLE postgres")
        assert set(failing(conn)) == MUTATIONS[mutation]


def test_a_clone_table_in_another_schema_disturbs_no_check(deployed: Database) -> None:
    with session(deployed, "supabase_admin") as conn:
        conn.execute(
            "CREATE SCHEMA backup; CREATE TABLE backup.clones AS TABLE clones; CREATE TABLE backup.experts (id int)"
        )
        conn.execute("CREATE POLICY p ON backup.experts USING (true)")
        assert failing(conn) == {}
