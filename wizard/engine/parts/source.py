"""What one part is made of, and the messages that it travels in. They are composed in message.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from wizard.engine.parts.batch import Batch, batch_of
from wizard.engine.parts.guard import Guard, Saving
from wizard.engine.session.registry import Room
from wizard.rollout.render import Group, Mode
from wizard.rollout.shape import Item
from wizard.rollout.statements import Statement


@dataclass(frozen=True)
class Line:
    """One statement to send. `statement` is None for the wizard's own."""

    sql: str
    statement: Statement | None = None
    ordinal: int = 0
    counts_rows: bool = False
    """It holds `ROW_COUNT`, the rows of the statement before it."""
    alone: bool = False
    """It travels as a message of its own, outside of a transaction."""


@dataclass(frozen=True)
class PartSource:
    """What one part is made of, on the way forward or back."""

    step: str
    part: int
    direction: str
    title: str
    digest: str
    groups: tuple[Group, ...]
    revert: tuple[Group, ...] = ()
    guards: tuple[Guard, ...] = ()
    saving: Saving | None = None
    """How rows that the archive does not hold are saved under the lock; the guards are then those of that archive."""
    objects: tuple[tuple[str, Item], ...] = ()
    """(made, adopted or replaced; the object): what rolling back may touch, and what it may not."""
    notes: tuple[str, ...] = ()
    """What the registry is told in the same transaction, before the first lock."""
    one_message: bool = True
    """It takes a lock that queues the application: nothing may wait for the network in between.
    Rows are not counted then."""
    mode: Mode = Mode.TRANSACTION
    patient: bool = False
    """Its locks let the application read and write, so it may wait long for them."""
    strategy: str = "atomic"
    """Of the step."""
    tables: tuple[str, ...] = ()
    """Large tables that it locks, where no step says so."""

    @property
    def rooms(self) -> tuple[Room, ...]:
        """Tables of the registry that it needs beside those that are always there."""
        remembers = any(statement.remembers for group in self.groups for statement in group.statements)
        needed: dict[Room, bool] = {"batches": self.mode is Mode.BATCHES, "fills": remembers}
        return tuple(room for room, is_needed in needed.items() if is_needed)

    @property
    def batch(self) -> Batch | None:
        """What it sends in batches."""
        if self.mode is not Mode.BATCHES:
            return None
        return batch_of(self.groups[0].statements[0], self.groups[0].batched_by)


@dataclass(frozen=True)
class PartSettings:
    """The settings of a part's transaction."""

    schema: str
    lock_timeout_ms: int
    server_version: int
    row_timeout_ms: int = 200
    """How long a batch waits for a table's lock; it never waits for a row's while it holds others."""


@dataclass(frozen=True)
class PartMessage:
    """A part, ready to send: first the intent, then what it consists of."""

    part_id: str
    source: PartSource
    intent: tuple[Line, ...]
    lines: tuple[Line, ...]
    """Of a part in batches: those that close it, behind the last batch."""
    ahead: tuple[Line, ...] = ()
    """Of a part in batches: what has to hold before the first."""
    quick: tuple[Line, ...] = ()
    page: tuple[Line, ...] = ()
    snapshot: tuple[Line, ...] = ()
    sweep: tuple[Line, ...] = ()
    """A batch, one in which somebody holds a row, the note of what was left over, a batch of that: with their
    parameters named."""
    resets: tuple[Line, ...] = ()
    """What ends the settings of statements outside a transaction, sent whatever became of them."""
    messages: tuple[tuple[Line, ...], ...] = field(init=False)
    """`lines` as they travel: all in one, or cut behind each statement whose rows are recorded."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "messages", tuple(_cut(self.lines)))

    @property
    def alone(self) -> bool:
        """Its statements travel outside of a transaction, so nothing can travel in front of them."""
        return bool(self.lines) and self.lines[0].alone

    @property
    def all_lines(self) -> tuple[Line, ...]:
        """Everything that is sent for it, in order; a batch once."""
        batches = (*self.ahead, *self.quick, *self.page, *self.snapshot, *self.sweep)
        return (*self.intent, *batches, *self.lines, *self.resets)


def _cut(lines: Sequence[Line]) -> Iterator[tuple[Line, ...]]:
    begin = 0
    for index, line in enumerate(lines):
        if line.counts_rows or (line.alone and index > begin):
            yield tuple(lines[begin:index])
            begin = index
        if line.alone:
            yield (line,)
            begin = index + 1
    if begin < len(lines):
        yield tuple(lines[begin:])
