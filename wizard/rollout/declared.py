"""Which objects a step declares, as far as sql/shapes.json knows them, and the id of the check that compares them."""

from __future__ import annotations

from wizard.rollout.model import Rollout, Step
from wizard.rollout.render import RenderedStep
from wizard.rollout.shape import ItemKind, Shape, Shapes, shapes_of


def objects_check_id(step: str) -> str:
    """The id under which criteria name the check of a step's objects; the engine makes it, no TOML does."""
    return f"{step}.objects"


def may_declare_objects(rollout: Rollout, step: Step) -> bool:
    """True if there is a database for which the step declares an object. Raises RolloutInvalidError as load_shapes."""
    files = {fragment.sql for fragment in step.deploy}
    return any(_has_objects(shapes) for (file, _), shapes in rollout.shapes.items() if file in files)


def declares_objects(known: Shapes, rendered: RenderedStep) -> bool:
    """True if the step, as it is rendered for one database, declares an object."""
    return any(map(_has_objects, declared_shapes(known, rendered)))


def declared_shapes(known: Shapes, rendered: RenderedStep) -> list[tuple[Shape, ...]]:
    """For each statement of the step the shapes that it may have, rows included."""
    return [
        shapes
        for part in rendered.parts
        for statement in part.statements
        if not statement.validates and (shapes := shapes_of(statement, known))
    ]


def _has_objects(shapes: tuple[Shape, ...]) -> bool:
    return any(item.kind is not ItemKind.ROW for shape in shapes for item in shape)
