"""Composes the messages of a part that is sent in batches: one page of a table, what was left over, the end.

A page is a range of a table's blocks: its rows are found by where they lie. So a block is read and written within a
short time, whatever the key is, and a batch costs the same at the end of a large table as at its beginning. The rows
of a page are changed in turns, a batch each: what one turn leaves behind is room for the next, where all rows at once
would need as much new room as the table has already.
https://www.postgresql.org/docs/current/storage-hot.html

A batch is changed straight away, and waits for a row that somebody has locked for some milliseconds. If that is not
enough its rows are locked before they are changed, which takes half as long again, and those of others are left to the
sweep. https://www.postgresql.org/docs/current/sql-select.html#SQL-FOR-UPDATE-SHARE
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from psycopg import sql

from wizard.engine.looking.live import json_object
from wizard.rollout.model import Fill
from wizard.rollout.statements import Statement
from wizard.rollout.update import PlainUpdate, plain_update

RELATION = ":rag_wizard_relation"
NAME = ":rag_wizard_relation_name"
FIRST = ":rag_wizard_first_block"
LAST = ":rag_wizard_last_block"
TURNS = ":rag_wizard_turns"
TURN = ":rag_wizard_turn"
AS_IT_IS = ":rag_wizard_as_it_is"
NUMBER = ":rag_wizard_batch"
REACHED = ":rag_wizard_reached"
AFTER = ":rag_wizard_after"
UP_TO = ":rag_wizard_up_to"
KEY_COLUMNS = ":rag_wizard_key_columns"
DURABLY = ":rag_wizard_durably"
"""What differs from batch to batch, as it is named in what is shown."""
MEANING = {
    RELATION: "the table, or one of its partitions",
    NAME: "the same as text",
    FIRST: "first block of the page",
    LAST: "the block after the page",
    TURNS: "its rows are changed in so many turns, less one: 7, or 0 where they need little room",
    TURN: "which of them it is, from 0: a share of each block's rows",
    AS_IT_IS: "a column of each index that is not unique, set to itself: no search for old entries first",
    NUMBER: "which batch it is, from 1",
    REACHED: "what the checkpoint says is reached then",
    AFTER: "in the sweep: the last key that was looked at",
    UP_TO: "in the sweep: the last key of this batch",
    KEY_COLUMNS: "the columns of the key with their types",
    DURABLY: "on for the last batch of a message: it waits for the disk for those before it too",
}
"""What each of them is, in words."""
PARAMETER = re.compile(r":rag_wizard_[a-z_]+")

_NEXT = """\
DO $rag_wizard$
BEGIN
    UPDATE rag_wizard.part
    SET batches = {number}, reached = {reached}, started_at = coalesce(started_at, clock_timestamp()),
        backend_pid = pg_backend_pid()
    WHERE part_id = {part} AND state = 'intent' AND batches = {number} - 1;
    IF NOT FOUND THEN RAISE EXCEPTION 'batch %: its turn has not come, or is over', {number}; END IF;
END
$rag_wizard$"""
_BEGAN = """\
greatest(now(), (SELECT finished_at FROM rag_wizard.batch WHERE part_id = {part} AND number = {number} - 1))"""
"""now() is when the message came, which may hold several batches."""
_BARE = """\
WITH picked AS MATERIALIZED (
    SELECT ctid FROM ONLY {relation} AS {table}
    WHERE ctid >= '({first},0)' AND ctid < '({last},0)' AND hashtid(ctid) & {turns} = {turn} AND (
{condition}
    )
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE ONLY {relation} AS {table}
SET {assignments}
    {as_it_is}
WHERE ctid = ANY (ARRAY(SELECT ctid FROM picked))"""
_QUICK = """\
-- a page of the table
WITH changed AS (
    UPDATE ONLY {relation} AS {table}
    SET {assignments}
        {as_it_is}
    WHERE ctid >= '({first},0)' AND ctid < '({last},0)' AND hashtid(ctid) & {turns} = {turn} AND (
{condition}
    )
    RETURNING {noted} AS key
){remembered}
INSERT INTO rag_wizard.batch (part_id, number, rows, covered, began_at)
SELECT {part}, {number}, count(*), {reached}, {began} FROM changed"""
_PAGE = """\
-- a page of the table in which somebody has locked a row, which is left out
WITH picked AS MATERIALIZED (
    SELECT ctid FROM ONLY {relation} AS {table}
    WHERE ctid >= '({first},0)' AND ctid < '({last},0)' AND hashtid(ctid) & {turns} = {turn} AND (
{condition}
    )
    FOR NO KEY UPDATE SKIP LOCKED
), changed AS (
    UPDATE ONLY {relation} AS {table}
    SET {assignments}
        {as_it_is}
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM picked))
    RETURNING {noted} AS key
){remembered}
INSERT INTO rag_wizard.batch (part_id, number, rows, covered, began_at)
SELECT {part}, {number}, count(*), {reached}, {began} FROM changed"""
_BARE_REST = """\
UPDATE ONLY {relation} AS {table}
SET {assignments}
WHERE (
{condition}
)"""
_REST = """\
WITH changed AS (
    UPDATE ONLY {relation} AS {table}
    SET {assignments}
    WHERE (
{condition}
    )
    RETURNING {key} AS key
){remembered}
INSERT INTO rag_wizard.batch (part_id, number, rows, covered, began_at)
SELECT {part}, {number}, count(*), {reached}, {began} FROM changed"""
_REMEMBERED = """, remembered AS (
    INSERT INTO rag_wizard.filled (part_id, table_name, column_name, key)
    SELECT {part}, {table}, {column}, key FROM changed
)"""
_COUNTED = """\
UPDATE rag_wizard.part AS part SET rows = part.rows + batch.rows
FROM rag_wizard.batch AS batch
WHERE part.part_id = {part} AND batch.part_id = {part} AND batch.number = {number}"""
_DONE = """\
SELECT rows, extract(epoch FROM clock_timestamp() - began_at)
FROM rag_wizard.batch WHERE part_id = {part} AND number = {number}"""
_SNAPSHOT = """\
DO $rag_wizard$
BEGIN
    UPDATE rag_wizard.part
    SET reached = '{{"phase": "sweeping"}}', xid = pg_current_xact_id(),
        horizon = pg_snapshot_xmin(pg_current_snapshot()),
        started_at = coalesce(started_at, clock_timestamp()), backend_pid = pg_backend_pid()
    WHERE part_id = {part} AND state = 'intent';
    IF NOT FOUND THEN RAISE EXCEPTION 'the sweep: its turn has not come, or is over'; END IF;
    DELETE FROM rag_wizard.leftover WHERE part_id = {part};
END
$rag_wizard$"""
_LEFT_OVER = """\
INSERT INTO rag_wizard.leftover (part_id, relation, key)
SELECT {part}, tableoid::regclass::text, {key} FROM {table}
WHERE (
{condition}
)"""
_SWEEP = """\
-- rows that were left out, or came since
WITH page AS MATERIALIZED (
    SELECT {typed_key}
    FROM rag_wizard.leftover AS leftover
    CROSS JOIN LATERAL jsonb_to_record(leftover.key) AS typed ({key_columns})
    WHERE leftover.part_id = {part} AND leftover.relation = {relation_name}
        AND leftover.number > {after} AND leftover.number <= {up_to}
), picked AS MATERIALIZED (
    SELECT {table}.ctid
    FROM ONLY {relation} AS {table} JOIN page ON {matches}
    WHERE (
{condition}
    )
    FOR NO KEY UPDATE OF {table} SKIP LOCKED
), changed AS (
    UPDATE ONLY {relation} AS {table}
    SET {assignments}
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM picked))
    RETURNING {key} AS key
), settled AS (
    DELETE FROM rag_wizard.leftover USING changed
    WHERE leftover.part_id = {part} AND leftover.relation = {relation_name}
        AND leftover.number > {after} AND leftover.number <= {up_to} AND leftover.key = changed.key
){remembered}
INSERT INTO rag_wizard.batch (part_id, number, rows, covered, began_at)
SELECT {part}, {number}, count(*), {reached}, {began} FROM changed"""
_SETTLED = """\
DELETE FROM rag_wizard.leftover WHERE part_id = {part} AND number IN (
    SELECT leftover.number
    FROM rag_wizard.leftover AS leftover
    CROSS JOIN LATERAL jsonb_to_record(leftover.key) AS typed ({key_columns})
    WHERE leftover.part_id = {part} AND leftover.relation = {relation_name}
        AND leftover.number > {after} AND leftover.number <= {up_to}
        AND NOT EXISTS (
            SELECT FROM ONLY {relation} AS {table} WHERE {is_row} AND (
{condition}
            )
        )
)"""


@dataclass(frozen=True)
class Batch:
    """An UPDATE that is sent in batches."""

    update: PlainUpdate
    key: tuple[str, ...]
    remembers: Fill | None = None
    """The column was there before: which rows are filled is noted."""


def batch_of(statement: Statement, key: tuple[str, ...]) -> Batch:
    """The batch of a statement that plain_update() can take apart."""
    update = plain_update(statement.sql)
    assert update is not None
    return Batch(update, key, statement.remembers)


def page_lines(batch: Batch, part_id: str, *, quick: bool) -> Iterator[str]:
    """Between BEGIN and COMMIT of a page: checkpoint first. `quick`: nobody is thought to have locked one of its rows.

    The last statement answers how many rows were changed, and how many seconds the transaction has taken by then.
    """
    yield _filled(_NEXT, batch, part_id)
    yield _filled(_QUICK if quick else _PAGE, batch, part_id)
    yield _filled(_COUNTED, batch, part_id)
    yield _filled(_DONE, batch, part_id)


def rest_lines(batch: Batch, part_id: str) -> Iterator[str]:
    """All that is left of one table, wherever its rows lie; it waits for those that others have locked."""
    yield _filled(_NEXT, batch, part_id)
    yield _filled(_REST, batch, part_id)
    yield _filled(_COUNTED, batch, part_id)


def bare_page(batch: Batch) -> str:
    """A page of which nothing is noted, for a script without a registry."""
    return _filled(_BARE, batch, "")


def bare_rest(batch: Batch) -> str:
    """The same of all that is left of one table."""
    return _filled(_BARE_REST, batch, "")


def snapshot_lines(batch: Batch, part_id: str) -> Iterator[str]:
    """Notes every row that one snapshot, taken after the last page, still holds unchanged."""
    yield _filled(_SNAPSHOT, batch, part_id)
    yield _filled(_LEFT_OVER, batch, part_id)


def sweep_lines(batch: Batch, part_id: str) -> Iterator[str]:
    """Between BEGIN and COMMIT of a batch of those; a row that is gone, or filled by others, needs nothing more.

    Of a row that somebody changes between the statement's snapshot and its lock, the new version is locked but not
    changed, since the snapshot does not have it: only what was changed is settled, so the next look finds it again.
    """
    yield _filled(_NEXT, batch, part_id)
    yield _filled(_SWEEP, batch, part_id)
    # In a statement of its own, which sees what the one before it changed.
    yield _filled(_SETTLED, batch, part_id)
    yield _filled(_COUNTED, batch, part_id)
    yield _filled(_DONE, batch, part_id)


def with_values(text: str, values: Mapping[str, str]) -> str:
    """`text` with the value of each of its parameters, which are SQL already."""
    return PARAMETER.sub(lambda found: values.get(found[0], found[0]), text)


def counting(batch: Batch) -> str:
    """SELECT of one row: `number` of rows that are to be changed."""
    return (
        sql.SQL("SELECT count(*) AS number FROM {table} WHERE (\n{condition}\n)")
        .format(table=sql.Identifier(batch.update.table), condition=sql.SQL(batch.update.condition))
        .as_string()
    )


def counting_others(batch: Batch, part_id: str) -> str:
    """The same without rows that the part's own batches wrote: of those the value that they got is NULL."""
    return (
        sql.SQL(
            "SELECT count(*) AS number FROM {table} WHERE (\n{condition}\n)\n"
            "AND {table}.xmin::text::bigint NOT IN\n"
            "    (SELECT batch.xid::text::bigint & 4294967295 FROM rag_wizard.batch WHERE batch.part_id = {part})"
        )
        .format(
            table=sql.Identifier(batch.update.table), condition=sql.SQL(batch.update.condition),
            part=sql.Literal(part_id),
        )
        .as_string()
    )  # fmt: skip


def _filled(template: str, batch: Batch, part_id: str) -> str:
    table, part = batch.update.table, sql.Literal(part_id)
    names = [(sql.Identifier(column), sql.Identifier(f"rag_wizard_key_{n}")) for n, column in enumerate(batch.key, 1)]
    together = sql.SQL(" AND ")
    remembered: sql.Composable = sql.SQL("")
    if batch.remembers is not None:
        remembered = sql.SQL(_REMEMBERED).format(
            part=part, table=sql.Literal(batch.remembers.table), column=sql.Literal(batch.remembers.column)
        )
    return (
        sql.SQL(template)
        .format(
            part=part,
            table=sql.Identifier(table),
            relation=sql.SQL(RELATION),
            relation_name=sql.SQL(NAME),
            condition=sql.SQL(batch.update.condition),
            assignments=sql.SQL(batch.update.assignments),
            key=json_object(table, batch.key),
            noted=json_object(table, batch.key) if batch.remembers is not None else sql.SQL("NULL"),
            typed_key=sql.SQL(", ").join(sql.SQL("typed.{} AS {}").format(*one) for one in names),
            matches=together.join(
                sql.SQL("{}.{} = page.{}").format(sql.Identifier(table), column, name) for column, name in names
            ),
            is_row=together.join(
                sql.SQL("{}.{} = typed.{}").format(sql.Identifier(table), column, column) for column, _ in names
            ),
            remembered=remembered,
            first=sql.SQL(FIRST),
            last=sql.SQL(LAST),
            turns=sql.SQL(TURNS),
            turn=sql.SQL(TURN),
            as_it_is=sql.SQL(AS_IT_IS),
            number=sql.SQL(NUMBER),
            began=sql.SQL(_BEGAN).format(part=part, number=sql.SQL(NUMBER)),
            reached=sql.SQL(REACHED),
            after=sql.SQL(AFTER),
            up_to=sql.SQL(UP_TO),
            key_columns=sql.SQL(KEY_COLUMNS),
        )
        .as_string()
    )
