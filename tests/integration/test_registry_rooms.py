"""The registry's tables: the first seven, and those that come when they are needed; all of them closed to everybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.database import ROOMS, Database
from tests.support.engine import Operator
from wizard.errors import RefusedError

ALWAYS = ["guard", "object", "part", "revert", "rollout", "session", "statement"]
TABLES = (
    "select relname::text from pg_class where relnamespace = 'rag_wizard'::regnamespace and relkind = 'r' order by 1"
)
OPEN = """
select relname::text from pg_class where relnamespace = 'rag_wizard'::regnamespace and relkind = 'r'
and (not relrowsecurity or exists (select from aclexplode(relacl) where grantee <> relowner))"""


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
