"""One look at the database: server, registry, facts, and the rollout rendered for them. The rest follows from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from wizard.db.connect import Connection
from wizard.db.queries import query
from wizard.engine.looking.asking import Asking, begin, require_no_contradiction, resume
from wizard.engine.looking.fills import remembering
from wizard.engine.looking.fit import Conflict, Found, OurColumns, fit_step
from wizard.engine.looking.live import read_items
from wizard.engine.looking.strategy import choose
from wizard.engine.looking.taken import taken_names
from wizard.engine.session.exclusive import Holder, find_holder
from wizard.engine.session.record import PartRecord, RolloutRecord
from wizard.engine.session.registry import load_objects, load_reverts, read_record, registry_exists
from wizard.engine.settings import Settings
from wizard.engine.state import StepState
from wizard.rollout.kind import StepKind
from wizard.rollout.model import Decision, Rollout, Step
from wizard.rollout.render import Group, Part, RenderedStep, Renderer
from wizard.rollout.shape import Item, ItemKind, shapes_of


@dataclass(frozen=True)
class Situation:
    """What one look found."""

    target: str
    """The target name."""
    rollout: Rollout
    schema: str
    server: dict[str, Any]
    record: RolloutRecord | None
    """The active rollout, else the one that ended last."""
    facts: dict[str, str]
    """Facts and the answers to decisions, as the steps are rendered for them: recorded when the rollout began."""
    asking: Asking
    renderer: Renderer
    steps: tuple[RenderedStep, ...]
    """Every step in order; what is left to run is fitted to what the database had when it was looked at."""
    conflicts: tuple[Conflict, ...]
    """What stands in the way of the steps that are left."""
    holder: Holder | None
    """Who else holds the advisory lock right now."""
    types_named: bool = False
    """A types file was named: the step that needs one is the wizard's, not left open."""
    registry: bool = True
    """There is one."""

    @property
    def active(self) -> RolloutRecord | None:
        """The rollout that is under way or finished, not one that was rolled back."""
        return self.record if self.record is not None and self.record.active else None

    @property
    def open_decisions(self) -> tuple[Decision, ...]:
        """Questions without an answer and without a default; once a rollout is under way, about what is left of it."""
        return self.missing_decisions(self.remaining)

    def missing_decisions(self, steps: Iterable[RenderedStep]) -> tuple[Decision, ...]:
        """Those without an answer that are about one of these steps.

        A rollout that has not begun is asked everything at once, also what belongs to no step that is sent.
        """
        about = {rendered.step.id for rendered in steps} if self.active is not None else None
        return self.asking.missing(self.rollout, about)

    def state(self, rendered: RenderedStep) -> StepState:
        """The recorded state of a step."""
        # Sentences ask for every step again and again.
        known = self._states.get(rendered.step.id)
        if known is None:
            known = self._states[rendered.step.id] = self._read_state(rendered)
        return known

    @cached_property
    def _states(self) -> dict[str, StepState]:
        return {}

    def _read_state(self, rendered: RenderedStep) -> StepState:
        step, record = rendered.step, self.record
        if record is None:
            return StepState.TODO
        if step.kind is StepKind.PREREQUISITES:
            # It held when the first part was sent; it is looked at again before every run.
            began = record.active and bool(record.parts)
            return StepState.PASSED if began else StepState.TODO
        if step.kind is StepKind.MANUAL:
            return self._manual_state(step, record)
        state = record.state(step.id, max(len(rendered.parts), 1))
        if step.kind is StepKind.VERIFICATION:
            return StepState.PASSED if record.active and state is StepState.DONE else StepState.TODO
        return state

    def _manual_state(self, step: Step, record: RolloutRecord) -> StepState:
        """Done if there is a checkpoint of it; else open once it is its turn, unless the wizard is to do it."""
        state = record.state(step.id, 1)
        if state in {StepState.DONE, StepState.ADOPTED} and record.active:
            return StepState.DONE
        if not record.active:
            return state if state is StepState.ROLLED_BACK else StepState.TODO
        wizards = step.types is not None and self.types_named
        return StepState.OPEN if self._everything_before(step.id) and not wizards else StepState.TODO

    def is_its_turn(self, rendered: RenderedStep) -> bool:
        """Every SQL step before it stands in the active rollout."""
        return self.active is not None and self._everything_before(rendered.step.id)

    def _everything_before(self, step_id: str) -> bool:
        """Every SQL step before this one stands."""
        assert self.record is not None
        for rendered in self.steps:
            if rendered.step.id == step_id:
                return True
            if rendered.parts and len(self.record.finished(rendered.step.id)) < len(rendered.parts):
                return False
        return False

    def reverting(self, standing: PartRecord) -> PartRecord | None:
        """The attempt to roll this part back that goes on, if some of its batches are committed."""
        return self.active.reverting(standing) if self.active is not None else None

    def step(self, step_id: str) -> RenderedStep:
        """One step; KeyError if there is none of this id."""
        return next(rendered for rendered in self.steps if rendered.step.id == step_id)

    @property
    def remaining(self) -> tuple[RenderedStep, ...]:
        """SQL steps that are not whole, in order."""
        return tuple(
            rendered
            for rendered in self.steps
            if rendered.step.kind is StepKind.SQL and not self.state(rendered).is_complete
        )

    def left(self, rendered: RenderedStep) -> tuple[tuple[int, Part], ...]:
        """The parts of a step that are not done, with their numbers."""
        done = {part.part for part in self.active.finished(rendered.step.id)} if self.active is not None else set()
        return tuple((number, part) for number, part in enumerate(rendered.parts, start=1) if number not in done)

    @property
    def remaining_parts(self) -> tuple[Part, ...]:
        """What is left of all steps, in order."""
        return tuple(part for rendered in self.remaining for _, part in self.left(rendered))

    def begun(self, rendered: RenderedStep, number: int) -> PartRecord | None:
        """The attempt at this part of which batches are committed."""
        standing = self.active.settled(rendered.step.id) if self.active is not None else ()
        return next((part for part in standing if part.part == number), None)

    @property
    def files_left(self) -> tuple[RenderedStep, ...]:
        """The types step, while it is not done and a file was named for it."""
        named = [r for r in self.steps if r.step.types is not None] if self.types_named else []
        return tuple(rendered for rendered in named if not self.state(rendered).is_complete)


def look(
    connection: Connection, target: str, rollout: Rollout, settings: Settings, *, holding: bool = False
) -> Situation:
    """Reads what there is; `holding`: this session has the advisory lock, so nobody else does.

    Raises ContradictionError if an option contradicts what an active rollout recorded.
    """
    server = connection.execute(query("server")).fetchone()
    assert server is not None
    registry = registry_exists(connection)
    record = read_record(connection, rollout.name, settings.schema) if registry else None
    if record is not None and record.active:
        require_no_contradiction(record, settings)
        facts = {**record.facts, **record.decisions}
    else:
        asking = begin(connection, rollout, settings)
        facts = dict(asking.facts)
    choices = choose(connection, rollout, settings, record)
    renderer = Renderer(rollout, facts, choices)
    if record is not None and record.active:
        asking = resume(connection, rollout, settings, record, renderer.steps)
        facts |= asking.answers
        renderer = Renderer(rollout, facts, choices) if asking.answers else renderer
    steps, conflicts = _fitted(connection, settings.schema, renderer, record)
    return Situation(
        target, rollout, settings.schema, server, record, facts, asking, renderer, steps, conflicts,
        None if holding else find_holder(connection, settings.schema), settings.types_file is not None, registry,
    )  # fmt: skip


def _fitted(
    connection: Connection, schema: str, renderer: Renderer, record: RolloutRecord | None
) -> tuple[tuple[RenderedStep, ...], tuple[Conflict, ...]]:
    """The steps, those that are left fitted to what the database has."""
    shapes = renderer.rollout.shapes
    standing = {r.step.id: record.settled(r.step.id) for r in renderer.steps} if record and record.active else {}
    recorded = _recorded(connection, tuple(part for parts in standing.values() for part in parts))
    left = [r for r in renderer.steps if len(standing.get(r.step.id, ())) < len(r.parts) and (shapes or _fills(r))]
    expected = [
        item
        for rendered in left
        for part in rendered.parts
        for statement in part.statements
        for shape in shapes_of(statement, shapes)
        for item in shape
    ]
    filled = {f.table for r in left for part in r.parts for group in part.deploy for f in group.fills}
    live = read_items(connection, schema, expected, also=filled)
    ours = {(item.table, item.name) for part in recorded.values() for item in part.made if item.kind is ItemKind.COLUMN}
    world = Found(live, ours, _begun(connection, left, record) if standing else {})
    steps: list[RenderedStep] = []
    conflicts: list[Conflict] = []
    for rendered in renderer.steps:
        found: tuple[Conflict, ...] = ()
        if rendered in left:
            numbers = {part.part for part in standing.get(rendered.step.id, ())}
            rendered, found = fit_step(rendered, shapes, world, numbers)  # noqa: PLW2901
        steps.append(_as_recorded(rendered, standing.get(rendered.step.id, ()), recorded, ours))
        conflicts += found
    return tuple(steps), (*conflicts, *_taken(connection, schema, steps, standing, conflicts))


def _taken(
    connection: Connection,
    schema: str,
    steps: list[RenderedStep],
    standing: dict[str, tuple[PartRecord, ...]],
    conflicts: list[Conflict],
) -> tuple[Conflict, ...]:
    """Names of what is left to make that are not free; what this rollout made already is its own.

    A step in conflict is not fitted: it would make anew what is there, so its names say nothing.
    """
    differing = {conflict.step for conflict in conflicts}
    left: list[tuple[str, Part]] = []
    made: list[Part] = []
    for rendered in steps:
        stands = {record.part for record in standing.get(rendered.step.id, ())}
        for number, part in enumerate(rendered.parts, start=1):
            if number in stands:
                made.append(part)
            elif rendered.step.id not in differing:
                left.append((rendered.step.id, part))
    return taken_names(connection, schema, left, made)


def _begun(
    connection: Connection, left: Iterable[RenderedStep], record: RolloutRecord | None
) -> dict[tuple[str, int], list[Item]]:
    """What attempts outside a transaction made, if it is there whole."""
    attempts = {
        part.part_id: (part.step, part.part)
        for rendered in left
        for number in range(1, len(rendered.parts) + 1)
        if (part := record.maker(rendered.step.id, number) if record is not None else None) is not None
    }
    found: dict[tuple[str, int], list[Item]] = {}
    for part_id, objects in load_objects(connection, attempts).items():
        found.setdefault(attempts[part_id], []).extend(item for origin, item in objects if origin == "made")
    return found


def _fills(rendered: RenderedStep) -> bool:
    return any(group.fills for part in rendered.parts for group in part.deploy)


@dataclass(frozen=True)
class Recorded:
    """What the registry holds of a part that stands."""

    revert: tuple[Group, ...]
    made: tuple[Item, ...]
    adopted: tuple[Item, ...]
    replaced: tuple[Item, ...]


def _recorded(connection: Connection, parts: tuple[PartRecord, ...]) -> dict[str, Recorded]:
    ids = [part.part_id for part in parts]
    objects, reverts = load_objects(connection, ids), load_reverts(connection, ids)
    return {
        part: Recorded(
            tuple(reverts.get(part, ())),
            *(
                tuple(item for origin, item in objects.get(part, ()) if origin == wanted)
                for wanted in ("made", "adopted", "replaced")
            ),
        )
        for part in ids
    }


def _as_recorded(
    rendered: RenderedStep, standing: tuple[PartRecord, ...], recorded: dict[str, Recorded], ours: OurColumns
) -> RenderedStep:
    """The step, its standing parts with what was recorded when they ran in place of what would be found today.

    A backfill that goes on, or again, notes the rows that it fills in columns that the rollout did not add.
    """
    parts = list(rendered.parts)
    for record in standing:
        if record.part <= len(parts):
            part = replace(parts[record.part - 1], title=record.title, **vars(recorded[record.part_id]))
            theirs = {(fill.table, fill.column) for group in part.deploy for fill in group.fills}.difference(ours)
            part = replace(part, deploy=tuple(remembering(group, theirs) for group in part.deploy))
            parts[record.part - 1] = part
    return replace(rendered, parts=tuple(parts))
