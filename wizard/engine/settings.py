"""The choices of one sitting: what the command line or the screen hands to the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Defaults are those of the command line."""

    schema: str = "public"
    strategy: str = "auto"
    """auto, atomic or online."""
    operator: str = ""
    """user@host of whoever sits there."""
    lock_timeout_ms: int = 700
    """How long one try waits for a table lock."""
    lock_patience_s: float = 120.0
    """How long all tries of one part together wait before it is given up (exit 6)."""
    batch_rows: int | None = None
    """Rows of a backfill that are changed in one transaction."""
    batch_delay_s: float | None = None
    """Between two batches."""
    lock_budget_ms: int = 2000
    """How long the application may wait while a rollback saves what changed since the archive, for each table."""
    archives: Path | None = None
    """Folder below which archives go; None: a rollback that needs one must be told where."""
    types_file: Path | None = None
    """File that the rollout's types step brings up to date; None: that step is left open."""
    types_replace: bool = False
    """The operator's word that entries which differ may be replaced in it."""
    types_copies: Path | None = None
    """Folder for copies of the file as it was before; None: only the registry keeps it."""
    end_orphan: bool = False
    """The operator's word that an abandoned session's backend may be ended."""
    decisions: Mapping[str, str] = field(default_factory=dict)
    fail_at: str = ""
    """Practice: the step of this id fails once, after its own statements ran."""
    command: str = "rag-wizard"
    """How the program was called, for the commands it tells people to type."""
