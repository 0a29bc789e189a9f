"""Turns a step into moves that never block the application for longer than a moment, with the same end. Sends nothing.

Columns are added without their constraints, which PostgreSQL would check under ACCESS EXCLUSIVE; constraints are added
NOT VALID and validated by themselves; indexes are built CONCURRENTLY; an UPDATE that fills columns goes in batches.
What shapes.json does not know, or cannot be taken apart, stays as the rollout has it.
https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from psycopg import sql

from wizard.rollout.item_sql import create_sql, drop_sql
from wizard.rollout.model import Deviation, Lock
from wizard.rollout.objects import rls_enabled
from wizard.rollout.render import Group, Mode, Part, RenderedStep
from wizard.rollout.shape import Item, ItemKind, Shapes
from wizard.rollout.statements import Statement
from wizard.rollout.update import plain_update

_MOMENT = "for a moment; no row is read meanwhile"
_INDEX = re.compile(r"^(CREATE\s+(?:UNIQUE\s+)?INDEX)\b(?!\s+CONCURRENTLY)", re.IGNORECASE)
_DEVIATIONS = {
    "constraint": Deviation(
        title="constraints added NOT VALID, then validated",
        reason="As the guide has it, PostgreSQL reads the whole table for each of them while nobody can use it. The "
        "end is the same, names included.",
    ),
    "index": Deviation(
        title="indexes built CONCURRENTLY",
        reason="The guide's CREATE INDEX lets nobody write to the table until it is built. The end is the same.",
    ),
    "batches": Deviation(
        title="rows updated in batches",
        reason="The guide's one UPDATE keeps every row that it changed locked until the last one is done. Batches let "
        "go after each, can be paused, and go on where they stopped.",
    ),
}


def online(rendered: RenderedStep, shapes: Shapes) -> RenderedStep:
    """The step as parts of the online strategy; as it is if there is nothing in it that could block for long."""
    parts = tuple(part for whole in rendered.parts for part in _taken_apart(whole, shapes))
    if len(parts) == len(rendered.parts) and all(part.mode is Mode.TRANSACTION for part in parts):
        return rendered
    used = dict.fromkeys(
        kind
        for part in parts
        for kind in (
            *(["batches"] if part.mode is Mode.BATCHES else []),
            *(["index"] if part.mode is Mode.CONCURRENTLY else []),
            *(["constraint"] if part.patient and part.mode is Mode.TRANSACTION else []),
        )
    )
    # A version that takes the step apart in another way cannot go on with parts of this one.
    digest = hashlib.sha256("\n".join((rendered.digest, *(part.title for part in parts))).encode()).hexdigest()
    return replace(
        rendered, parts=parts, digest=digest, deviations=(*rendered.deviations, *(_DEVIATIONS[kind] for kind in used))
    )


def _taken_apart(whole: Part, shapes: Shapes) -> Iterator[Part]:
    """The parts in the order of the statements; those that stay as they are keep together."""
    moves = [
        (group, statement, tuple(_moves(group, statement, shapes, whole.revert)))
        for group in whole.deploy
        for statement in group.statements
    ]
    staying = [statement for _, statement, parts in moves if not parts]
    if len(staying) == len(moves) or not all(_is_told(one, shapes) for one in staying) or not _goes_back(whole, moves):
        yield whole
        return
    kept: list[tuple[Group, Statement]] = []
    for group, statement, parts in moves:
        if parts and kept:
            yield _as_written(kept, shapes)
            kept = []
        yield from parts
        if not parts:
            kept.append((group, statement))
    if kept:
        yield _as_written(kept, shapes)


def _is_told(statement: Statement, shapes: Shapes) -> bool:
    """What it makes was recorded, so what takes it away is known too."""
    return any(shapes.get((statement.file, statement.sql), ())) or bool(rls_enabled(statement))


def _goes_back(whole: Part, moves: Sequence[tuple[Group, Statement, tuple[Part, ...]]]) -> bool:
    """Each UPDATE of the way back belongs to one of the moves: as parts of their own they would lose it."""
    taken = [
        statement for *_, parts in moves for part in parts for group in part.revert for statement in group.statements
    ]
    updates = [one for group in whole.revert for one in group.statements if one.kind == "update_stmt"]
    return all(taken.count(update) == 1 for update in updates)


def _as_written(kept: Sequence[tuple[Group, Statement]], shapes: Shapes) -> Part:
    groups: list[Group] = []
    for group, statement in kept:
        groups.append(replace(group, statements=(statement,)))
    items = [item for _, one in kept for shape in shapes[one.file, one.sql][:1] for item in shape]
    count = f"{len(kept)} statement{'' if len(kept) == 1 else 's'}"
    return Part(f"{count}, one transaction", tuple(groups), _dropping(items))


def _dropping(items: Sequence[Item]) -> tuple[Group, ...]:
    """Takes the items away again, the newest first; what lies in a table that goes needs no statement."""
    tables = {item.table for item in items if item.kind is ItemKind.TABLE}
    drops = tuple(
        Statement(drop_sql(item)) for item in reversed(items) if item.kind is ItemKind.TABLE or item.table not in tables
    )
    return (Group(drops),) if drops else ()


def _moves(group: Group, statement: Statement, shapes: Shapes, revert: Sequence[Group]) -> Iterator[Part]:
    """The statement as parts of its own; none if it stays as it is."""
    if group.batched_by:
        update = plain_update(statement.sql)
        if update is not None:
            yield _batches(group, statement, update.table, update.columns, revert)
        return
    known = shapes.get((statement.file, statement.sql), ())
    # More than one shape: what it makes depends on the application's columns, and so would its moves.
    if len(known) != 1:
        return
    if statement.kind == "index_stmt" and len(known[0]) == 1 and _INDEX.match(statement.sql):
        yield _index(statement, known[0][0])
    elif statement.kind == "alter_table_stmt" and _only_adds(statement.sql, known[0]):
        yield from _columns_and_constraints(statement, known[0])


def _batches(group: Group, statement: Statement, table: str, columns: Sequence[str], revert: Sequence[Group]) -> Part:
    back = tuple(
        replace(one, statements=(other,))
        for one in revert
        for other in one.statements
        if (update := plain_update(other.sql)) is not None and (update.table, update.columns) == (table, columns)
    )
    title = f"fill {table}.{', '.join(columns)} in batches"
    lock = Lock(mode="ROW EXCLUSIVE", table=table, existing=True, note="each row until its batch commits")
    return Part(title, (replace(group, statements=(statement,)),), back, mode=Mode.BATCHES, patient=True, locks=(lock,))


def _index(statement: Statement, item: Item) -> Part:
    text = _INDEX.sub(r"\1 CONCURRENTLY", statement.sql)
    lock = Lock(mode="SHARE UPDATE EXCLUSIVE", table=item.table, existing=True, note="readers and writers go on")
    return Part(
        item.name,
        (Group((replace(statement, sql=text, makes=(item,)),)),),
        (Group((Statement(drop_sql(item, concurrently=True), "drop_stmt"),)),),
        mode=Mode.CONCURRENTLY, patient=True, locks=(lock,),
    )  # fmt: skip


def _only_adds(text: str, shape: Sequence[Item]) -> bool:
    """It adds columns with constant defaults, which rewrites no row, and constraints that can be validated later."""
    import postgast
    from postgast import pg_query_pb2

    adds = {pg_query_pb2.AT_AddColumn, pg_query_pb2.AT_AddConstraint}
    commands = postgast.parse(text).stmts[0].stmt.alter_table_stmt.cmds
    constraints = [item for item in shape if item.kind is ItemKind.CONSTRAINT]
    return (
        all(command.alter_table_cmd.subtype in adds for command in commands)
        and {item.kind for item in shape} <= {ItemKind.COLUMN, ItemKind.CONSTRAINT}
        and bool(constraints)
        and all(item.definition.startswith(("CHECK ", "FOREIGN KEY ")) for item in constraints)
        and all(_is_cheap(item) for item in shape if item.kind is ItemKind.COLUMN)
    )


def _is_cheap(column: Item) -> bool:
    """Adding it rewrites no row: it has no default, or one that is a constant."""
    import postgast

    node = postgast.parse(f"ALTER TABLE t ADD COLUMN {column.definition}").stmts[0].stmt
    definition = getattr(node.alter_table_stmt.cmds[0].alter_table_cmd, "def").column_def
    for wrapped in definition.constraints:
        constraint = wrapped.constraint
        if not constraint.HasField("raw_expr"):
            continue
        expression = constraint.raw_expr
        while expression.WhichOneof("node") == "type_cast":
            expression = expression.type_cast.arg
        if expression.WhichOneof("node") != "a_const":
            return False
    return not re.search(r" GENERATED | IDENTITY", column.definition)


def _columns_and_constraints(statement: Statement, shape: Sequence[Item]) -> Iterator[Part]:
    columns = [item for item in shape if item.kind is ItemKind.COLUMN]
    constraints = [item for item in shape if item.kind is ItemKind.CONSTRAINT]
    table = shape[0].table
    if columns:
        text = sql.SQL("ALTER TABLE {table}\n    {added}").format(
            table=sql.Identifier(table),
            added=sql.SQL(",\n    ").join(sql.SQL(f"ADD COLUMN {item.definition}") for item in columns),
        )
        count = f"add {len(columns)} column{'' if len(columns) == 1 else 's'}"
        yield _part(count, replace(statement, sql=text.as_string(), makes=tuple(columns)), [_strong(table)], columns)
    for item in constraints:
        text_ = f"{create_sql(item)} NOT VALID"
        yield _part(
            f"{_word(item)}, NOT VALID", replace(statement, sql=text_, makes=(item,)), _constraint_locks(item), [item]
        )
    for item in constraints:
        validate = sql.SQL("ALTER TABLE {} VALIDATE CONSTRAINT {}").format(
            sql.Identifier(table), sql.Identifier(item.name)
        )
        made = replace(statement, sql=validate.as_string(), makes=(item,), validates=True)
        lock = Lock(mode="SHARE UPDATE EXCLUSIVE", table=table, existing=True, note="readers and writers go on")
        yield replace(_part(f"validate {_word(item)}", made, [lock], []), patient=True)


def _part(title: str, statement: Statement, locks: Iterable[Lock], undone: Sequence[Item]) -> Part:
    return Part(title, (Group((statement,)),), _dropping(undone), locks=tuple(locks))


def _word(item: Item) -> str:
    return "check" if item.definition.startswith("CHECK") else "foreign key"


def _strong(table: str) -> Lock:
    return Lock(mode="ACCESS EXCLUSIVE", table=table, existing=True, note=_MOMENT)


def _constraint_locks(item: Item) -> list[Lock]:
    if _word(item) == "check":
        return [_strong(item.table)]
    import postgast

    node = postgast.parse(f"ALTER TABLE t ADD {item.definition}").stmts[0].stmt
    referenced = getattr(node.alter_table_stmt.cmds[0].alter_table_cmd, "def").constraint.pktable.relname
    return [
        Lock(mode="SHARE ROW EXCLUSIVE", table=name, existing=True, note=f"writers wait {_MOMENT}")
        for name in (item.table, referenced)
    ]
