"""Functions as the generator prints them: arguments and what is returned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wizard.typescript.collation import order
from wizard.typescript.entries import Property, Signature
from wizard.typescript.rules import Types, quoted

_GIVEN = frozenset("ibv")
"""Modes of arguments that a caller gives: IN, INOUT, VARIADIC."""
_NAMELESS = frozenset({"json", "jsonb", "text"})
"""Types of a single argument that the API passes without a name."""


def signatures(schema: str, rows: Iterable[Mapping[str, Any]], types: Types) -> dict[str, tuple[Signature, ...]]:
    """Name -> signatures, overloads in the generator's order. What the API cannot call is not among them."""
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (order(row["argument_text"]), order(row["result_text"]))):
        if _callable(_given(row)):
            by_name.setdefault(row["name"], []).append(row)
    return {
        name: tuple(_signature(schema, row, overloads, types) for row in overloads)
        for name, overloads in by_name.items()
    }


def made_of_rows(row: Mapping[str, Any]) -> bool:
    """It takes or returns rows of a relation: the generator says more about those than is made here."""
    return bool(row["returns_row"] or any(argument["row"] for argument in row["arguments"]))


def scalar(row: Mapping[str, Any], types: Types) -> str:
    """What a function returns, as the type of a computed field."""
    returned = types.of(row["returns"], row["returns_schema"])
    return f"{returned}[]" if row["returns_set"] else returned


def _given(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return sorted((a for a in row["arguments"] if a["mode"] in _GIVEN), key=lambda argument: order(argument["name"]))


def _callable(arguments: list[Mapping[str, Any]]) -> bool:
    nameless = [argument for argument in arguments if not argument["name"]]
    if not nameless:
        return True
    if len(arguments) == 1:
        return nameless[0]["type"] in _NAMELESS
    return all(argument["has_default"] and argument["type"] in _NAMELESS for argument in nameless)


def _signature(schema: str, row: Mapping[str, Any], overloads: list[Mapping[str, Any]], types: Types) -> Signature:
    arguments = tuple(
        Property(argument["name"], types.of(argument["type"], argument["schema"]), optional=argument["has_default"])
        for argument in _given(row)
    )
    conflict = _conflict(schema, row, overloads)
    if conflict:
        return Signature(arguments, f"{{ error: true }} & {quoted(conflict)}" + ("[]" if row["returns_set"] else ""))
    table = [argument for argument in row["arguments"] if argument["mode"] == "t"]
    if table:
        fields = sorted(table, key=lambda argument: order(argument["name"]))
        inside = "; ".join(f"{a['name']}: {types.of(a['type'], a['schema'])}" for a in fields)
        return Signature(arguments, f"{{ {inside} }}[]")
    return Signature(arguments, scalar(row, types))


def _conflict(schema: str, row: Mapping[str, Any], overloads: list[Mapping[str, Any]]) -> str:
    """The generator's words for overloads between which the API cannot choose: one argument, same name, other type."""
    given = _given(row)
    if len(given) != 1 or not given[0]["name"]:
        return ""
    rivals = [
        (found[0]["oid"], found[0])
        for other in overloads
        if len(found := _given(other)) == 1 and found[0]["name"] == given[0]["name"]
    ]
    if len({oid for oid, _ in rivals}) < 2:
        return ""
    calls = (f"{schema}.{row['name']}({a['name']} => {a['type']})" for _, a in sorted(rivals, key=lambda r: r[0]))
    return (
        f"Could not choose the best candidate function between: {', '.join(calls)}. Try renaming the parameters or the "
        "function itself in the database so function overloading can be resolved"
    )
