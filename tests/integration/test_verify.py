"""verify compares every object with what the rollout's SQL makes, and names each difference by both definitions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import MakeDatabase
from tests.support.cluster import Cluster
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.rollout_sql import ROLLOUT, deploy
from tests.support.series import sampled
from tests.support.starting import guide_statements, paste
from tests.support.verifying import Difference, changed_copy, differences
from wizard.demo.server import SUPERUSER
from wizard.rollout.shape import ItemKind

QUOTED = 'Clone "AI"'
RolledOut = Callable[[str], Database]


@pytest.fixture(scope="module")
def rolled_out(cluster: Cluster) -> Iterator[RolledOut]:
    """Gives a database with the whole rollout in the schema asked for; tests change copies of it."""
    made: dict[str, Database] = {}

    def make(schema: str) -> Database:
        if schema not in made:
            made[schema] = cluster.make_database("no_shared_function" if schema == "public" else "other_schema")
            assert Operator(made[schema], schema=schema).engine.run().ending == "done"
        return made[schema]

    yield make
    for database in made.values():
        cluster.drop(database)


CHECK = "clones_rag_initialization_status_check"
STATES = "ARRAY['pending'::text, 'initializing'::text, 'ready'::text, 'error'::text, 'disabled'::text]"
STATE_CHECK = f"CHECK ((rag_initialization_status = ANY ({STATES})))"
FK = "knowledge_rag_document_id_fkey"
FK_MADE = "FOREIGN KEY (rag_document_id) REFERENCES rag_documents(id) ON DELETE SET NULL"
KEEPS_TIME = "BEFORE UPDATE ON experts FOR EACH ROW EXECUTE FUNCTION update_updated_at_column()"
REFERS = "constraint clone_rag_mapping_assistant_id_fkey on clone_rag_mapping"
TRIGGER = f"CREATE TRIGGER update_experts_updated_at {KEEPS_TIME}"
INDEX = "CREATE INDEX idx_experts_domain ON experts USING btree (domain)"
STATUS_INDEX = "CREATE INDEX idx_knowledge_rag_status ON knowledge USING btree"
READ = 'POLICY "Users can read their own experts" ON experts'
OWN = "(clone_id IN ( SELECT clones.id\n   FROM clones\n  WHERE (clones.creator_id = (auth.uid())::text)))"
READ_MADE = f"CREATE {READ} FOR SELECT TO public USING ({OWN})"
INSERT = 'POLICY "Users can insert their own experts" ON experts'
OWN_READ, OWN_INSERT = "Users can read their own experts", "Users can insert their own experts"


def policy(name: str, expected: str | None, found: str | None) -> dict[str, list[Difference]]:
    """A policy of experts is judged with the step's objects, and by the guide's own query."""
    return {
        "4.objects": [(f'policy "{name}" on experts', expected, found)],
        "V.policies": [(f"experts: {name}", expected, found)],
    }


FAULTS: dict[str, dict[str, list[Difference]]] = {
    "DROP INDEX idx_experts_domain": {"3.objects": [("index idx_experts_domain on experts", INDEX, None)]},
    "DROP INDEX idx_experts_domain; CREATE VIEW idx_experts_domain AS SELECT 1 AS id": {
        "3.objects": [("index idx_experts_domain on experts", INDEX, "view")]
    },
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_experts_domain'::regclass": {
        "3.objects": [("index idx_experts_domain on experts", INDEX, f"{INDEX} -- invalid")]
    },
    "DROP INDEX idx_knowledge_rag_status; CREATE INDEX idx_knowledge_rag_status ON knowledge (title)": {
        "2.2.objects": [
            (
                "index idx_knowledge_rag_status on knowledge",
                f"{STATUS_INDEX} (rag_processing_status)",
                f"{STATUS_INDEX} (title)",
            )
        ]
    },
    "ALTER TABLE domains ALTER expert_names DROP DEFAULT": {
        "1.1.objects": [
            ("column domains.expert_names", "expert_names text[] DEFAULT '{}'::text[]", "expert_names text[]")
        ]
    },
    "ALTER TABLE experts ALTER name DROP NOT NULL": {
        "1.2.objects": [("column experts.name", "name text NOT NULL", "name text")]
    },
    "ALTER TABLE rag_documents ALTER file_size_bytes TYPE integer": {
        "1.3.objects": [("column rag_documents.file_size_bytes", "file_size_bytes bigint", "file_size_bytes integer")]
    },
    "ALTER TABLE vector_stores RENAME client_name TO customer": {
        "1.4.objects": [("column vector_stores.client_name", "client_name text", None)]
    },
    "ALTER TABLE assistants ALTER status SET DEFAULT 'inactive'": {
        "1.5.objects": [
            ("column assistants.status", "status text DEFAULT 'active'::text", "status text DEFAULT 'inactive'::text")
        ]
    },
    "ALTER TABLE clone_rag_mapping DROP CONSTRAINT clone_rag_mapping_clone_id_key": {
        "1.6.objects": [("constraint clone_rag_mapping_clone_id_key on clone_rag_mapping", "UNIQUE (clone_id)", None)]
    },
    "ALTER TABLE clones DROP COLUMN rag_expert_name": {
        "2.1.objects": [("column clones.rag_expert_name", "rag_expert_name text", None)],
        "V.clones_columns": [("clones.rag_expert_name", "rag_expert_name text", None)],
    },
    "ALTER TABLE knowledge ALTER openai_file_id TYPE varchar(40)": {
        "2.2.objects": [
            ("column knowledge.openai_file_id", "openai_file_id text", "openai_file_id character varying(40)")
        ],
        "V.knowledge_columns": [
            ("knowledge.openai_file_id", "openai_file_id text", "openai_file_id character varying(40)")
        ],
    },
    f"ALTER TABLE clones DROP CONSTRAINT {CHECK},"
    f" ADD CONSTRAINT {CHECK} CHECK (rag_initialization_status = ANY ({STATES})) NOT VALID": {
        "2.1.objects": [(f"constraint {CHECK} on clones", STATE_CHECK, f"{STATE_CHECK} NOT VALID")]
    },
    f"ALTER TABLE knowledge DROP CONSTRAINT {FK},"
    f" ADD CONSTRAINT {FK} FOREIGN KEY (rag_document_id) REFERENCES rag_documents (id)": {
        "2.2.objects": [(f"constraint {FK} on knowledge", FK_MADE, FK_MADE.removesuffix(" ON DELETE SET NULL"))],
        "V.foreign_keys": [(f"knowledge: {FK}", FK_MADE, FK_MADE.removesuffix(" ON DELETE SET NULL"))],
    },
    "DROP TRIGGER update_experts_updated_at ON experts": {
        "1.2.objects": [("trigger update_experts_updated_at on experts", TRIGGER, None)]
    },
    "ALTER TABLE experts DISABLE TRIGGER update_experts_updated_at": {
        "1.2.objects": [("trigger update_experts_updated_at on experts", TRIGGER, f"{TRIGGER} -- disabled")]
    },
    "ALTER TABLE experts DISABLE ROW LEVEL SECURITY": {
        "1.2.objects": [
            ("row level security of experts", "ALTER TABLE experts ENABLE ROW LEVEL SECURITY", None),
        ],
        "V.rls": [("row level security of experts", "on", "off")],
    },
    f"ALTER {READ} USING (true)": policy(OWN_READ, READ_MADE, f"CREATE {READ} FOR SELECT TO public USING (true)"),
    f"ALTER {READ} TO anon": policy(OWN_READ, READ_MADE, READ_MADE.replace("TO public", "TO anon")),
    f"DROP {READ}": policy(OWN_READ, READ_MADE, None),
    f"ALTER {INSERT} WITH CHECK (true)": policy(
        OWN_INSERT,
        f"CREATE {INSERT} FOR INSERT TO public WITH CHECK ({OWN})",
        f"CREATE {INSERT} FOR INSERT TO public WITH CHECK (true)",
    ),
    "CREATE POLICY everybody ON domains AS RESTRICTIVE USING (true)": {
        "4.further_policies": [("further policies on domains", "none", "everybody")],
        "V.policies": [
            (
                "domains: everybody",
                None,
                "CREATE POLICY everybody ON domains AS RESTRICTIVE FOR ALL TO public USING (true)",
            )
        ],
    },
    "REVOKE SELECT ON experts FROM authenticated": {
        "4.objects": [("grant on experts to authenticated: SELECT", "GRANT SELECT ON experts TO authenticated", None)],
        "4.grants": [
            (
                "authenticated on the six tables",
                "all rights that the policies need",
                "missing: SELECT on experts",
            )
        ],
    },
}


@pytest.mark.parametrize("fault", sampled(list(FAULTS), 4))
def test_each_difference_is_named_with_what_was_expected_and_found(
    cluster: Cluster, rolled_out: RolledOut, fault: str
) -> None:
    with changed_copy(cluster, rolled_out("public"), fault) as database:
        verification = Operator(database).engine.verify()

    assert differences(verification) == FAULTS[fault]
    assert not verification.passed


@pytest.mark.parametrize("fault", sampled(list(FAULTS), 1))
def test_each_difference_is_named_alike_in_a_schema_with_quotes(
    cluster: Cluster, rolled_out: RolledOut, fault: str
) -> None:
    with changed_copy(cluster, rolled_out(QUOTED), fault, QUOTED) as database:
        assert differences(Operator(database, schema=QUOTED).engine.verify()) == FAULTS[fault]


def test_an_edited_function_is_shown_before_and_after(cluster: Cluster, rolled_out: RolledOut) -> None:
    edited = (
        "CREATE OR REPLACE FUNCTION map_clone_category_to_domain(category text) RETURNS text LANGUAGE plpgsql"
        " AS 'BEGIN RETURN ''other''; END;';"
        "CREATE OR REPLACE FUNCTION update_updated_at_column() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
        " AS 'BEGIN RETURN NEW; END;'"
    )
    with changed_copy(cluster, rolled_out("public"), edited) as database:
        found = differences(Operator(database).engine.verify())

    assert set(found) == {"1.1.objects", "6.2.objects"}
    ((subject, before, after),) = found["6.2.objects"]
    assert subject == "function map_clone_category_to_domain(text)"
    assert before is not None and "WHEN 'medical' THEN 'health-wellness'" in before
    assert after is not None and "BEGIN RETURN 'other'; END;" in after
    ((subject, before, after),) = found["1.1.objects"]
    assert subject == "function update_updated_at_column()"
    assert before is not None and "NEW.updated_at = NOW();" in before
    assert after is not None and "SECURITY DEFINER" in after


@pytest.mark.parametrize(
    ("instead", "kind"),
    [("", None), pytest.param("CREATE VIEW assistants AS SELECT 1 AS id", "view", marks=pytest.mark.slow)],
)
def test_a_table_that_is_gone_is_named_with_all_that_went_with_it(
    cluster: Cluster, rolled_out: RolledOut, instead: str, kind: str | None
) -> None:
    with changed_copy(cluster, rolled_out("public"), f"DROP TABLE assistants CASCADE; {instead}") as database:
        found = differences(Operator(database).engine.verify())

    went = [item for shapes in ROLLOUT.shapes.values() for item in shapes[0] if item.table == "assistants"]
    lost = {subject for check, rows in found.items() if check.endswith(".objects") for subject, *_ in rows}
    assert lost == {item.words for item in went} | {
        "constraint clone_rag_mapping_assistant_id_fkey on clone_rag_mapping"
    }
    assert found["1.5.objects"][0] == ("table assistants", "table", kind)
    assert {found for _, _, found in found["1.5.objects"][1:]} == {None}
    assert found["V.tables"] == [("assistants", "table", kind and "not a table")]
    assert found["V.rls"] == [("row level security of assistants", "on", None)]
    assert [len(found[check]) for check in ("V.foreign_keys", "V.policies", "4.grants")] == [4, 4, 2]
    assert found["4.further_policies"] == [("further policies on assistants", "none", None)]
    assert not any(check.startswith(("1.1", "1.2", "1.3", "1.4", "2", "6")) for check in found)


def test_what_was_adopted_is_compared_like_what_was_made(make_database: MakeDatabase) -> None:
    database = make_database()
    paste(database, guide_statements()[:20])
    operator = Operator(database)
    outcome = operator.engine.run()
    assert outcome.verification is not None and outcome.verification.passed
    steps = {step.id: step for step in operator.engine.survey().steps}
    assert ("column experts.name", "adopted") in {(one.words, one.origin) for one in steps["1.2"].objects}
    assert "1.2.objects" in dict(steps["1.2"].checks)

    database.execute("ALTER TABLE experts ALTER name DROP NOT NULL; DROP INDEX idx_experts_domain")

    assert differences(operator.engine.verify()) == {
        "1.2.objects": [("column experts.name", "name text NOT NULL", "name text")],
        "3.objects": [("index idx_experts_domain on experts", INDEX, None)],
    }


def test_what_is_expected_follows_the_applications_columns(make_database: MakeDatabase) -> None:
    database = make_database("creator_id_varchar")
    deploy(database)
    database.execute(f"ALTER {READ} USING (true)")

    ((_, expected, _),) = differences(Operator(database).engine.verify())["4.objects"]

    assert expected == READ_MADE.replace("clones.creator_id =", "(clones.creator_id)::text =")


@pytest.fixture
def nobody(cluster: Cluster) -> Iterator[str]:
    """A login role without any right of its own."""
    cluster.admin.execute(f"CREATE ROLE nobody_special LOGIN PASSWORD '{cluster.admin.password}'", user=SUPERUSER)
    yield "nobody_special"
    cluster.admin.execute("DROP ROLE nobody_special", user=SUPERUSER)


def test_a_role_without_rights_sees_the_same_differences(
    make_database: MakeDatabase, readonly_user: str, nobody: str
) -> None:
    database = make_database("old_grants", "no_shared_function")
    deploy(database)
    database.execute("ALTER TABLE experts ALTER name DROP NOT NULL")
    unseen = {"1.1.domains", "6.1.defaults", "6.2.mapping", "V.domains"}

    for user in (readonly_user, nobody):
        found = differences(Operator(database, user=user).engine.verify())

        assert set(found) == {"1.2.objects", *unseen}
        assert found["1.2.objects"] == [("column experts.name", "name text NOT NULL", "name text")]
        assert all("not visible to this role" in str(found[check][0][2]) for check in unseen)


def test_a_role_that_may_not_use_the_schema_judges_nothing(make_database: MakeDatabase, nobody: str) -> None:
    database = make_database("other_schema")

    verification = Operator(database, user=nobody, schema=QUOTED).engine.verify()

    assert {check.error for check in verification.checks} == {
        f'not visible to this role, so not judged: role "{nobody}" may not use schema "{QUOTED}"'
    }


def test_the_objects_of_all_steps_are_read_in_one_query(cluster: Cluster, rolled_out: RolledOut) -> None:
    with changed_copy(cluster, rolled_out("public")) as database:
        database.log_statements()
        verification = Operator(database).engine.verify()
        sent = database.logged()

    assert verification.passed
    compared = sum(len(check.rows) for check in verification.checks if check.id.endswith(".objects"))
    items = [item for shapes in ROLLOUT.shapes.values() for item in shapes[0] if item.kind is not ItemKind.ROW]
    assert compared == len({item.key for item in items})
    assert sum("pg_get_functiondef" in statement for statement in sent) == 1
