"""A value may become worth keeping through another column than its own: that change is noted too, and few others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.test_archive import only_archive, rows_in
from tests.support.database import Database
from tests.support.engine import Operator
from wizard.db.connect import connect
from wizard.engine.events import Event, PartStarted
from wizard.engine.keeping.capture import find_captures
from wizard.engine.parts.guard import Guard, select_of
from wizard.engine.session.registry import CREATE, CREATE_ROOM

PART = "0f0f0f0f-1111-2222-3333-444444444444"


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wizard.engine.keeping.capture.LARGE_ROWS", -1)


def test_a_mapping_that_only_the_category_made_worth_keeping_is_kept(database: Database, tmp_path: Path) -> None:
    archives = tmp_path / "archives"
    operator = Operator(database, archives=archives)
    operator.engine.run()
    (key, mapping) = database.query(
        "select id::text, rag_domain_mapping from clones where category = 'medical' order by id limit 1"
    )[0]

    def change(event: Event) -> None:
        if isinstance(event, PartStarted) and (event.step, event.direction) == ("2.1", "revert"):
            database.execute("update clones set category = 'legal' where id = %s", [key])

    operator.listen(change)
    assert operator.engine.rollback_plan().losses == ()
    assert operator.engine.rollback().ending == "done"

    rows = rows_in(only_archive(archives) / "late", "clones")
    assert [(row["id"], row["rag_domain_mapping"]) for row in rows] == [(key, mapping)]
    operator.listen(lambda _: None)
    operator.engine.run()
    assert operator.engine.restore(only_archive(archives)).ending == "done"
    assert database.value("select rag_domain_mapping from clones where id = %s", [key]) == mapping


@pytest.mark.parametrize("partitioned", [False, True])
@pytest.mark.parametrize(
    ("condition", "noted"),
    [
        ("v > 1", {"v"}),
        ("v > CASE kind::text WHEN 'a' THEN 1 END", {"v", "kind"}),
        ('v > "Odd ""name"""', {"v", 'Odd "name"'}),
        ("v > (SELECT o.other FROM (SELECT 1) AS o (other))", {"v", "other"}),
        ("to_jsonb(t) <> '{}'", {"v", "kind", 'Odd "name"', "other"}),
        ("(t.*) IS NOT NULL", {"v", "kind", 'Odd "name"', "other"}),
        ("EXISTS (SELECT * FROM pg_class WHERE relname = kind)", {"v", "kind", 'Odd "name"', "other"}),
    ],
)
def test_the_columns_that_a_condition_reads_are_watched(
    database: Database, condition: str, noted: set[str], partitioned: bool
) -> None:
    database.execute(CREATE)
    database.execute(CREATE_ROOM["archives"])
    columns = 'kind text, v int, other int, "Odd ""name""" int'
    if partitioned:
        database.execute(
            f"create table t (id int primary key, {columns}) partition by hash (id);"
            " create table one (gone int, \"Odd \"\"name\"\"\" int, v int, other int, kind text, id int not null);"
            " alter table one drop gone;"
            " alter table t attach partition one for values with (modulus 1, remainder 0)"
        )  # fmt: skip
    else:
        database.execute(f"create table t (id int primary key, {columns})")
    database.execute('insert into t (id, kind, v, other, "Odd ""name""") values (1, \'a\', 0, 0, 0)')
    guard = Guard("", "t", ("id",), ("v",), select_of("t", ("id", "v"), condition), PART, 1)
    with connect(database.target(), schema="public", read_only=False) as ours:
        (capture,) = find_captures(ours, "public", [guard]).values()
        for statement in capture.making():
            ours.execute(statement.sql.encode())

    found = set()
    for name in ("kind", "v", "other", 'Odd "name"'):
        quoted = '"' + name.replace('"', '""') + '"'
        database.execute(f"update t set {quoted} = {quoted}")
        assert database.value("select count(*) from rag_wizard.captured") == 0, "nothing changed"
        database.execute(f"update t set {quoted} = '7'")
        if database.value("select count(*) from rag_wizard.captured"):
            found.add(name)
        database.execute("delete from rag_wizard.captured")
    assert found == noted
