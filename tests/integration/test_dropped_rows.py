"""Taking back a row that a run added, by a condition that is the rollout's own SQL."""

from __future__ import annotations

import json

from tests.support.database import Database
from wizard.rollout.item_sql import drop_sql
from wizard.rollout.shape import Item, ItemKind


def test_a_condition_may_name_columns_that_are_called_as_variables_of_the_block(database: Database) -> None:
    database.execute("create table pages (path text, used boolean, child text)")
    rows = [{"path": "/", "used": True, "child": "a"}, {"path": "/edited", "used": True, "child": "b"}]
    for row in rows:
        database.execute("insert into pages select * from jsonb_populate_record(null::pages, %s)", [json.dumps(row)])

    for row in rows:
        item = Item(
            kind=ItemKind.ROW, table="pages", name=json.dumps({"path": row["path"]}), definition=json.dumps(row)
        )
        database.execute(drop_sql(item, "path IS DISTINCT FROM '/' OR used IS NOT TRUE OR child IS NULL"))

    assert database.query("select path from pages") == [("/edited",)]
