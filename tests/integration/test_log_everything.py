"""The log of every rollout in the registry, as `forget` saves it: psql replays each in the schema that it was for."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import MakeDatabase
from tests.support.database import Database
from tests.support.engine import Operator
from wizard.export.log import LogHeader, export_log
from wizard.rollout.load import load_rollout

TINY = Path(__file__).parent.parent / "rollouts" / "tiny"
VOLATILE = {"id", "created_at", "updated_at"}
TENANT = "Tenant b"
ANOTHER_SCHEMA = """
    create schema "Tenant b";
    grant usage on schema "Tenant b" to anon, authenticated, service_role;
    set search_path = "Tenant b";
    create table clones (like public.clones including all);
    create table knowledge (like public.knowledge including all);
    alter table knowledge add foreign key (clone_id) references clones on delete cascade;
    insert into clones select * from public.clones where category = 'legal' or category is null;
    insert into knowledge select * from public.knowledge where clone_id in (select id from clones)
"""


def two_schemas(make_database: MakeDatabase) -> Database:
    database = make_database()
    database.execute(ANOTHER_SCHEMA)
    return database


def test_psql_replays_rollouts_of_two_schemas_that_took_turns(make_database: MakeDatabase) -> None:
    database, twin = two_schemas(make_database), two_schemas(make_database)
    assert Operator(database).engine.run(last="2.1").ending == "done"
    assert Operator(database, schema=TENANT).engine.run().ending == "done"
    assert Operator(database, load_rollout(TINY), schema=TENANT).engine.run().ending == "done"
    assert Operator(database).engine.run().ending == "done"
    assert Operator(database, schema=TENANT).engine.rollback("4").ending == "done"
    engine = Operator(database).engine
    log = export_log(engine.statements(everything=True), "sql", LogHeader("acme-test", "", "phase-1", "public"))
    engine.forget(keep_objects=True)

    twin.psql(log)

    assert database.dump() == twin.dump()
    assert database.digest(VOLATILE, schemas=["public", TENANT]) == twin.digest(VOLATILE, schemas=["public", TENANT])
