"""Names that steps are about to use and something else has: also a type of a table's name, which no shape knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wizard.db.connect import Connection
from wizard.db.queries import query
from wizard.engine.looking.fit import Conflict
from wizard.rollout.objects import Name, created_names
from wizard.rollout.render import Part
from wizard.rollout.statements import Statement

_MAKES = {
    "relation": "a table, an index or a view",
    "chosen constraint": "a constraint, whose name the server chooses",
}
"""What a step makes of a name, where the kind does not say it."""


def names_to_make(parts: Sequence[tuple[str, Part]]) -> dict[Name, str]:
    """Name -> the first step that makes it, or replaces a function of that name. `parts`: (step, part)."""
    # Of all parts together: what lies on a table that one of them makes cannot be taken.
    wanted = set(created_names(statement for _, part in parts for statement in _to_send(part)))
    found: dict[Name, str] = {}
    for step, part in parts:
        for name in created_names(_to_send(part)):
            if name in wanted:
                found.setdefault(name, step)
    return found


def _to_send(part: Part) -> tuple[Statement, ...]:
    return tuple(statement for statement in part.statements if not statement.stands)


def taken_names(
    connection: Connection, schema: str, parts: Sequence[tuple[str, Part]], standing: Iterable[Part]
) -> tuple[Conflict, ...]:
    """A conflict for each name that is not free. One query, and none if nothing is to be made.

    What a standing part made is the rollout's own: a later one may put something else in its place.
    """
    ours = {name for part in standing for statement in part.statements for name in created_names((statement,))}
    names = {name: step for name, step in names_to_make(parts).items() if name not in ours}
    replaced = {item.words for _, part in parts for item in part.replaced}
    if not names:
        return ()
    rows = connection.execute(
        query("taken_names"),
        {
            "schema": schema,
            "kinds": [name.kind for name in names],
            "names": [name.name for name in names],
            "parents": [name.parent for name in names],
        },
    ).fetchall()
    found: dict[tuple[str, str], Conflict] = {}
    for row in rows:
        if row["words"] in replaced:
            continue
        step = names[Name(row["kind"], row["name"], row["parent"])]
        expected = f"a free name: step {step} makes {_MAKES.get(row['kind'], 'a ' + row['kind'])} of it"
        # A key's name stands for the constraint and for its index: one conflict is enough.
        found.setdefault((step, row["name"]), Conflict(step, row["words"], expected, row["definition"]))
    return tuple(found.values())
