"""COPY between a query, a file and a temporary table, a JSON object a line. What is copied is said elsewhere."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from psycopg import sql

from wizard.db.connect import Connection

FIXED = {
    # The text of every value means the same whoever reads it, on whatever server.
    "datestyle": "ISO, MDY",
    "intervalstyle": "iso_8601",
    "timezone": "UTC",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
}

# JSON holds no control characters, so neither is ever written, and each line is the JSON text as it is.
FORMAT = r"(FORMAT csv, DELIMITER E'\x02', QUOTE E'\x01', ENCODING 'UTF8')"
BLOCK = 1 << 20


def fixed_settings(*, local: bool = True) -> str:
    """The statement that fixes how values are written, for the transaction, else for the session."""
    settings = (sql.SQL("set_config({}, {}, {})").format(n, v, sql.Literal(local)) for n, v in FIXED.items())
    return sql.SQL("SELECT {}").format(sql.SQL(", ").join(settings)).as_string()


@dataclass(frozen=True)
class Copied:
    """What went through."""

    rows: int
    bytes: int
    sha256: str


class LazyFile:
    """A file that is made with the first byte, mode 0600: a query without rows leaves none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream: IO[bytes] | None = None

    def write(self, block: bytes) -> None:
        """Append. Raises OSError."""
        if self._stream is None:
            self._stream = open_new(self.path)
        self._stream.write(block)

    def close(self) -> None:
        """Make it durable and close it. Raises OSError."""
        if self._stream is not None:
            sync(self._stream)
            self._stream.close()

    def abandon(self) -> None:
        """Close it, whatever is in it."""
        if self._stream is not None:
            with suppress(OSError):
                self._stream.close()


def open_new(path: Path) -> IO[bytes]:
    """A new file for this user only. Raises OSError, also if it is there."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def sync(stream: IO[bytes]) -> None:
    """On disk, as far as the system can tell."""
    stream.flush()
    os.fsync(stream.fileno())


def copy_out(connection: Connection, select: str, file: LazyFile) -> Copied:
    """Writes the one JSON column that `select` returns to `file`, a row a line.

    Raises OSError for the file, psycopg.Error for the query; the file may be there in part then.
    """
    digest, size, rows = hashlib.sha256(), 0, 0
    query = sql.SQL("COPY ({}\n) TO STDOUT {}").format(sql.SQL(select), sql.SQL(FORMAT))
    try:
        with connection.cursor() as cursor, cursor.copy(query) as copy:
            for block in copy:
                data = bytes(block)
                file.write(data)
                digest.update(data)
                size += len(data)
                rows += data.count(b"\n")
        file.close()
    except BaseException:
        file.abandon()
        raise
    return Copied(rows, size, digest.hexdigest())


def copy_in(connection: Connection, table: str, path: Path) -> Copied:
    """Sends the file's lines into the column `line` of the temporary table. Raises OSError, psycopg.Error."""
    digest, size, rows = hashlib.sha256(), 0, 0
    query = sql.SQL("COPY pg_temp.{} (line) FROM STDIN {}").format(sql.Identifier(table), sql.SQL(FORMAT))
    with path.open("rb") as stream, connection.cursor() as cursor, cursor.copy(query) as copy:
        while block := stream.read(BLOCK):
            copy.write(block)
            digest.update(block)
            size += len(block)
            rows += block.count(b"\n")
    return Copied(rows, size, digest.hexdigest())


def copy_in_psql(table: str, path: Path) -> str:
    r"""The same for a script: psql's \copy, in one line."""
    command = sql.SQL(r"\copy pg_temp.{} (line) FROM {} {}")
    # psql reads no E'' here, and its own quoting doubles a quote; a backslash stays as it is.
    quoted = "'" + str(path).replace("'", "''") + "'"
    return command.format(sql.Identifier(table), sql.SQL(quoted), sql.SQL(FORMAT)).as_string()
