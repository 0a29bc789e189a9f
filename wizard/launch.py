"""What one start of the program was asked for, as plain data for command line and screen; open.py opens it."""

from __future__ import annotations

import getpass
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import SecretStr

DEFAULT_LOCK_TIMEOUT_MS = 700


def default_state_dir() -> Path:
    """Where this user's demo data, exported logs and crash reports go without --state-dir."""
    from platformdirs import user_state_path

    return user_state_path("rag-wizard")


def default_operator() -> str:
    """The operating system's user and host, since in the database everybody is `postgres`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


@dataclass(frozen=True)
class Launch:
    """The common options of one start, resolved against their defaults. Imports nothing heavy, opens nothing."""

    dsn: str | None = field(default=None, repr=False)
    """libpq URL or conninfo as given; may hold a password, so it is left out of repr."""
    password: SecretStr | None = field(default=None, repr=False)
    """Typed by the operator, because the server asked for one and none was found."""
    demo: bool = False
    fresh: bool = False
    """Begin the demo database anew."""
    rows: int | None = None
    """Size of the demo database, in clones; None: the demo's default."""
    target_name: str = ""
    """Overrides the target name found in the connection settings."""
    env: str = ""
    """Overrides RAG_WIZARD_ENV and the guess by host."""
    schema: str = "public"
    rollout: Path | None = None
    """Folder of another rollout; None: the built-in phase-1."""
    strategy: str = "auto"
    """auto, atomic or online."""
    dry_run: bool = False
    read_only: bool = False
    decisions: dict[str, str] = field(default_factory=dict)
    operator: str = ""
    """user@host of whoever sits there."""
    lock_timeout_ms: int = DEFAULT_LOCK_TIMEOUT_MS
    batch_rows: int | None = None
    """Rows of a backfill that are changed in one transaction."""
    batch_delay_s: float | None = None
    """Between two batches."""
    types_file: Path | None = None
    """types/database.ts of the application; None: the demo's own, or that step stays open."""
    types_replace: bool = False
    """Entries of it that differ may be replaced without being asked about."""
    state_dir: Path = field(default_factory=default_state_dir)
    """Folder of the demo's data, exported logs and crash reports."""
    end_orphan: bool = False
    """The operator's word that an abandoned session's backend may be ended."""
    fail_at: str = ""
    """Practice: id of the step that fails once."""
    confirm: str = ""
    """The target name as given by --confirm."""
