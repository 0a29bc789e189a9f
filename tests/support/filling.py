"""A rollout of one step that fills one column, and a table for it. No assertions live here."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.support.database import Database
from tests.support.engine import Operator
from wizard.engine.sending import pace
from wizard.rollout.load import load_rollout
from wizard.rollout.model import Rollout

HEADER = 'name = "fill"\ntitle = "Fill"\nminimum_server = 150000\nsteps = ["1"]\n'
STEP = """
id = "1"
title = "Fill"
label = "Fill"
does = "fills"
why = "to be filled"
tables = ["{table}"]

[[deploy]]
sql = "fill.sql"
batched_by = {key}
fills = [{{ table = "{table}", column = "filled", key = {key}, value = "{fills}" }}]
"""


def filling(
    folder: Path, table: str = "things", key: str = '["id"]', value: str = "'x'", fills: str = "'x'"
) -> Rollout:
    """The rollout, written to `folder` and loaded. `fills` is what a rollback takes for a value that it filled in."""
    (folder / "steps").mkdir()
    (folder / "sql").mkdir()
    (folder / "steps" / "rollout.toml").write_text(HEADER)
    (folder / "steps" / "1.toml").write_text(STEP.format(table=table, key=key, fills=fills))
    (folder / "sql" / "fill.sql").write_text(f"UPDATE {table} SET filled = {value} WHERE filled IS NULL")
    return load_rollout(folder)


def make_things(
    database: Database, columns: str = "id bigint PRIMARY KEY", partitions: str = "", rows: int = 1000
) -> None:
    """The table: a tenth of its rows are filled already."""
    database.execute(f"create table things ({columns}, n int, filled text, pad text){partitions}")
    if partitions:
        for part in range(3):
            database.execute(
                f"create table things_{part} partition of things for values with (modulus 3, remainder {part})"
            )
    named = "id, n, pad" if "id bigint" in columns else "n, pad"
    values = "g, g, repeat('.', 200)" if "id bigint" in columns else "g, repeat('.', 200)"
    database.execute(f"insert into things ({named}) select {values} from generate_series(1, {rows}) as g")
    database.execute("update things set filled = 'own' where n % 10 = 0")


def fill(database: Database, rollout: Rollout, **settings: object) -> Operator:
    """Who runs it online, in batches of 100 rows."""
    return Operator(database, rollout, strategy="online", **{"batch_rows": 100, **settings})


def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of the asked size, each by itself, however slow the machine is that measures what they take."""
    monkeypatch.setattr(pace, "FAR_S", math.inf)
    monkeypatch.setattr(pace, "LONG_BATCH_S", math.inf)
