"""A part in batches as one DO block, for a script that psql runs: the same statements in a loop, a COMMIT each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from psycopg import sql

from wizard.engine.parts import batch as batches
from wizard.engine.parts.batch import page_lines, rest_lines, snapshot_lines
from wizard.engine.parts.pages import TURNS
from wizard.engine.parts.source import PartMessage

BLOCKS = 256
"""Blocks whose rows are changed in turns: 2 MB of the table. The wizard itself goes by how long a batch takes."""
ROW_TIMEOUT = "200ms"
"""How long it waits for a row with others locked: over before the server looks for a deadlock."""
TRIES = 600
"""Then it ends with an error: somebody has kept a row locked for minutes. `rag-wizard run` goes on from there."""

_LOOP = """\
DO $rag_wizard_batches$
DECLARE
    leaf record;
    block bigint;
    turn integer := 0;
    tries integer;
    done boolean;
    number integer := {begun};
BEGIN
    FOR pass IN 1..2 LOOP
{between}
        FOR leaf IN
            WITH RECURSIVE tree AS (
                SELECT {name}::regclass::oid AS oid
                UNION SELECT i.inhrelid FROM tree JOIN pg_inherits AS i ON i.inhparent = tree.oid
            )
            SELECT c.oid::regclass::text AS name, pg_relation_size(c.oid) / current_setting('block_size')::int AS blocks
            FROM tree JOIN pg_class AS c ON c.oid = tree.oid
            WHERE c.relkind = 'r' ORDER BY c.oid
        LOOP
            block := 0;
            WHILE pass = 1 AND block < leaf.blocks LOOP
                turn := 0;
                WHILE turn <= {turns} LOOP
                    SET LOCAL synchronous_commit = on;
                    SET LOCAL row_security = off;
                    SET LOCAL search_path = {path};
{hold_page}
                    number := number + 1;
{pages}
                    COMMIT;
                    turn := turn + 1;
                END LOOP;
                block := block + {blocks};
            END LOOP;
            -- What others had locked, or moved meanwhile. It waits briefly, lets go, and comes again.
            tries := 0;
            done := pass = 1;
            WHILE NOT done LOOP
                SET LOCAL synchronous_commit = on;
                SET LOCAL row_security = off;
                SET LOCAL search_path = {path};
                SET LOCAL lock_timeout = {row_timeout};
{hold}
                tries := tries + 1;
                BEGIN
                    number := number + 1;
{rest}
                    done := true;
                EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
                    number := number - 1;
                    IF tries >= {tries} THEN RAISE; END IF;
                END;
                COMMIT;
                PERFORM CASE WHEN NOT done THEN pg_sleep(0.5) END;
            END LOOP;
        END LOOP;
    END LOOP;
END
$rag_wizard_batches$"""
_VALUES = (
    (batches.NAME, "quote_literal(leaf.name)"),
    (batches.RELATION, "leaf.name"),
    (batches.FIRST, "block::text"),
    (batches.LAST, f"(block + {BLOCKS})::text"),
    (batches.TURNS, f"'{TURNS - 1}'"),
    (batches.TURN, "turn::text"),
    (batches.AS_IT_IS, "''"),
    (batches.NUMBER, "number::text"),
    (batches.REACHED, "quote_literal(jsonb_build_object('phase', 'filling', 'block', block)::text) || '::jsonb'"),
)


def looped(message: PartMessage, path: str, begun: int = 0) -> Iterator[str]:
    """The statements of the part, to be sent one by one. `begun` batches of it are committed already."""
    source = message.source
    batch = source.batch
    assert batch is not None
    hold = "                SET LOCAL session_replication_role = replica;" if source.groups[0].hold_triggers else ""
    # The last line only tells the wizard what the batch did.
    *pages, _ = page_lines(batch, message.part_id, quick=False) if message.page else ("",)
    rest = list(rest_lines(batch, message.part_id))
    between = ""
    if pages:
        note = next(snapshot_lines(batch, message.part_id))
        between = (
            f"        IF pass = 2 THEN\n            EXECUTE {_literal(note)};\n            COMMIT;\n        END IF;"
        )
    else:
        pages, rest = [batches.bare_page(batch)], [batches.bare_rest(batch)]
    yield (
        sql.SQL(_LOOP)
        .format(
            between=sql.SQL(between),
            name=sql.Literal(sql.Identifier(batch.update.table).as_string()),
            hold=sql.SQL(hold),
            hold_page=sql.SQL(hold and f"    {hold}"),
            pages=_executed(pages, 20),
            rest=_executed(rest, 20),
            row_timeout=sql.Literal(ROW_TIMEOUT),
            tries=sql.Literal(TRIES),
            blocks=sql.Literal(BLOCKS),
            turns=sql.Literal(TURNS - 1),
            begun=sql.Literal(begun),
            path=sql.SQL(path),
        )
        .as_string()
    )


def _executed(texts: Iterable[str], indent: int) -> sql.Composable:
    return sql.SQL("\n".join(f"{' ' * indent}EXECUTE {_with_values(text)};" for text in texts))


def _with_values(text: str) -> str:
    found = _literal(text)
    for name, value in _VALUES:
        found = f"replace({found}, '{name}', {value})"
    return found


def _literal(text: str) -> str:
    return sql.Literal(text).as_string()
