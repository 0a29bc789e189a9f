"""The guide's own SQL, for comparisons by psql: whole files and single steps."""

from __future__ import annotations

from pathlib import Path

GUIDE = Path(__file__).parent / "guide.sql"
"""All 58 statements in the guide's order."""

ROLLBACK = Path(__file__).parent / "guide_rollback.sql"

_MARK = "-- >>> step "


def guide_steps() -> dict[str, str]:
    """Step id ("1.1" ... "6.2") to its SQL, in the guide's order."""
    blocks = GUIDE.read_text(encoding="utf-8").split(_MARK)[1:]
    return {head.strip(): body for head, _, body in (block.partition("\n") for block in blocks)}


def guide_step(step: str) -> str:
    """The SQL of one step; KeyError for 0, 5 and V, which have none."""
    return guide_steps()[step]
