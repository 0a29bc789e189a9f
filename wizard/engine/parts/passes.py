"""The log's row of one pass of a part in batches: from its first batch to its checkpoint, however often interrupted.

It is there before the batches, so that whatever becomes of the pass the log has what they were made of. Until it has
an end the part's row says how much of it is committed, and who sends it. A part that is done and asked for again makes
another pass.
"""

from __future__ import annotations

from psycopg import sql

from wizard.engine.parts.literal import filled
from wizard.engine.parts.source import PartSource

_BEGIN = """\
INSERT INTO rag_wizard.statement (part_id, ordinal, sql, outcome, hold_triggers, file, line)
SELECT {0}, coalesce(max(ordinal), 0) + 1, {1}, 'committed', {2}, {3}, {4}
FROM rag_wizard.statement WHERE part_id = {0}
HAVING bool_and(finished_at IS NOT NULL) IS NOT FALSE"""
"""A pass that was interrupted has its row already."""
_END = """\
UPDATE rag_wizard.statement
SET finished_at = clock_timestamp(), lsn = pg_current_wal_insert_lsn(),
    (ordinal, rows, batches, session_id, started_at, xid) = (
        SELECT coalesce(max(earlier.ordinal), 0) + 1, part.rows - coalesce(sum(earlier.rows), 0),
               part.batches - coalesce(sum(earlier.batches), 0), part.session_id, part.started_at, part.xid
        FROM rag_wizard.part AS part
        LEFT JOIN rag_wizard.statement AS earlier ON earlier.part_id = {0} AND earlier.finished_at IS NOT NULL
        WHERE part.part_id = {0} GROUP BY part.part_id
    )
WHERE part_id = {0} AND finished_at IS NULL"""
"""Behind the failures on its way; its rows are those that no earlier pass changed.

Who made it, when and in which transaction is kept with it: the next pass writes its own into the part.
"""


def begin_pass(part_id: str, source: PartSource) -> str:
    """With the intent, or with what goes on with it."""
    group, statement = source.groups[0], source.groups[0].statements[0]
    return filled(sql.SQL(_BEGIN), part_id, statement.sql, group.hold_triggers, statement.file, statement.line)


def end_pass(part_id: str) -> str:
    """With the checkpoint."""
    return filled(sql.SQL(_END), part_id)
