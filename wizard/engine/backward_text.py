"""Every statement of a rollback as it is sent, composed by what composes the rollback itself: for its plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from wizard.db.connect import Connection
from wizard.engine.keeping.archive import readable
from wizard.engine.keeping.capture import (
    CAPTURE,
    Capture,
    Place,
    StandingCapture,
    find_captures,
    saving_captured,
    standing_captures,
)
from wizard.engine.keeping.capturing import capture_source, making, removal
from wizard.engine.keeping.keeper import Undo
from wizard.engine.looking.situation import Situation
from wizard.engine.parts.compose import Composer
from wizard.engine.parts.guard import Guard
from wizard.engine.parts.source import PartSource
from wizard.engine.parts.undone import ARCHIVE_ID, revert_source, with_saving
from wizard.engine.survey import line_view
from wizard.engine.views import StatementView
from wizard.engine.views_back import RollbackStep
from wizard.rollout.render import Group, Mode


def source_of(undo: Undo, before: Sequence[Group], notes: tuple[str, ...]) -> PartSource:
    """What rolling a recorded part back sends; `before` takes triggers away, of which `notes` tell the registry."""
    record = undo.record
    return revert_source(
        record.step, record.part, title=record.title, digest=record.digest, groups=undo.groups,
        mode=Mode(record.mode), strategy=record.strategy, before=before, notes=notes,
    )  # fmt: skip


class RollbackText:
    """The text of one rollback."""

    def __init__(
        self,
        connection: Connection,
        situation: Situation,
        composer: Composer,
        undos: Sequence[Undo],
        *,
        discard_data: bool,
    ) -> None:
        self._connection = connection
        self._situation = situation
        self._composer = composer
        self._discards = discard_data
        self._wanted: dict[Place, Capture] = {}
        self._standing: dict[Place, StandingCapture] = {}
        self.captures: tuple[RollbackStep, ...] = ()
        """Triggers that are made before anything goes."""
        self.leftovers = False
        """Triggers of an interrupted rollback stand."""
        if situation.active is None:
            return
        self._standing = standing_captures(connection, situation.active.rollout_id)
        if not discard_data:
            guards = [guard for undo in undos for guard in undo.guards]
            self._wanted = find_captures(connection, situation.schema, guards)
        made = [one for place, one in self._wanted.items() if not self._is_intact(place)]
        self.captures = tuple(self._making(made))
        self._standing |= {one.guard.place: one.standing() for one in made}
        self.leftovers = len(self._standing) > len(made)

    def _is_intact(self, place: Place) -> bool:
        return place in self._standing and self._standing[place].intact

    def _making(self, wanted: Sequence[Capture]) -> Iterator[RollbackStep]:
        for number, one in enumerate(wanted, start=1):
            group, notes = making(one, self._standing.get(one.guard.place))
            source = capture_source(number, one.title, group, notes, one.guard.table)
            message = self._composer.revert(self._situation, source)
            yield RollbackStep(id=CAPTURE, title=one.title, statements=tuple(map(line_view, message.all_lines)))

    def of(self, parts: Iterable[Undo]) -> Iterator[StatementView]:
        """The statements of these parts, in the order they are sent."""
        for undo in parts:
            groups, notes = removal(self._standing, undo.guards)
            source = source_of(undo, groups, notes)
            if not self._discards and source.mode is not Mode.BATCHES:
                source = self._saving(source, undo.guards)
            message = self._composer.revert(self._situation, source)
            message = self._composer.next_sent(self._situation, message, self._situation.reverting(undo.record))
            yield from map(line_view, message.all_lines)

    def _saving(self, source: PartSource, guards: Sequence[Guard]) -> PartSource:
        """With the lock under which what the archive does not hold is saved, and the saving itself."""
        budget = self._composer.settings.lock_budget_ms
        now: list[Guard] = []
        captured: list[tuple[Place, str]] = []
        for recorded in guards:
            with self._connection.transaction():
                guard, columns = readable(self._connection, recorded, self._situation.schema)
            now.append(guard)
            if guard.place in self._wanted:
                names = tuple(column.name for column in columns)
                text = saving_captured(self._wanted[guard.place], guard, names, ARCHIVE_ID, budget)
                captured.append((guard.place, text))
        return with_saving(source, now, budget, tuple(captured))
