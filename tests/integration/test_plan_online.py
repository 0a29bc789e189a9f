"""Strategy online: what the preview shows is what the server receives, the parameters of a batch replaced by values."""

from __future__ import annotations

import json
import re

import psycopg
import pytest

from tests.conftest import MakeDatabase
from tests.support.engine import Operator
from tests.support.filling import steady
from wizard.engine.events import BackfillProgressed, Event
from wizard.engine.parts.batch import PARAMETER


def pattern(shown: str) -> str:
    """Matches what is sent for it: each of its parameters has one value throughout."""
    known: set[str] = set()
    pieces, end = [], 0
    for found in PARAMETER.finditer(shown):
        name = found[0].lstrip(":")
        pieces.append(re.escape(shown[end : found.start()]))
        pieces.append(f"(?P={name})" if name in known else f"(?P<{name}>.+?)")
        known.add(name)
        end = found.end()
    return "".join((*pieces, re.escape(shown[end:]))).replace(":ROW_COUNT", r"\d+")


def message(lines: list[str]) -> re.Pattern[str]:
    """The lines as one message."""
    return re.compile(pattern(";\n".join(lines) + ";"), re.DOTALL)


def cut(lines: list[str]) -> list[list[str]]:
    """The lines of a part, transaction by transaction."""
    ends = [index for index, line in enumerate(lines, 1) if line == "COMMIT"]
    return [lines[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


@pytest.mark.parametrize("variants", [(), ("unset_columns_before",)])
def test_the_preview_is_what_the_server_receives(
    make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch, variants: tuple[str, ...]
) -> None:
    steady(monkeypatch)
    database = make_database(*variants, rows=240)
    operator = Operator(database, strategy="online", batch_rows=100)
    parts = [[line.sql for line in part.statements] for step in operator.engine.survey().steps for part in step.parts]
    database.log_statements()
    with psycopg.connect(database.conninfo()) as holder:

        def hold(event: Event) -> None:
            """One row of the last backfill is locked until its sweep waits for it."""
            if isinstance(event, BackfillProgressed) and event.step == "6.2":
                if event.phase == "counting":
                    holder.execute("select from clones limit 1 for update")
                elif event.slowed:
                    holder.rollback()

        operator.listen(hold)
        assert operator.engine.run().ending == "done"

    logged = [text.strip() for text in database.logged()]
    sent, position = "\n".join(logged), 0
    batched = [part for part in parts if any("rag_wizard_batch" in line for line in part)]
    for part in parts:
        # Where nothing was left over, or nothing was to be filled, there is no batch to be found.
        for line in part if part is batched[-1] or part not in batched else []:
            found = re.compile(pattern(line), re.DOTALL).search(sent, position)
            assert found, f"shown, but not sent in this order: {line}"
            position = found.end()

    # What has to hold before the first batch is no transaction of its own.
    lines = [line for line in batched[-1] if "has no table" not in line]
    _, quick, careful, _, sweep = (message(lines) for lines in cut(lines)[:5])
    tried = [found for text in logged if (found := quick.fullmatch(text))]
    left_out = [found for text in logged if (found := careful.fullmatch(text))]
    sweeps = [found for text in logged if (found := sweep.fullmatch(text))]
    # The first page is sent again, without the row that is held.
    assert len(left_out) == 1
    pages = [*left_out, *tried[1:]]
    changes = [text for text in logged if "UPDATE ONLY" in text and "changed AS" in text]
    rows = database.query(
        "select b.number, b.covered->>'block' from rag_wizard.batch b join rag_wizard.part using (part_id)"
        " where step = '6.2' and covered->>'phase' = 'filling' order by 1"
    )
    assert [(int(one["rag_wizard_batch"]), one["rag_wizard_last_block"]) for one in pages] == rows
    assert all(json.loads(one["rag_wizard_reached"].split("'")[1])["phase"] == "filling" for one in pages)
    assert len(pages) >= 2
    assert sweeps
    assert len(tried) + len(left_out) + len(sweeps) == len([text for text in changes if "rag_domain_mapping" in text])


def test_statements_outside_of_a_transaction_are_shown_with_the_settings_around_them(
    make_database: MakeDatabase,
) -> None:
    database = make_database()
    operator = Operator(database, strategy="online")
    parts = [[line.sql for line in part.statements] for step in operator.engine.survey().steps for part in step.parts]
    outside = [part for part in parts if any("INDEX CONCURRENTLY" in line for line in part)]
    database.log_statements()

    operator.engine.run()

    logged = [text.strip().rstrip(";") for text in database.logged()]
    alone = ("SET lock_timeout", "SET statement_timeout", "SET transaction_timeout", "RESET ", "CREATE INDEX CONC")
    sent = [text for text in logged if text.startswith(alone)]
    assert sent == [line for part in outside for line in part if line.startswith(alone)]
    assert len(outside) == 3
