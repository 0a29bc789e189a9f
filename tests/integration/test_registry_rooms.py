"""The registry's tables: the first seven, and those that come when they are needed; all of them closed to everybody."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg import sql

from tests.integration.test_archive import KilledError
from tests.support.database import ROOMS, Database
from tests.support.engine import Operator
from wizard.demo.server import SUPERUSER
from wizard.engine.events import Event, PartStarted
from wizard.errors import RefusedError

ALWAYS = ["guard", "object", "part", "revert", "rollout", "session", "statement"]
TABLES = (
    "select relname::text from pg_class where relnamespace = 'rag_wizard'::regnamespace and relkind = 'r' order by 1"
)
OPEN = """
select relname::text from pg_class where relnamespace = 'rag_wizard'::regnamespace and relkind = 'r'
and (not relrowsecurity or exists (select from aclexplode(relacl) where grantee <> relowner))"""

OWNERS = """
select distinct pg_get_userbyid(relowner)::text from pg_class where relnamespace = 'rag_wizard'::regnamespace"""


def tables(database: Database) -> list[str]:
    """Of the registry."""
    return [name for (name,) in database.query(TABLES)]


def test_tables_come_when_they_are_needed_and_are_closed(database: Database, tmp_path: Path) -> None:
    database.execute("alter default privileges for role postgres grant select on tables to anon, public")

    Operator(database, strategy="atomic").engine.run()
    assert tables(database) == ALWAYS
    assert database.query(OPEN) == []

    database.execute("insert into experts (name, domain, context) values ('late', 'other', '')")
    assert Operator(database, archives=tmp_path).engine.rollback().ending == "done"
    archives = ["archive", "archive_file", "capture", "captured", "late_row"]
    assert tables(database) == sorted([*ALWAYS, *archives])

    Operator(database, strategy="online").engine.run()
    assert tables(database) == sorted([*ALWAYS, *archives, "batch", "leftover"])
    assert database.query(OPEN) == []


def test_tables_that_a_superuser_needs_first_belong_to_the_registrys_owner(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wizard.engine.keeping.capture.LARGE_ROWS", -1)
    owner = Operator(database, strategy="online", archives=tmp_path)
    owner.engine.run(last="5")
    database.execute("update clones set rag_expert_name = 'kept' where id = (select min(id::text)::uuid from clones)")
    superuser = Operator(database, strategy="online", archives=tmp_path, user=SUPERUSER)

    database.psql(superuser.engine.plan(), user=SUPERUSER)
    superuser.listen(_die_before_the_drop)
    with pytest.raises(KilledError):
        superuser.engine.rollback()

    assert database.query(OWNERS) == [("postgres",)]
    assert {"archive", "captured", "batch"} <= set(tables(database))
    assert owner.engine.survey().archives == ()
    assert owner.engine.rollback().ending == "done"
    owner.engine.forget()


def test_who_may_not_take_the_owners_role_makes_its_tables_itself(database: Database) -> None:
    """Such memberships are there from PostgreSQL 16 on; before, every member may take the role."""
    Operator(database, strategy="online").engine.run(last="5")
    modern = int(database.value("show server_version_num")) >= 160000
    option = sql.SQL("with inherit true, set false" if modern else "")
    with database.connect(SUPERUSER) as admin:
        password = sql.Literal(database.password)
        admin.execute(sql.SQL("create role colleague login password {}").format(password))
        admin.execute(sql.SQL("grant postgres to colleague {}").format(option))
    colleague = Operator(database, strategy="online", user="colleague")
    try:
        assert colleague.engine.run(last="6.2").ending == "done"

        made = "select pg_get_userbyid(relowner)::text from pg_class where oid = 'rag_wizard.batch'::regclass"
        assert database.value(made) == ("colleague" if modern else "postgres")
    finally:
        with database.connect(SUPERUSER) as admin:
            admin.execute("reassign owned by colleague to postgres")
            admin.execute("drop owned by colleague")
            admin.execute("drop role colleague")


def _die_before_the_drop(event: Event) -> None:
    if isinstance(event, PartStarted) and (event.step, event.direction) == ("2.1", "revert"):
        raise KilledError


def test_a_room_with_a_table_missing_is_damage_and_never_taken_for_empty(database: Database, tmp_path: Path) -> None:
    Operator(database, strategy="atomic").engine.run()
    database.execute("insert into experts (name, domain, context) values ('late', 'other', '')")
    Operator(database, archives=tmp_path).engine.rollback()
    database.execute("drop table rag_wizard.archive")

    with pytest.raises(RefusedError, match=r"the registry is damaged: rag_wizard\.archive is missing"):
        Operator(database).engine.survey()


def test_the_rooms_and_what_is_always_there_share_no_table() -> None:
    names = [table.removeprefix("rag_wizard.") for table in ROOMS]

    assert len(names) == len(set(names)) == 9
    assert not set(names) & set(ALWAYS)
