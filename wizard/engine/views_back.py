"""What the engine tells about a rollback or a restore: plain frozen data, the same for screen, JSON and console."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from wizard.engine.views import ConflictView, StatementView, View
from wizard.engine.views_types import RestoredFile

Since = Literal["", "edited", "gone"]


class Loss(View):
    """Rows that a rollback would destroy."""

    step: str
    what: str
    rows: int
    table: str


class RollbackObject(View):
    """Something that a rollback takes back."""

    kind: str
    table: str
    name: str
    origin: Literal["made", "replaced"]
    """made: it goes; replaced: what was there before comes back."""
    since: Since = ""
    """What became of a replaced one after the run; then it stays so, and what was there before does not come back."""


class Dependent(View):
    """An object that is not among those to be dropped and depends on one of them. Its words are the database's own."""

    kind: str
    """view, materialized view, foreign key, index, policy, trigger, column, default, function, publication ..."""
    name: str
    """Schema-qualified and quoted; of what belongs to a table: `name on schema.table`."""
    on: str
    """What it depends on: `table tickets`, `column orders.paid`; several are joined by commas."""
    would: Literal["stops the drop", "would be dropped with it"]
    """Whether the server would refuse to drop that, or drop this with it in silence."""
    fix: str = ""
    """The statement that takes it out of the way; empty where there is no plain one."""


class RollbackStep(View):
    """One step of a rollback plan."""

    id: str
    title: str
    statements: tuple[StatementView, ...]
    objects: tuple[RollbackObject, ...] = ()


class RollbackPlan(View):
    """What a rollback would do, newest step first."""

    to: str | None
    """The step that is kept with everything before it; None: everything goes."""
    steps: tuple[RollbackStep, ...]
    losses: tuple[Loss, ...] = ()
    may_lose: bool = False
    """It destroys tables or columns that rows can come into until then, whether or not there are any now."""
    archive: str = ""
    """Folder that their rows are archived in first; empty if there are none, or nobody said where."""
    replaced_since: tuple[ConflictView, ...] = ()
    """What would go but is not what was made: the rollback is refused while there is any."""
    files: tuple[RestoredFile, ...] = ()
    """Types files that it takes the rollout's entries out of."""
    dependents: tuple[Dependent, ...] = ()
    """What somebody else built on objects that would go: refused as well."""
    captures: tuple[RollbackStep, ...] = ()
    """Triggers on large tables, made first: they note what the application changes until columns of these go."""
    leftovers: bool = False
    """Triggers or an open archive of an interrupted rollback are there: a rollback goes on with them or clears them."""

    @property
    def refused(self) -> bool:
        """The rollback would end before anything is changed."""
        return bool(self.replaced_since or self.dependents)

    @property
    def would_lose(self) -> int:
        """Rows in all that it would destroy, archived or not."""
        return sum(loss.rows for loss in self.losses)


class RestoreTable(View):
    """What an archive holds of one table."""

    table: str
    what: str
    rows: int
    late: int
    """Of `rows`: saved when the table was dropped; these win over archived ones of the same key."""
    whole_rows: bool
    """False: values of added columns of an existing table."""


class RestorePlan(View):
    """What a restore would put back."""

    archive: str
    target: str
    """Of the database that the rows are from."""
    rollout: str
    made_at: datetime
    tables: tuple[RestoreTable, ...]
    deleted_since: int = 0
    """Rows that were deleted after the archive's snapshot, before their table was dropped: they come back too."""
    cannot_tell: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """In all tables."""
        return sum(table.rows for table in self.tables)
