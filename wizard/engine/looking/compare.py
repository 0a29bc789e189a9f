"""Compares the objects that steps declare with those that are there, and names each difference. Reads catalogs only."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from psycopg import sql

from wizard.db.connect import Connection
from wizard.db.prepared import Question, ask
from wizard.engine.looking.live import Live, objects_of, question_about
from wizard.engine.looking.situation import Situation
from wizard.engine.views import CheckResult, Judgement
from wizard.rollout.declared import declared_shapes, declares_objects, objects_check_id
from wizard.rollout.model import Step
from wizard.rollout.render import RenderedStep
from wizard.rollout.shape import Item, ItemKind, Shape

OFFERED = "rag_wizard.objects"
"""The setting in which checks find what is declared."""
TITLE = "Every object is defined as the rollout makes it"


@dataclass(frozen=True)
class Comparison:
    """What steps declare, and what the database has of it, read at one moment."""

    declared: Mapping[str, Shape]
    """Step id -> its items, rows included. Where they depend on the application's columns: those that fit here."""
    live: Live
    """Objects only. Rows are left to the checks that the rollout declares: the application may edit them."""
    blind: str = ""
    """Why nothing can be judged."""

    def check(self, step: Step) -> CheckResult | None:
        """One row for each object: expected and found definition. None for a step that declares no object."""
        objects = [item for item in self.declared.get(step.id, ()) if item.kind is not ItemKind.ROW]
        if not objects:
            return None
        result = CheckResult(step=step.id, id=objects_check_id(step.id), title=TITLE, error=self.blind)
        if self.blind:
            return result
        rows = tuple(
            Judgement(
                subject=item.words,
                expected=item.definition,
                found=self.live[item.key].definition if item.key in self.live else None,
            )
            for item in objects
        )
        return result.model_copy(update={"rows": rows})

    def offer(self, *, local: bool) -> str:
        """A statement after which the rollout's own checks read what is declared as `OFFERED`, in a setting.

        It is a JSON array of objects with kind, table_name, name and definition, in the order of the steps.
        `local`: for the transaction only, since behind a transaction pooler nothing may outlive it.
        """
        items = [
            {"kind": item.kind.value, "table_name": item.table, "name": item.name, "definition": item.definition}
            for shape in self.declared.values()
            for item in shape
        ]
        text = json.dumps(items, ensure_ascii=False)
        return sql.SQL("SELECT set_config({}, {}, {})").format(OFFERED, text, local).as_string()


@dataclass(frozen=True)
class Declared:
    """What steps declare, before anybody looked what fits."""

    schema: str
    shapes: Mapping[str, list[tuple[Shape, ...]]]
    """Step id -> for each of its statements the shapes that it may have."""

    @cached_property
    def question(self) -> Question | None:
        """Asks for all objects that they name; None if there are none."""
        objects = [
            item
            for statements in self.shapes.values()
            for alternatives in statements
            for shape in alternatives
            for item in shape
            if item.kind is not ItemKind.ROW
        ]
        return question_about(self.schema, objects) if objects else None

    def compared(self, live: Live, blind: str = "") -> Comparison:
        """What is declared of it that fits what is there."""
        found = {step: tuple(_fitting(statements, live)) for step, statements in self.shapes.items()}
        return Comparison(found, live, blind)


def declared_by(situation: Situation, steps: Iterable[Step]) -> Declared:
    """As rendered, not as fitted: what was adopted is compared like what was made."""
    known, renderer = situation.rollout.shapes, situation.renderer
    return Declared(situation.schema, {step.id: declared_shapes(known, renderer.step(step.id)) for step in steps})


def compare(connection: Connection, situation: Situation, steps: Iterable[Step]) -> Comparison:
    """Reads the objects of all these steps in one query."""
    declared, blind = declared_by(situation, steps), _blind(connection, situation)
    if blind or declared.question is None:
        return declared.compared({}, blind)
    return declared.compared(objects_of(ask(connection, declared.question)))


def _blind(connection: Connection, situation: Situation) -> str:
    """Why this role sees nothing as it is: in a schema that it may not use, no name is found by the search path."""
    row = connection.execute(
        "SELECT current_user AS role, has_schema_privilege(oid, 'USAGE') AS usable"
        " FROM pg_namespace WHERE nspname = %s",
        [situation.schema],
    ).fetchone()
    if row is None or row["usable"]:
        return ""
    return f'not visible to this role, so not judged: role "{row["role"]}" may not use schema "{situation.schema}"'


def has_objects(situation: Situation, rendered: RenderedStep) -> bool:
    """True if the step declares an object, be it there already or not."""
    return declares_objects(situation.rollout.shapes, situation.renderer.step(rendered.step.id))


def _fitting(statements: list[tuple[Shape, ...]], live: Live) -> Iterable[Item]:
    """Of the shapes that a statement may have the one that is there; if none is, that which its neighbours have.

    Which one it is depends on the application's columns, so it is the same for all statements of a step.
    """
    there = [[sum(live.get(item.key) == item for item in shape) for shape in shapes] for shapes in statements]
    neighbours = Counter[int]()
    for counts in there:
        if len(counts) > 1:
            neighbours.update(dict(enumerate(counts)))
    for shapes, counts in zip(statements, there, strict=True):
        _, _, first = max((count, neighbours[number], -number) for number, count in enumerate(counts))
        yield from shapes[-first]
