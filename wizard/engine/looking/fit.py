"""Fits a step to the database: what is there is adopted, what is missing is made, what differs is a conflict."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from wizard.engine.looking.fills import remembering, spared_by
from wizard.engine.looking.live import Live
from wizard.rollout.item_sql import create_sql, drop_sql, put_back_sql
from wizard.rollout.model import Step
from wizard.rollout.objects import dropped_names, rls_enabled
from wizard.rollout.render import Group, Mode, Part, RenderedStep
from wizard.rollout.shape import Item, ItemKind, Shape, Shapes, shapes_of
from wizard.rollout.statements import Statement


@dataclass(frozen=True)
class Conflict:
    """An object that is not what the step would create. Nothing may be changed while there is one."""

    step: str
    words: str
    """Which object, as in "column tickets.paid"."""
    expected: str
    """Its definition as the step would create it; empty if it would not be there."""
    found: str
    """Its definition now; empty if it is not there."""


_SENT_AGAIN = frozenset({"grant_stmt", "comment_stmt", "do_stmt"})
"""Statements whose end is the same, however often they are sent; a DO block has to see to that itself."""
INVALID = " -- invalid"
"""What follows the definition of an index that a build left behind and that nobody is building now."""


def is_leftover(found: Item | None, expected: Item) -> bool:
    """It is the expected index, as a build or a drop left it that nobody is at any more."""
    return found is not None and found.definition == expected.definition + INVALID


OurColumns = Collection[tuple[str, str]]
"""(table, column) of those that this rollout added."""


@dataclass
class _Fitting:
    """One part while it is being fitted."""

    step: str
    live: Live
    expected: Collection[tuple[ItemKind, str, str]]
    """Keys of everything that any step makes."""
    edited: Mapping[str, str]
    """Table -> SQL condition for rows that are worth keeping."""
    mode: Mode
    begun: Collection[tuple[ItemKind, str, str]]
    """Keys of what an attempt at this part made, if it is there whole."""
    whole: bool = True
    """Nothing of it is there: every statement is sent as it is written."""
    made: list[Item] = field(default_factory=list)
    adopted: list[Item] = field(default_factory=list)
    replaced: list[tuple[Item, Item]] = field(default_factory=list)
    """Before and after."""
    conflicts: list[Conflict] = field(default_factory=list)


@dataclass(frozen=True)
class Found:
    """What the database and the registry hold that the parts which are left are fitted to."""

    live: Live
    ours: OurColumns = ()
    """Added by parts that stand."""
    begun: Mapping[tuple[str, int], Collection[Item]] = field(default_factory=dict)
    """(step, part) -> what an attempt outside a transaction made, if it is there whole: nobody saw its end."""


def fit_step(
    rendered: RenderedStep, shapes: Shapes, found: Found, standing: Collection[int] = ()
) -> tuple[RenderedStep, tuple[Conflict, ...]]:
    """The step as it is to be sent to this database, and what stands in its way; parts in `standing` are left alone."""
    parts, conflicts = [], []
    for number, part in enumerate(rendered.parts, start=1):
        if number in standing:
            parts.append(part)
            continue
        begun = found.begun.get((rendered.step.id, number), ())
        fitted, differing = _fit_part(rendered.step, part, shapes, found, begun)
        parts.append(fitted)
        conflicts += differing
    return replace(rendered, parts=tuple(parts)), tuple(conflicts)


def _fit_part(
    step: Step, part: Part, shapes: Shapes, found: Found, begun: Collection[Item]
) -> tuple[Part, list[Conflict]]:
    live, ours = found.live, found.ours
    expected = {item.key for known in shapes.values() for shape in known for item in shape}
    edited = {loss.table: loss.rows for loss in step.loses if not loss.columns}
    state = _Fitting(step.id, live, expected, edited, part.mode, {item.key for item in begun})
    sent = [(group, [_fit_statement(state, group, one, shapes) for one in group.statements]) for group in part.deploy]
    state.whole = not state.adopted and not state.replaced
    deploy = tuple(
        replace(group, statements=statements)
        for group, fitted in sent
        if (statements := tuple(s for one in fitted for s in one if state.whole or not _is_over(state, s, shapes)))
    )
    if not state.whole and not state.conflicts:
        state.conflicts += _untold(state, deploy, part, shapes)
    there_before = {
        (fill.table, fill.column)
        for group in deploy
        for fill in group.fills
        if (ItemKind.COLUMN, fill.table, fill.column) in live and (fill.table, fill.column) not in ours
    }
    deploy = tuple(remembering(group, there_before) for group in deploy)
    revert = part.revert if state.whole and not there_before else _revert(state, part, deploy, there_before)
    return replace(
        part, title=_title(part, deploy, state), deploy=deploy, revert=revert, made=tuple(state.made),
        adopted=tuple(state.adopted), replaced=tuple(before for before, _ in state.replaced),
    ), state.conflicts  # fmt: skip


def _title(part: Part, deploy: tuple[Group, ...], state: _Fitting) -> str:
    left = sum(not statement.stands for group in deploy for statement in group.statements)
    if not left and state.made:
        return f"{part.title}: built already"
    if not state.adopted:
        return part.title
    if not left:
        return "adopted: everything is there already"
    return f"{left} statement{'' if left == 1 else 's'} for what is missing, one transaction"


def _is_over(state: _Fitting, statement: Statement, shapes: Shapes) -> bool:
    """It makes room for what is there, or turns on what is on: nothing that it could do is left."""
    if shapes.get((statement.file, statement.sql)) != ((),):
        return False
    if table := rls_enabled(statement):
        return (ItemKind.RLS, table, "") in state.live
    adopted = {item.name.partition("(")[0] for item in state.adopted}
    return bool(names := dropped_names(statement)) and set(names) <= adopted


def _untold(state: _Fitting, deploy: tuple[Group, ...], part: Part, shapes: Shapes) -> Iterable[Conflict]:
    """Statements of which nobody recorded what they make, where other things that the part makes are there already.

    Whether their work is there too is not known, nor whose it would be when the part is rolled back.
    """
    written = {statement for group in part.deploy for statement in group.statements}
    for statement in (statement for group in deploy for statement in group.statements if statement in written):
        told = any(shapes_of(statement, shapes)) or statement.changes_data or rls_enabled(statement)
        if not told and statement.kind not in _SENT_AGAIN:
            words = f"what line {statement.line} of {statement.file} makes"
            found = f"not known, since nobody recorded it; other things that step {state.step} makes are there"
            yield Conflict(state.step, words, statement.sql, found)


def _fit_statement(state: _Fitting, group: Group, statement: Statement, shapes: Shapes) -> tuple[Statement, ...]:
    """What is to be sent for one statement."""
    known = shapes_of(statement, shapes)
    if not known:
        return (statement,)
    special = _fit_specially(state, statement, known[0])
    return _fit_shape(state, group, statement, known) if special is None else special


def _fit_specially(state: _Fitting, statement: Statement, shape: Shape) -> tuple[Statement, ...] | None:
    """A validation or an index, where there is more to say than that it is there or not; else None."""
    if statement.validates:
        return _fit_validation(state, statement, shape[0])
    if statement.kind == "index_stmt" and len(shape) == 1:
        return _fit_index(state, statement, shape[0])
    return None


def _fit_shape(state: _Fitting, group: Group, statement: Statement, known: tuple[Shape, ...]) -> tuple[Statement, ...]:
    """What is missing of the shape that fits best; conflicts where it differs."""
    shape = max(known, key=lambda one: sum(state.live.get(item.key) == item for item in one))
    missing = [item for item in shape if item.key not in state.live]
    different = [item for item in shape if item.key in state.live and not _same(item, state.live[item.key])]
    if len(missing) == len(shape):
        state.made += shape
        return (statement,)
    if different and group.replaces and all(item.kind is ItemKind.FUNCTION for item in different):
        state.replaced += [(state.live[item.key], item) for item in different]
        return (statement,)
    table = next((item for item in shape if item.kind is ItemKind.TABLE), None)
    if table is not None and (missing or different or _demanding_columns(state.live, table.table, shape)):
        state.conflicts.append(_other_table(state, table, shape))
    elif table is not None:
        state.conflicts += _further_policies(state, table.table)
    elif different:
        state.conflicts += [
            Conflict(state.step, item.words, item.definition, state.live[item.key].definition) for item in different
        ]
    if state.conflicts:
        return (statement,)
    state.adopted += [state.live[item.key] for item in shape if item.key in state.live]
    state.made += missing
    return tuple(
        Statement(create_sql(item), "insert_stmt" if item.kind is ItemKind.ROW else "", statement.file, statement.line)
        for item in missing
    )


def _fit_validation(state: _Fitting, statement: Statement, item: Item) -> tuple[Statement, ...]:
    """Nothing is to be sent for a constraint that was there before, whole."""
    if state.live.get(item.key) != item:
        return (statement,)
    state.adopted.append(item)
    return ()


def _fit_index(state: _Fitting, statement: Statement, item: Item) -> tuple[Statement, ...] | None:
    """An index that a build or a drop left invalid is built anew; one that an attempt made is ours. Else None."""
    live = state.live.get(item.key)
    if live is None:
        return None
    if live == item and item.key in state.begun:
        state.made.append(item)
        return (replace(statement, stands=True),) if state.mode is Mode.CONCURRENTLY else ()
    if not is_leftover(live, item):
        return None
    state.made.append(item)
    drop = drop_sql(item, concurrently=state.mode is Mode.CONCURRENTLY)
    return Statement(drop, "drop_stmt", statement.file, statement.line), statement


def _same(expected: Item, found: Item) -> bool:
    """A row that somebody edited is still the row: it is left as it is."""
    return expected.kind is ItemKind.ROW or expected.definition == found.definition


def _demanding_columns(live: Live, table: str, shape: Shape) -> bool:
    """There are columns beyond the expected ones that every INSERT would have to name."""
    expected = {item.key for item in shape}
    return any(
        item.definition.endswith(" NOT NULL") and not re.search(" DEFAULT | GENERATED ", item.definition)
        for item in live.values()
        if item.kind is ItemKind.COLUMN and item.table == table and item.key not in expected
    )


def _further_policies(state: _Fitting, table: str) -> Iterable[Conflict]:
    """Policies on a table that is there, beyond those to come: together they decide otherwise than ours alone."""
    for item in state.live.values():
        if item.kind is ItemKind.POLICY and item.table == table and item.key not in state.expected:
            yield Conflict(state.step, item.words, "", item.definition)


def _other_table(state: _Fitting, table: Item, shape: Shape) -> Conflict:
    """A table of the same name that is another one, with all its columns and constraints."""
    live = [item for item in state.live.values() if item.table == table.table]
    return Conflict(state.step, table.words, listing(shape), listing(live))


def listing(items: Iterable[Item]) -> str:
    """The columns and constraints of a table, a line each."""
    lines = []
    for item in items:
        if item.kind is ItemKind.COLUMN:
            lines.append(item.definition)
        elif item.kind is ItemKind.CONSTRAINT:
            lines.append(f"CONSTRAINT {item.name} {item.definition}")
        elif item.kind is ItemKind.TABLE and item.definition != "table":
            lines.append(item.definition)
    return "\n".join(lines)


def _revert(
    state: _Fitting, part: Part, deploy: tuple[Group, ...], there_before: Collection[tuple[str, str]]
) -> tuple[Group, ...]:
    """Undoes what is made and nothing else: data first, newest object first, then what was replaced."""
    groups = list(spared_by(deploy, there_before))
    # Of statements that nobody recorded the shapes of, the rollout's own way back is all there is.
    known = state.made or state.adopted or state.replaced
    for group in part.revert:
        own = (s for s in group.statements if s.changes_data or not known)
        data = tuple(s for s in own if not _is_spared(s, deploy, there_before))
        if data:
            groups.append(replace(group, statements=data))
    tables = {item.table for item in state.made if item.kind is ItemKind.TABLE}
    drops = [
        Statement(
            drop_sql(item, state.edited.get(item.table, "false"), concurrently=state.mode is Mode.CONCURRENTLY),
            "drop_stmt",
        )
        for item in reversed(state.made)
        if item.kind is ItemKind.TABLE or item.table not in tables
    ]
    back = [Statement(put_back_sql(before, after)) for before, after in state.replaced]
    if drops or back:
        groups.append(Group((*drops, *back)))
    return tuple(groups)


def _is_spared(statement: Statement, deploy: tuple[Group, ...], there_before: Collection[tuple[str, str]]) -> bool:
    """The data revert that the rollout wrote is for a column that it made itself."""
    return bool(there_before) and any(group.fills for group in deploy) and statement.kind == "update_stmt"
