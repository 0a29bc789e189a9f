"""The objects that a statement makes, as data: what they look like in the catalog, and the SQL of each one alone.

sql/shapes.json holds them for every statement of a rollout. It is written by running the rollout's own SQL on a real
server (`make shapes`), never by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from wizard.errors import RolloutInvalidError

if TYPE_CHECKING:
    from wizard.rollout.statements import Statement

FILE = "shapes.json"
FORMAT = 1


class ItemKind(Enum):
    """What an item is. The value is its name in the registry, in shapes.json and to people."""

    TABLE = "table"
    COLUMN = "column"
    CONSTRAINT = "constraint"
    INDEX = "index"
    TRIGGER = "trigger"
    FUNCTION = "function"
    POLICY = "policy"
    RLS = "row level security"
    GRANT = "grant"
    ROW = "row"

    # Members are the same when they are identical; Enum's own hash runs in Python, for every look into a dict of items.
    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One object of the target schema. Hundreds are made of what the server answers, after every step."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    kind: ItemKind
    table: str = ""
    """The table it belongs to; of a table its own name, of a function empty."""
    name: str = ""
    """Of a function with its argument types; of a grant "role: PRIVILEGE"; of a row its key as JSON; else plain."""
    definition: str
    """As the catalog prints it while search_path is the target schema alone: equal text means equal objects."""

    @property
    def key(self) -> tuple[ItemKind, str, str]:
        """What makes it the same object on another database. An index's name belongs to the schema, not the table."""
        return (self.kind, "" if self.kind is ItemKind.INDEX else self.table, self.name)

    @property
    def words(self) -> str:
        """`column tickets.paid`, `trigger keep_time on tickets`."""
        template = _WORDS.get(self.kind, "{kind} {name} on {table}")
        return template.format(kind=self.kind.value, name=self.name, table=self.table)


_WORDS = {
    ItemKind.TABLE: "{kind} {table}",
    ItemKind.COLUMN: "{kind} {table}.{name}",
    ItemKind.FUNCTION: "{kind} {name}",
    ItemKind.RLS: "{kind} of {table}",
    ItemKind.GRANT: "{kind} on {table} to {name}",
    ItemKind.POLICY: '{kind} "{name}" on {table}',
}

Shape = tuple[Item, ...]
"""Everything that one statement adds."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    file: str
    line: int
    sql: str
    shapes: tuple[Shape, ...]


Shapes = Mapping[tuple[str, str], tuple[Shape, ...]]
"""(file below sql/, statement) -> what it adds: the same text may add something in one step, nothing in a later one."""


def load_shapes(folder: Path) -> Shapes:
    """What each statement adds; more than one shape where that depends on the application's columns.

    A statement that is not there makes objects that nobody recorded: it is sent as it is written. Empty without the
    file. Raises RolloutInvalidError if the file is broken.
    """
    file = folder / "sql" / FILE
    if not file.is_file():
        return {}
    try:
        document: Any = json.loads(file.read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise RolloutInvalidError(f"{file}: format {document['format']} is not known", fix="Write it anew.")
        entries = [_Entry.model_validate(entry) for entry in document["statements"]]
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise RolloutInvalidError(f"{file}: cannot be read: {error}", fix="Write it anew: make shapes") from None
    return {(entry.file, entry.sql): entry.shapes for entry in entries}


def shapes_of(statement: Statement, known: Shapes) -> tuple[Shape, ...]:
    """What a statement may add: as it says itself, or as the file has it; empty if nobody knows."""
    return known.get((statement.file, statement.sql), ()) if statement.makes is None else (statement.makes,)


def write_shapes(folder: Path, entries: Mapping[tuple[str, int, str], tuple[Shape, ...]]) -> None:
    """Writes sql/shapes.json. `entries`: (file, line, statement) -> its shapes."""
    statements = []
    for (file, line, text), shapes in entries.items():
        head = json.dumps({"file": file, "line": line, "sql": text}, ensure_ascii=False)[1:-1]
        each = ",\n".join("  [\n" + ",\n".join(f"   {_compact(item)}" for item in shape) + "\n  ]" for shape in shapes)
        statements.append(f' {{{head}, "shapes": [\n{each}\n ]}}')
    body = ",\n".join(statements)
    (folder / "sql" / FILE).write_text(f'{{"format": {FORMAT}, "statements": [\n{body}\n]}}\n', encoding="utf-8")


def _compact(item: Item) -> str:
    """An item on a line of its own, for readable differences."""
    return json.dumps(asdict(item) | {"kind": item.kind.value}, ensure_ascii=False)
