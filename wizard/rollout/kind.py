"""How a step is executed, apart from the model: whoever only asks for it loads nothing else."""

from __future__ import annotations

from enum import Enum


class StepKind(Enum):
    """How a step is executed."""

    PREREQUISITES = "prerequisites"
    SQL = "sql"
    MANUAL = "manual"
    """The operator's own work: nothing runs in the database."""
    VERIFICATION = "verification"
