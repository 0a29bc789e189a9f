"""The built-in rollout's checks on a real server, after its SQL was run by psql: each fails for its own fault only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import MakeDatabase
from tests.support.cluster import Cluster
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.rollout_sql import ROLLOUT, SQL_STEPS, deploy, facts_of
from tests.support.series import sampled
from tests.support.verifying import changed_copy, differences


@pytest.fixture(scope="module")
def deployed(cluster: Cluster) -> Iterator[Database]:
    """A database with the whole rollout and no registry; tests change copies of it."""
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
    deploy(database, facts_of(database, answers=answers))

    verification = Operator(database, decisions=answers).engine.verify()

    assert differences(verification) == {}
    assert {criterion.state for criterion in verification.criteria} == {"passed", "open"}


def test_no_check_passes_before_deploy(database: Database) -> None:
    verification = Operator(database).engine.verify()

    # The shared function is the application's own; the guide's body, which is there, is all that this check asks for.
    assert [check.id for check in verification.checks if check.passed] == ["1.1.function"]
    declared = {check.id for step in ROLLOUT.steps for check in step.checks}
    assert {check.id for check in verification.checks} == declared | {
        f"{step}.objects" for step in ("1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "2.1", "2.2", "3", "4", "6.2")
    }
    assert {criterion.state for criterion in verification.criteria} == {"failed", "open"}


def test_checks_of_a_step_need_no_later_step(make_database: MakeDatabase) -> None:
    database = make_database("no_shared_function")
    facts = facts_of(database)
    for step in SQL_STEPS:
        deploy(database, facts, [step])
        failed = differences(Operator(database).engine.verify())
        assert not [check for check in failed if check.startswith(f"{step.id}.")], step.id


def test_the_catalog_is_judged_without_a_right_to_the_rows(
    deployed: Database, cluster: Cluster, readonly_user: str
) -> None:
    unseen = ["1.1.domains", "6.1.defaults", "6.2.mapping", "V.domains"]
    assert list(differences(Operator(deployed, user=readonly_user).engine.verify())) == unseen
    cluster.admin.execute(f"ALTER ROLE {readonly_user} BYPASSRLS", user="supabase_admin")
    try:
        assert differences(Operator(deployed, user=readonly_user).engine.verify()) == {}
    finally:
        cluster.admin.execute(f"ALTER ROLE {readonly_user} NOBYPASSRLS", user="supabase_admin")


FAULTS = {
    "REVOKE SELECT ON experts FROM authenticated": {"4.grants"},
    "REVOKE ALL ON domains, experts, rag_documents, vector_stores, assistants, clone_rag_mapping"
    " FROM authenticated, service_role": {"4.grants"},
    "CREATE POLICY everybody ON domains FOR SELECT USING (true)": {"4.further_policies", "V.policies"},
    "DELETE FROM domains WHERE domain_name = 'other'": {"1.1.domains", "V.domains"},
    "UPDATE clones SET rag_enabled = NULL": {"6.1.defaults"},
    "UPDATE clones SET rag_initialization_status = NULL": {"6.1.defaults"},
    "UPDATE clones SET rag_config = NULL": {"6.1.defaults"},
    "UPDATE knowledge SET rag_processing_status = NULL": {"6.1.defaults"},
    "UPDATE clones SET rag_domain_mapping = NULL WHERE category = 'ai'": {"6.2.mapping"},
    "UPDATE clones SET rag_domain_mapping = 'other' WHERE category = 'medical'": {"6.2.mapping"},
    # It is the database's own now, and kept; whatever it is, it has to do what the new triggers are there for.
    "CREATE OR REPLACE FUNCTION update_updated_at_column() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN RETURN NEW; END;'": {"1.1.function"},
}


@pytest.mark.parametrize("fault", sampled(list(FAULTS), 4))
def test_a_fault_fails_the_checks_it_concerns_and_no_other(cluster: Cluster, deployed: Database, fault: str) -> None:
    with changed_copy(cluster, deployed, fault) as database:
        assert set(differences(Operator(database).engine.verify())) == FAULTS[fault]


def test_a_clone_table_in_another_schema_disturbs_no_check(cluster: Cluster, deployed: Database) -> None:
    elsewhere = (
        "CREATE SCHEMA backup; CREATE TABLE backup.clones AS TABLE clones; CREATE TABLE backup.experts (id int);"
        "CREATE POLICY p ON backup.experts USING (true)"
    )
    with changed_copy(cluster, deployed, elsewhere) as database:
        assert differences(Operator(database).engine.verify()) == {}


def test_every_file_of_a_check_belongs_to_a_step() -> None:
    named = {check.sql for step in ROLLOUT.steps for check in step.checks}
    folder = ROLLOUT.folder / "sql"

    assert {str(file.relative_to(folder)) for file in (folder / "checks").iterdir()} == named
