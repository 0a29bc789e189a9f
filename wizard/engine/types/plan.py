"""What has to be changed in a types file: which entries are the rollout's, and its text with them. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from wizard.db.connect import Connection
from wizard.engine.looking.situation import Situation
from wizard.engine.views_types import TypesPlan
from wizard.errors import UsageError
from wizard.rollout.declared import declared_shapes
from wizard.rollout.shape import Item, ItemKind
from wizard.typescript.catalog import read_target
from wizard.typescript.edit import edit
from wizard.typescript.entries import Wanted
from wizard.typescript.file import TypesFile, difference, digest, in_words, read_types_file, require_types_file
from wizard.typescript.listing import listing_differences
from wizard.typescript.syntax import NotATypesFileError

_FOREIGN_KEY = "FOREIGN KEY"


@dataclass(frozen=True)
class Draft:
    """A types file and what it is to become."""

    file: TypesFile
    text: bytes
    wanted: Wanted
    plan: TypesPlan


def wanted_entries(situation: Situation, steps: Iterable[str] = ()) -> Wanted:
    """The entries that the rollout is about, or those of some of its steps: what its shapes say that they make."""
    items = list(_declared(situation, tuple(steps) or situation.rollout.order))
    made = {item.table for item in _declared(situation, situation.rollout.order) if item.kind is ItemKind.TABLE}
    columns: dict[str, dict[str, None]] = {}
    keys: dict[str, dict[str, None]] = {}
    functions: dict[str, None] = {}
    for item in items:
        if item.kind is ItemKind.FUNCTION:
            functions[item.name.partition("(")[0].strip('"')] = None
        elif item.table in made:
            continue
        elif item.kind is ItemKind.COLUMN:
            columns.setdefault(item.table, {})[item.name] = None
        elif item.kind is ItemKind.CONSTRAINT and item.definition.startswith(_FOREIGN_KEY):
            keys.setdefault(item.table, {})[item.name] = None
    return Wanted(
        tables=tuple(dict.fromkeys(item.table for item in items if item.kind is ItemKind.TABLE)),
        columns={table: tuple(names) for table, names in columns.items()},
        keys={table: tuple(names) for table, names in keys.items()},
        functions=tuple(functions),
    )


def _declared(situation: Situation, steps: Iterable[str]) -> Iterable[Item]:
    shapes = situation.rollout.shapes
    for step in steps:
        for alternatives in declared_shapes(shapes, situation.renderer.step(step)):
            for shape in alternatives:
                yield from shape


def require_types_step(situation: Situation) -> str:
    """The id of the rollout's types step. Raises UsageError if it has none."""
    step = situation.rollout.types_step
    if step is None:
        raise UsageError(
            f"the rollout {situation.rollout.name} has no step that brings a types file up to date",
            fix="Use Supabase's generator for the whole file: npx supabase gen types typescript",
        )
    return step.id


def draft(connection: Connection, situation: Situation, path: Path) -> Draft:
    """The file as it is and as the database wants it. Raises UsageError if it is no types file."""
    require_types_step(situation)
    file = read_types_file(path)
    schemas = require_types_file(file, situation.schema)
    wanted = wanted_entries(situation)
    target = read_target(connection, situation.schema, wanted, schemas)
    try:
        text, changes = edit(file.data, situation.schema, wanted, target)
    except NotATypesFileError as error:
        raise in_words(file.path, error) from None
    plan = TypesPlan(
        path=str(file.path), schema_name=situation.schema, digest=file.digest, result=digest(text),
        difference=tuple(difference(file.data, text, file.path.name)),
        added=tuple(dict.fromkeys(changes.added)), replaced=tuple(dict.fromkeys(changes.replaced)),
        removed=tuple(dict.fromkeys(changes.removed)), notes=tuple(dict.fromkeys(changes.notes)),
    )  # fmt: skip
    return Draft(file, text, wanted, plan)


def wrong_in_the_listing(connection: Connection, situation: Situation) -> tuple[str, ...]:
    """Where the guide's listing is wrong about this database; nothing where the rollout has no listing."""
    step = situation.rollout.types_step
    if step is None or step.types is None or not step.types.listing:
        return ()
    text = (situation.rollout.folder / "steps" / step.types.listing).read_bytes()
    wanted = wanted_entries(situation)
    return listing_differences(text, wanted, read_target(connection, situation.schema, wanted, [situation.schema]))
