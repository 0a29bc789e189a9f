"""Compares the objects that a step declares with those that are there, and names each difference."""

from __future__ import annotations

import psycopg

from wizard.db.connect import Connection
from wizard.engine.live import read_items
from wizard.engine.situation import Situation
from wizard.engine.views import CheckResult, Judgement
from wizard.rollout.model import Step
from wizard.rollout.render import RenderedStep
from wizard.rollout.shape import ItemKind, Shape

TITLE = "Every object is as the rollout makes it"


def objects_check_id(step: str) -> str:
    """The id under which criteria name this check."""
    return f"{step}.objects"


def has_objects(situation: Situation, rendered: RenderedStep) -> bool:
    """True if shapes.json knows an object of the step."""
    return any(_shapes(situation, rendered))


def check_objects(connection: Connection, situation: Situation, step: Step) -> CheckResult | None:
    """One row for each object: expected and found definition. None for a step that declares no object.

    Rows are left to the checks that the rollout declares: the application may edit them.
    """
    # As rendered, not as fitted: what was adopted is compared like what was made.
    wanted = [shapes for shapes in _shapes(situation, situation.renderer.step(step.id)) if shapes]
    if not wanted:
        return None
    result = CheckResult(step=step.id, id=objects_check_id(step.id), title=TITLE)
    try:
        live = read_items(connection, situation.schema, [item for shapes in wanted for one in shapes for item in one])
    except psycopg.errors.InsufficientPrivilege as error:
        why = f"not visible to this role, so not judged: {error.diag.message_primary}"
        return result.model_copy(update={"error": why})
    judged = []
    for shapes in wanted:
        shape = max(shapes, key=lambda one: sum(live.get(item.key) == item for item in one))
        for item in shape:
            found = live.get(item.key)
            judged.append(
                Judgement(
                    subject=item.words, expected=item.definition, found=found.definition if found is not None else None
                )
            )
    return result.model_copy(update={"rows": tuple(judged)})


def _shapes(situation: Situation, rendered: RenderedStep) -> list[tuple[Shape, ...]]:
    """For each statement the shapes it may have; statements that add nothing or only rows are left out."""
    known = (situation.rollout.shapes.get((s.file, s.sql), ()) for part in rendered.parts for s in part.statements)
    return [shapes for shapes in known if any(item.kind is not ItemKind.ROW for shape in shapes for item in shape)]
