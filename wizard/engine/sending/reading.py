"""Reads of a part's own tables around it: as patient as the part is, and cancelled as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import psycopg
from psycopg import errors

from wizard.db.reading import Rows
from wizard.engine.parts.paths import setting, wide_path
from wizard.engine.sending.etiquette import LOCK_CODES, Etiquette
from wizard.engine.sending.send import PartFailedError, StoppedError
from wizard.engine.sitting import Sitting

T = TypeVar("T")


def read_patiently(here: Sitting, etiquette: Etiquette, sql: str, read: Callable[[], T]) -> T:
    """What `read` returns, which asks for `sql`; it is called again while somebody has the table for themselves.

    Raises StoppedError if the operator cancelled, PartFailedError when the patience is over, and whatever else the
    server says as it gave it.
    """
    etiquette.begin_anew()
    while True:
        etiquette.begin_try()
        try:
            with here.steering.cancellable(here.connection):
                return read()
        except errors.QueryCanceled:
            if not here.steering.cancelled:
                raise
            raise StoppedError from None
        except psycopg.Error as error:
            if error.sqlstate not in LOCK_CODES:
                raise
            failed = PartFailedError(error, None, (0, 0))
        wait_in_turn(here, etiquette, failed, sql)


def read_widely(here: Sitting, select: str) -> Rows:
    """The rows of one SELECT that calls what a statement that writes rows may call, and finds it in the same places.

    Raises psycopg.Error as the server gave it.
    """
    # One message without BEGIN is one transaction: the path ends with it, also where the server refuses the SELECT.
    cursor = here.connection.execute(f"{setting(wide_path(here.settings.schema))};\n{select}".encode())
    cursor.nextset()
    return cursor.fetchall()


def wait_in_turn(here: Sitting, etiquette: Etiquette, failed: PartFailedError, sql: str) -> None:
    """Between two tries, when nothing is held. Raises `failed` when there is no other, StoppedError."""
    pause = etiquette.let_go(failed.sqlstate, sql)
    if pause is None:
        failed.seen = etiquette.seen
        raise failed
    if here.steering.wait(pause):
        raise StoppedError
