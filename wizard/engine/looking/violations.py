"""Rows that a constraint to come would refuse, in columns that are there already: found before anything is changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import sql

from wizard.db.connect import Connection
from wizard.engine.looking.situation import Situation
from wizard.engine.views import PrerequisiteResult
from wizard.rollout.shape import Item, ItemKind

LIMIT = "5s"
"""How long one constraint may be looked at: every row is read where none violates it."""
ENOUGH = 10_000
"""More rows are not counted."""

_CHECK = re.compile(r"^CHECK (\(.*\))(?: NO INHERIT)?(?: NOT VALID)?$", re.DOTALL)
_COUNT = sql.SQL("SELECT count(*) AS number FROM (SELECT FROM {rows} LIMIT {enough}) AS refused")


@dataclass(frozen=True)
class _Look:
    """What is to be looked at for one constraint."""

    item: Item
    rows: sql.Composed | None
    """FROM and WHERE that select the rows it would refuse; None if reading cannot tell."""
    why_not: str = ""


@dataclass(frozen=True)
class _Found:
    level: Literal["pass", "warn", "stop"]
    found: str
    fix: str = ""


def violations(connection: Connection, situation: Situation) -> Iterator[PrerequisiteResult]:
    """One result for all CHECKs and foreign keys that are to be made on columns that exist; none without any."""
    found = [_judge(connection, look) for look in _looks(situation)]
    if not found:
        return
    level = next(level for level in ("stop", "warn", "pass") if any(one.level == level for one in found))
    told = [one for one in found if one.level == level]
    yield PrerequisiteResult(
        id="rows-fit",
        title="Existing rows satisfy the constraints to come",
        level=told[0].level,
        found="; ".join(one.found for one in told),
        fix=" ".join(one.fix for one in told if one.fix),
    )


def _looks(situation: Situation) -> Iterator[_Look]:
    made = [item for rendered in situation.remaining for part in rendered.parts for item in part.made]
    tables = {item.table for item in made if item.kind is ItemKind.TABLE}
    columns = {(item.table, item.name) for item in made if item.kind is ItemKind.COLUMN}
    rows = {item.table for item in made if item.kind is ItemKind.ROW}
    for item in made:
        if item.kind is not ItemKind.CONSTRAINT or item.table in tables:
            continue
        node = _parsed(item)
        names = set(_columns(node)) if node is not None else set()
        new = {name for name in names if (item.table, name) in columns}
        if node is None or not names or new == names:
            continue
        if new:
            yield _Look(item, None, "it also names columns that are not there yet")
        elif check := _CHECK.match(item.definition):
            yield _Look(item, _refused_by_check(item, check[1]))
        else:
            parent = node.pktable.relname
            why = f"rows that the rollout puts into {parent} are not there yet" if parent in rows else ""
            yield _Look(item, None if why else _orphans(item, node, there=parent not in tables), why)


def _parsed(item: Item) -> Any:
    """The parse tree of a CHECK or a foreign key; None for other constraints."""
    import postgast

    if not item.definition.startswith(("CHECK ", "FOREIGN KEY ")):
        return None
    text = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
        sql.Identifier(item.table), sql.Identifier(item.name), sql.SQL(item.definition)
    )
    command = postgast.parse(text.as_string()).stmts[0].stmt.alter_table_stmt.cmds[0].alter_table_cmd
    return getattr(command, "def").constraint  # a Python keyword, hence not an attribute


def _columns(node: Any) -> Iterator[str]:
    """Columns of the constraint's own table that it names."""
    if node.fk_attrs:
        yield from (attribute.string.sval for attribute in node.fk_attrs)
    else:
        yield from _references(node.raw_expr)


def _references(node: Any) -> Iterator[str]:
    for field, value in node.ListFields():
        if field.name == "column_ref":
            yield value.fields[-1].string.sval
        elif field.message_type is not None:
            for one in value if field.is_repeated else (value,):
                yield from _references(one)


def _refused_by_check(item: Item, expression: str) -> sql.Composed:
    """NULL passes a CHECK."""
    return sql.SQL("{table} WHERE {expression} IS FALSE").format(
        table=sql.Identifier(item.table), expression=sql.SQL(expression)
    )


def _orphans(item: Item, node: Any, *, there: bool) -> sql.Composed:
    """Rows whose parent is missing; with a NULL in the key no parent is asked for. A table to come has no rows."""
    own = [sql.Identifier(attribute.string.sval) for attribute in node.fk_attrs]
    theirs = [sql.Identifier(attribute.string.sval) for attribute in node.pk_attrs]
    parts = [sql.SQL("child.{} IS NOT NULL").format(name) for name in own]
    if there:
        pairs = zip(own, theirs, strict=True)
        matches = sql.SQL(" AND ").join(sql.SQL("parent.{} = child.{}").format(b, a) for a, b in pairs)
        parts.append(
            sql.SQL("NOT EXISTS (SELECT FROM {} AS parent WHERE {})").format(
                sql.Identifier(node.pktable.relname), matches
            )
        )
    return sql.SQL("{} AS child WHERE {}").format(sql.Identifier(item.table), sql.SQL(" AND ").join(parts))


def _judge(connection: Connection, look: _Look) -> _Found:
    what = f"{look.item.words} ({look.item.definition})"
    if look.rows is None:
        return _Found("warn", f"cannot tell whether every row fits {what}: {look.why_not}", _careful(look))
    try:
        # Rolled back, because behind a transaction pooler the limit would last for the whole session.
        with connection.transaction(force_rollback=True):
            connection.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(LIMIT))
            row = connection.execute(_COUNT.format(rows=look.rows, enough=sql.Literal(ENOUGH + 1))).fetchone()
    except psycopg.Error as error:
        if connection.broken:
            raise
        return _Found("warn", f"cannot tell whether every row fits {what}: {_said(error)}", _careful(look))
    number = row["number"] if row is not None else 0
    if not number:
        return _Found("pass", f"every row fits {look.item.words}")
    many = f"more than {ENOUGH:,} rows" if number > ENOUGH else f"{number:,} row{'' if number == 1 else 's'}"
    verb = "does" if number == 1 else "do"
    listing = sql.SQL("SELECT * FROM {};").format(look.rows).as_string()
    return _Found(
        "stop", f"{many} of {look.item.table} {verb} not fit {what}", f"Correct or empty what these hold: {listing}"
    )


def _said(error: psycopg.Error) -> str:
    if isinstance(error, psycopg.errors.QueryCanceled):
        return f"looking took longer than {LIMIT}"
    return error.diag.message_primary or str(error)


def _careful(look: _Look) -> str:
    if look.rows is None:
        return "If one does not, the step fails and leaves nothing behind."
    listing = sql.SQL("SELECT * FROM {};").format(look.rows).as_string()
    return f"Look yourself: {listing} If there is a row, the step fails and leaves nothing behind."
