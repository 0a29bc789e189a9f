"""What is told once a backfill is done: rows that came since, and what it left behind."""

from __future__ import annotations

import psycopg
from psycopg import sql

from wizard.engine.events import Noticed
from wizard.engine.parts.batch import counting_others
from wizard.engine.parts.source import PartMessage
from wizard.engine.sending.reading import read_widely
from wizard.engine.sitting import Sitting
from wizard.text import plural

MANY_ROWS = 10_000
"""From so many rows on it is worth saying that a vacuum helps."""


def tell_newcomers(here: Sitting, message: PartMessage) -> None:
    """Rows that came after the sweep's snapshot, or were changed since: reported, never waited for.

    The part is done, whatever becomes of this look.
    """
    source = message.source
    if source.batch is None or source.direction != "deploy":
        return
    table, since = source.batch.update.table, f"came or changed since the last look of {source.step}"
    again = f"this fills them: {here.settings.command} run --from {source.step} --to {source.step}"
    try:
        with here.steering.cancellable(here.connection):
            number = int(read_widely(here, counting_others(source.batch, message.part_id))[0]["number"])
    except psycopg.Error as error:
        if here.connection.broken:
            raise
        if not here.steering.cancelled:
            why = error.diag.message_primary or str(error)
            text = f"how many rows of {table} {since} could not be counted: {why}; {again}"
            here.emit(Noticed(step=source.step, text=text))
        return
    if number:
        here.emit(Noticed(step=source.step, text=f"{plural(number, 'row')} of {table} {since}; {again}"))


def offer_vacuum(here: Sitting, message: PartMessage, rows: int) -> None:
    """Every row that was written left its old version behind, and statistics know nothing of the new values."""
    source = message.source
    assert source.batch is not None
    if rows >= MANY_ROWS:
        table = sql.Identifier(source.batch.update.table).as_string()
        here.emit(
            Noticed(
                step=source.step,
                text=f"VACUUM (ANALYZE) {table}; tidies up behind its {rows:,} rewritten rows, autovacuum does later",
            )
        )
