"""What others built on objects that a rollback is about to drop: found by the catalog, told with what undoes it.

It decides nothing and drops nothing. Text inside a function's string body is unknown to the catalog, and so to this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wizard.db.connect import Connection
from wizard.db.queries import query
from wizard.engine.views_back import Dependent
from wizard.errors import RefusedError
from wizard.text import one_line


@dataclass(frozen=True)
class ObjectRef:
    """An object that is about to be dropped, in the target schema."""

    kind: str
    """table, column, constraint, index, trigger, function or policy; others have no dependents and are passed over."""
    table: str
    """The table it belongs to, unquoted; of a table its own name, of a function empty."""
    name: str
    """Its own name, unquoted; of a function its signature, as regprocedure prints it; of a table empty or the same."""


_KINDS = {
    "table column": "column",
    "foreign table column": "column",
    "table constraint": "constraint",
    "default value": "default",
    "publication relation": "publication",
    "statistics object": "statistics",
}
"""pg_identify_object's words to ours, where they differ."""

_FIXES = {
    "view": "DROP VIEW {name};",
    "materialized view": "DROP MATERIALIZED VIEW {name};",
    "foreign key": "ALTER TABLE {relation} DROP CONSTRAINT {own};",
    "constraint": "ALTER TABLE {relation} DROP CONSTRAINT {own};",
    "domain constraint": "ALTER DOMAIN {relation} DROP CONSTRAINT {own};",
    "column": "ALTER TABLE {relation} DROP COLUMN {own};",
    "default": "ALTER TABLE {relation} ALTER COLUMN {own} DROP DEFAULT;",
    "composite type column": "ALTER TYPE {relation} DROP ATTRIBUTE {own};",
    "table": "ALTER TABLE {name} NO INHERIT {parent};",
    "partition": "ALTER TABLE {parent} DETACH PARTITION {name};",
    "index": "DROP INDEX {name};",
    "policy": "DROP POLICY {own} ON {relation};",
    "trigger": "DROP TRIGGER {own} ON {relation};",
    "rule": "DROP RULE {own} ON {relation};",
    "publication": "ALTER PUBLICATION {own} DROP TABLE {relation};",
    "function": "DROP FUNCTION {name};",
    "procedure": "DROP PROCEDURE {name};",
    "aggregate": "DROP AGGREGATE {name};",
    "statistics": "DROP STATISTICS {name};",
    "type": "DROP TYPE {name};",
    "cast": "DROP CAST {name};",
}


def find_dependents(connection: Connection, schema: str, items: Sequence[ObjectRef]) -> tuple[Dependent, ...]:
    """Everything outside `items` that depends on one of them, and what depends on that in turn.

    The order is one in which the fixes succeed. The connection's search_path is `schema`, as connect() sets it. Items
    that are gone already are passed over. One query, which reads the catalog and locks nothing; raises psycopg.Error.
    """
    parameters = {
        "schema": schema,
        "kinds": [item.kind for item in items],
        "tables": [item.table for item in items],
        "names": [item.name for item in items],
    }
    rows = connection.execute(query("dependents"), parameters).fetchall()
    return tuple(_dependent(row, rows) for row in _outermost_first(rows))


def require_no_dependents(dependents: Sequence[Dependent]) -> None:
    """Raises RefusedError that lists them, if there are any. Nothing was changed then."""
    if not dependents:
        return
    number = f"{len(dependents)} objects" if len(dependents) > 1 else "one object"
    raise RefusedError(
        f"{number} that this rollout did not make depend{'' if len(dependents) > 1 else 's'} on what would be dropped",
        why="\n".join((*dependents_words(dependents), "Nothing was changed.")),
        fix="Take them out of the way, from the first to the last; then run the same command again.",
    )


def dependents_words(dependents: Sequence[Dependent]) -> list[str]:
    """One line for each: what it is, what would happen to it, and what the operator can do. Safe to show."""
    return [one_line(_words(dependent)) for dependent in dependents]


def _words(dependent: Dependent) -> str:
    lost = dependent.would == "would be dropped with it"
    column = dependent.kind == "column"
    values = ", its values included" if column and lost else ""
    # A publication's name says what it is of.
    subject = dependent.name if dependent.kind == "publication" else f"{dependent.kind} {dependent.name}"
    what = f"{subject} depends on {dependent.on} and {dependent.would}{values}"
    if not dependent.fix or one_line(dependent.fix) != dependent.fix:
        # A statement with characters made visible would name something else.
        return f"{what}; keep its definition, then change or drop it yourself"
    keep = "what you need of it" if column else "its definition"
    again = " Then add the table again without it." if dependent.kind == "publication" and not lost else ""
    return f"{what}; keep {keep}, then: {dependent.fix}{again}"


def _dependent(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Dependent:
    kind = _kind(row)
    on = row["items"] or [f"{_kind(other)} {other['name']}" for other in rows if other["key"] in row["needs"]]
    fix = _FIXES.get(kind, "")
    # No table of somebody else is ever to be dropped: it only lets go of its parent.
    lacking = "{parent}" in fix and not row["parent"]
    return Dependent(
        kind=kind,
        name=row["name"],
        on=", ".join(on),
        would="stops the drop" if row["stops"] else "would be dropped with it",
        fix="" if lacking else fix.format_map(row),
    )


def _kind(row: Mapping[str, Any]) -> str:
    kind = str(row["kind"])
    return _KINDS.get(kind, kind)


def _outermost_first(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Each row before those that it depends on; a circle, which functions and views can make, is cut anywhere."""
    seen: set[str] = set()
    by_key = {row["key"]: row for row in rows}

    def needed_first(key: str) -> Iterator[Mapping[str, Any]]:
        if key in by_key and key not in seen:
            seen.add(key)
            for other in by_key[key]["needs"]:
                yield from needed_first(other)
            yield by_key[key]

    ordered = [row for key in reversed(by_key) for row in needed_first(key)]
    return ordered[::-1]
