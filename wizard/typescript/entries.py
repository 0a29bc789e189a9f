"""What stands in a types file, as data: tables with their columns and relationships, functions. No syntax, no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wizard.typescript.collation import Key, order

BLOCKS = ("Row", "Insert", "Update")
"""The three shapes of a table's rows, in the order in which the generator prints them."""


@dataclass(frozen=True)
class Property:
    """One column in Row, Insert or Update, or one argument of a function."""

    name: str
    type: str
    """As TypeScript, strings in double quotes."""
    optional: bool = False


@dataclass(frozen=True)
class Relationship:
    """A foreign key as the generator prints it; once more for each view that shows the referenced columns."""

    key: str
    """The constraint's name."""
    columns: tuple[str, ...]
    one_to_one: bool
    relation: str
    referenced: tuple[str, ...]

    @property
    def place(self) -> tuple[Key, Key, Key, Key]:
        """Where it stands among the others of its table."""
        return order(self.key), order(self.relation), order(_json(self.referenced)), order(_json(self.columns))


def _json(names: tuple[str, ...]) -> str:
    return "[" + ",".join(f'"{name}"' for name in names) + "]"


@dataclass(frozen=True)
class TableEntry:
    """A whole table: block -> its properties in order, and the relationships in order."""

    blocks: Mapping[str, tuple[Property, ...]]
    relationships: tuple[Relationship, ...]


@dataclass(frozen=True)
class Signature:
    """One function: `returns` as TypeScript."""

    arguments: tuple[Property, ...]
    returns: str


@dataclass(frozen=True)
class Wanted:
    """Which entries of a types file a rollout is about; everything else in the file belongs to somebody else."""

    tables: tuple[str, ...] = ()
    """Tables that the rollout makes: their whole entries."""
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Existing table -> columns that the rollout adds to it."""
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Existing table -> foreign keys that the rollout adds to it."""
    functions: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tables or self.columns or self.keys or self.functions)

    @property
    def existing(self) -> tuple[str, ...]:
        """Tables that the rollout only adds to."""
        return tuple(dict.fromkeys((*self.columns, *self.keys)))

    def as_json(self) -> dict[str, Any]:
        """For the registry."""
        return {
            "tables": list(self.tables),
            "columns": {table: list(names) for table, names in self.columns.items()},
            "keys": {table: list(names) for table, names in self.keys.items()},
            "functions": list(self.functions),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Wanted:
        """What `as_json` gave."""
        return cls(
            tuple(document["tables"]),
            {table: tuple(names) for table, names in document["columns"].items()},
            {table: tuple(names) for table, names in document["keys"].items()},
            tuple(document["functions"]),
        )


@dataclass(frozen=True)
class Target:
    """What the wanted entries have to be. What is wanted and not in here is not in the database: it is taken out."""

    tables: Mapping[str, TableEntry]
    columns: Mapping[str, Mapping[str, Mapping[str, Property]]]
    """Existing table -> added column -> block -> property."""
    relationships: Mapping[str, tuple[Relationship, ...]]
    """Existing table -> those of the added foreign keys."""
    functions: Mapping[str, tuple[Signature, ...]]
    """Name -> its signatures; more than one where it is overloaded."""
    left_out: tuple[str, ...] = ()
    """Functions whose types are not made here, and why."""
