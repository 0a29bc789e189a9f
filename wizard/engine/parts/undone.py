"""What rolling a part back sends, as a source to compose; for reading also before the archive of its rows is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from wizard.engine.parts.guard import Guard, Saving
from wizard.engine.parts.source import PartSource
from wizard.rollout.render import Group, Mode

ARCHIVE_ID = "ARCHIVE_ID"
HORIZON = "HORIZON"
NAMED = f"{ARCHIVE_ID} and {HORIZON} stand for what is known once the rows are archived: which archive, as of when"
"""About a text with values that only the archive has."""


def revert_source(
    step: str,
    part: int,
    *,
    title: str,
    digest: str,
    groups: Sequence[Group],
    mode: Mode,
    strategy: str,
    before: Sequence[Group] = (),
    notes: tuple[str, ...] = (),
) -> PartSource:
    """A part on the way back; `before` takes away triggers that keep its columns from going.

    Without a statement of its own it is nothing but its checkpoint, however it ran.
    """
    return PartSource(
        step, part, "revert", f"undo: {title}", digest, (*before, *groups), notes=notes,
        mode=mode if groups else Mode.TRANSACTION, strategy=strategy,
        one_message=not _locks_no_table((*before, *groups)),
    )  # fmt: skip


def _locks_no_table(groups: Iterable[Group]) -> bool:
    """It only writes rows and drops functions: nobody waits for a table while the wizard hears how many rows it was."""
    statements = (statement for group in groups for statement in group.statements)
    return all(statement.changes_data or statement.sql.startswith("DROP FUNCTION ") for statement in statements)


def with_saving(
    source: PartSource,
    guards: Iterable[Guard],
    budget_ms: int,
    captured: tuple[tuple[tuple[str, int], str], ...] = (),
) -> PartSource:
    """The source with the lock and the saving of what an archive, still to be made, will not hold."""
    found = tuple(guards)
    if not found:
        return source
    horizons = tuple((guard.place, HORIZON) for guard in found)
    return replace(source, guards=found, one_message=True, saving=Saving(ARCHIVE_ID, horizons, budget_ms, captured))
