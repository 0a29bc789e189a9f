"""What the registry holds of types files: how each was before this rollout wrote to it. It touches no file."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from psycopg.types.json import Jsonb

from wizard.db.connect import Connection
from wizard.db.queries import query
from wizard.engine.session.registry import DURABLY, has_room, require_room
from wizard.typescript.entries import Wanted


@dataclass(frozen=True)
class FileRecord:
    """A types file that this rollout wrote to."""

    host: str
    path: str
    step: str
    before: bytes
    written: str
    """sha256 of what was written last; it is recorded first, so the file may still be as it was."""
    mended: bool
    """Somebody edited it between two times that it was written."""
    wanted: Wanted
    copy: str

    @property
    def is_here(self) -> bool:
        """It lies on this machine."""
        return self.host == socket.gethostname()


def load_files(connection: Connection, rollout_id: str) -> tuple[FileRecord, ...]:
    """Those that were not put back yet, newest first."""
    if not has_room(connection, "files"):
        return ()
    return tuple(
        FileRecord(
            row["host"], row["path"], row["step"], bytes(row["before"]), row["written"], row["mended"],
            Wanted.from_json(row["entries"]), row["copy"],
        )
        for row in connection.execute(query("types_files"), {"rollout_id": rollout_id})
    )  # fmt: skip


def save_file(connection: Connection, rollout_id: str, session_id: str, record: FileRecord) -> None:
    """Records a file before it is written: durably, since the file's own name will be."""
    require_room(connection, "files")
    with connection.transaction():
        connection.execute(DURABLY)
        connection.execute(
            query("save_types_file"),
            {
                "rollout_id": rollout_id,
                "session_id": session_id,
                "step": record.step,
                "host": record.host,
                "path": record.path,
                "before": record.before,
                "written": record.written,
                "mended": record.mended,
                "entries": Jsonb(record.wanted.as_json()),
                "copy": record.copy,
            },
        )


def close_file(connection: Connection, rollout_id: str, record: FileRecord) -> None:
    """Records that nothing of this rollout is left in the file."""
    connection.execute(
        "UPDATE rag_wizard.types_file SET taken_back_at = clock_timestamp()"
        " WHERE rollout_id = %s AND host = %s AND path = %s",
        (rollout_id, record.host, record.path),
    )
