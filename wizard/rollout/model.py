"""What a rollout is: steps, the SQL they name, checks, decisions. Data only; load.py reads it, render.py renders it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr

from wizard.rollout.kind import StepKind
from wizard.rollout.shape import Shapes, load_shapes
from wizard.rollout.statements import Statement

Condition = Mapping[str, str | list[str]]
"""Fact or decision name -> the value, or the values, it must have. All names must match; an empty condition holds."""


def holds(condition: Condition, facts: Mapping[str, str]) -> bool:
    """True if every name in `condition` has one of its accepted values in `facts`; a name not there counts as empty."""
    return all(
        facts.get(name, "") in ([accepted] if isinstance(accepted, str) else accepted)
        for name, accepted in condition.items()
    )


class Frozen(BaseModel):
    """Base of everything read from TOML: immutable, and an unknown key is an error, not a silent no-op."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Lock(Frozen):
    """A table lock that the step takes, as the server names it; a test compares it with pg_locks."""

    mode: str
    table: str
    existing: bool = False
    """True for a table that the application already uses: there the wait and the hold matter."""
    note: str = ""


class Edit(Frozen):
    """A change of the SQL text for this database: where `when` holds, every `find` becomes `with`."""

    when: Condition = Field(default_factory=dict)
    find: str
    replacement: str = Field(alias="with")


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class Fill(Frozen):
    """A column whose NULLs an UPDATE fills. Where the column was there before, the rows filled are remembered."""

    table: str
    column: str
    key: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
    """The columns that identify a row; one may be given as plain text."""
    value: str
    """SQL expression of what a row is filled with: rolling back spares rows that hold something else by then."""


class Fragment(Frozen):
    """One SQL file of a step, run in order; skipped where `when` does not hold."""

    sql: str
    """Path below sql/."""
    when: Condition = Field(default_factory=dict)
    edit: tuple[Edit, ...] = ()
    hold_triggers: bool = False
    """Run with session_replication_role = replica, so that no application trigger fires. Backfills only, never DDL."""
    subsumed_by: str = ""
    """Revert only: not run when the step of this id is rolled back in the same go, since that removes the column."""
    replaces: bool = False
    """An object of another definition is replaced: it is saved first, and rolling back puts it back."""
    fills: tuple[Fill, ...] = ()
    """Columns whose NULLs the fragment's UPDATEs fill, one column each."""
    batched_by: tuple[str, ...] = ()
    """Key columns of the table that its UPDATEs change. With strategy online they are sent in batches, which is right
    only for an UPDATE whose condition no longer holds for a row that it has changed."""


class Query(Frozen):
    """A read-only SELECT in a file of its own. `sql` is a path below sql/."""

    id: str
    title: str
    sql: str


class Prerequisite(Query):
    """Returns rows (level, found, fix): level is pass, warn or stop; the worst row counts. Reads catalogs only."""

    when: Condition = Field(default_factory=dict)
    """The prerequisite applies only where this holds."""


class Check(Query):
    """Returns rows (subject, expected, found), all text; a row passes when expected equals found (also NULL).

    It may read current_setting('rag_wizard.xid', true), the transactions that ran its step, comma-separated, and
    'rag_wizard.horizon', the oldest that was still running then: a row whose xmin is neither among the first nor older
    than the second may be newer than the step. Both are empty or NULL if unknown. And
    current_setting('rag_wizard.objects', true): what the steps declare, a JSON array of objects with kind, table_name,
    name and definition.
    """

    when: Condition = Field(default_factory=dict)
    """The check applies only where this holds."""


class Preview(Query):
    """What the operator sees before the step runs, counted on this database: a table of text columns.

    It is asked before the steps that come first have run, too: a column that one of them adds may not be there yet.
    It ends after a few seconds, whatever it has not counted by then.
    """

    when: Condition = Field(default_factory=dict)
    """The preview is shown only where this holds."""


class LossGuard(Frozen):
    """Rows that rolling the step back would destroy: they are archived first.

    Either rows of a table that the step makes (`rows`), or values in columns that it adds to a table (`columns`).
    """

    what: str
    """What is lost, after a number: "tickets that the application wrote"."""
    table: str
    rows: str = "true"
    """SQL condition: which of the table's rows are worth keeping."""
    key: tuple[str, ...] = ()
    """Columns that identify a row of an existing table."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Added column -> SQL condition: its value is more than the default or the backfill's. Empty: the whole table."""


class Deviation(Frozen):
    """A place where the wizard leaves the guide's letter, and why; shown on the step's page where `when` holds."""

    title: str
    reason: str
    when: Condition = Field(default_factory=dict)


class Option(Frozen):
    """One answer to a decision."""

    value: str
    text: str


class Decision(Frozen):
    """A question only the operator can answer, asked where `when` holds. Without `default` it has no safe answer."""

    name: str
    step: str
    """Id of the step that the answer changes."""
    question: str
    options: tuple[Option, ...]
    default: str | None = None
    when: Condition = Field(default_factory=dict)


class Criterion(Frozen):
    """One success criterion, ticked when each of the named checks passed (or the named manual step is not open)."""

    title: str
    checks: tuple[str, ...] = ()
    step: str = ""
    """Id of a manual step that must be done for this criterion."""
    note: str = ""
    """What ticking it does not prove; shown beside it."""


class TypesSpec(Frozen):
    """A manual step that a types file of Supabase's generator makes the wizard's: it writes what the rollout adds.

    Which entries those are follows from the objects that the steps make (shape.py).
    """

    listing: str = ""
    """File below steps/ with the entries as the guide lists them; verification tells where it is wrong."""


class Step(Frozen):
    """A numbered entry of the guide."""

    id: str
    title: str
    label: Annotated[str, Field(max_length=16)]
    """The short name in the step list."""
    kind: StepKind = StepKind.SQL
    does: str
    why: str
    rows: str = ""
    """Which existing rows are read or rewritten, in words."""
    rollback: str = ""
    """What rolling back does, in words."""
    todo: str = ""
    """Manual steps: what the operator has to do."""
    locks: tuple[Lock, ...] = ()
    tables: tuple[str, ...] = ()
    """Existing tables whose size matters for this step."""
    deploy: tuple[Fragment, ...] = ()
    revert: tuple[Fragment, ...] = ()
    prerequisites: tuple[Prerequisite, ...] = Field((), alias="prerequisite")
    checks: tuple[Check, ...] = Field((), alias="check")
    previews: tuple[Preview, ...] = Field((), alias="preview")
    loses: tuple[LossGuard, ...] = ()
    deviations: tuple[Deviation, ...] = Field((), alias="deviation")
    types: TypesSpec | None = None
    """Manual steps: given a types file, the wizard does it."""

    @property
    def takes_strong_lock(self) -> bool:
        """True if it takes a lock that queues the application's queries on a table it already uses."""
        return any(lock.existing and lock.mode in STRONG_LOCKS for lock in self.locks)


STRONG_LOCKS = frozenset({"ACCESS EXCLUSIVE", "EXCLUSIVE", "SHARE ROW EXCLUSIVE", "SHARE"})


class Rollout(Frozen):
    """A whole rollout: rollout.toml, the step files it lists, and the folder with their SQL."""

    name: str
    title: str
    minimum_server: int
    """Lowest server_version_num served, as in 150000."""
    order: tuple[str, ...] = Field(alias="steps")
    """Step ids, in the order they run."""
    facts: str = ""
    """SQL file with one SELECT of one row: each column is a fact (text) that conditions may name."""
    decisions: tuple[Decision, ...] = Field((), alias="decision")
    criteria: tuple[Criterion, ...] = Field((), alias="criterion")
    next_steps: tuple[str, ...] = ()

    _steps: tuple[Step, ...] = PrivateAttr(default=())
    _folder: Path = PrivateAttr(default=Path())
    _texts: dict[str, str] = PrivateAttr(default_factory=dict)
    _selects: dict[str, str] = PrivateAttr(default_factory=dict)
    _statements: dict[tuple[str, str], tuple[Statement, ...]] = PrivateAttr(default_factory=dict)
    _shapes: Shapes | None = PrivateAttr(default=None)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps in the order they run."""
        return self._steps

    @property
    def folder(self) -> Path:
        """The folder that holds steps/ and sql/."""
        return self._folder

    @property
    def types_step(self) -> Step | None:
        """The step that brings a types file up to date."""
        return next((step for step in self._steps if step.types is not None), None)

    def step(self, step_id: str) -> Step:
        """The step of this id; KeyError if there is none."""
        for step in self._steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    @property
    def selects(self) -> dict[str, str]:
        """Query files that were found to be one SELECT, by path: each is parsed once."""
        return self._selects

    @property
    def statements(self) -> dict[tuple[str, str], tuple[Statement, ...]]:
        """(file below sql/, its text) -> its statements: each text is parsed once."""
        return self._statements

    @property
    def shapes(self) -> Shapes:
        """What each statement adds; see shape.py. Raises RolloutInvalidError if the file is broken."""
        if self._shapes is None:
            self._shapes = load_shapes(self._folder)
        return self._shapes

    def read_sql(self, path: str) -> str:
        """The text of a file below sql/; one sitting reads each file once."""
        if path not in self._texts:
            self._texts[path] = (self._folder / "sql" / path).read_text(encoding="utf-8")
        return self._texts[path]
