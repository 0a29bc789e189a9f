"""The generator's rules: PostgreSQL's types and columns as TypeScript.

They are those of @supabase/postgrest-typegen, https://github.com/supabase/sdk (packages/postgrest-typegen).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wizard.typescript.entries import BLOCKS, Property

_NUMBERS = ("int2", "int4", "int8", "float4", "float8", "numeric")
_STRINGS = (
    "bytea", "bpchar", "varchar", "date", "text", "citext", "time", "timetz", "timestamp", "timestamptz", "uuid",
    "vector", "interval",
)  # fmt: skip
_PLAIN = {
    "bool": "boolean",
    **dict.fromkeys(_NUMBERS, "number"),
    **dict.fromkeys(_STRINGS, "string"),
    "json": "Json",
    "jsonb": "Json",
    "void": "undefined",
    "record": "Record<string, unknown>",
}
UNKNOWN = "unknown"
JSON = "Json"


@dataclass(frozen=True)
class NamedType:
    """An enum, or the row type of a relation or composite type."""

    schema: str
    name: str
    section: str
    """Where the generator prints it: Enums, CompositeTypes, Tables or Views."""
    labels: tuple[str, ...] = ()


class Types:
    """Turns type names into TypeScript. `schemas` are those that the file has: what is in them is referred to."""

    def __init__(self, named: Sequence[NamedType], schemas: Sequence[str]) -> None:
        self._named = named
        self._schemas = schemas

    def of(self, name: str, schema: str) -> str:
        """The type `name`, without null; an array's name begins with an underscore."""
        if name in _PLAIN:
            return _PLAIN[name]
        if name.startswith("_"):
            element = self.of(name[1:], schema)
            return f"({element})[]" if " | " in element else f"{element}[]"
        for section in ("Enums", "CompositeTypes", "Tables", "Views"):
            same = [one for one in self._named if one.name == name and one.section == section]
            if same:
                return self._reference(next((one for one in same if one.schema == schema), same[0]))
        return UNKNOWN

    def _reference(self, named: NamedType) -> str:
        if named.schema not in self._schemas:
            return " | ".join(map(quoted, named.labels)) or UNKNOWN
        row = '["Row"]' if named.section in {"Tables", "Views"} else ""
        return f"Database[{quoted(named.schema)}][{quoted(named.section)}][{quoted(named.name)}]{row}"


def quoted(text: str) -> str:
    """As a string of TypeScript."""
    return json.dumps(text, ensure_ascii=False)


def nullable(type_: str, *, null: bool) -> str:
    """With null; Json has it already, so that a column that is never null is narrowed."""
    if type_ == JSON and not null:
        return "NonNullable<Json>"
    return f"{type_} | null" if null and type_ != UNKNOWN else type_


def properties(column: Mapping[str, Any], type_of: Callable[[str, str], str]) -> dict[str, Property]:
    """A column of the catalog in each block."""
    name = column["name"]
    type_ = nullable(type_of(column["format"], column["type_schema"]), null=column["nullable"])
    if column["always"]:
        never = Property(name, "never", optional=True)
        return dict(zip(BLOCKS, (Property(name, type_), never, never), strict=True))
    given = column["nullable"] or column["identity"] or column["has_default"]
    return {
        "Row": Property(name, type_),
        "Insert": Property(name, type_, optional=given),
        "Update": Property(name, type_, optional=True),
    }
