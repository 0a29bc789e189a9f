"""sql/shapes.json is what the rollout's SQL makes on a real server of each version, for every way it is rendered."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cluster import Cluster
from tests.support.shapes import ONLINE, OTHERS, PHASE_1, THINGS, TINY, Entries, Variant, author
from wizard.rollout.load import load_rollout
from wizard.rollout.render import Renderer
from wizard.rollout.shape import Item, Shapes


def by_statement(entries: Entries) -> Shapes:
    return {(file, sql): shapes for (file, _, sql), shapes in entries.items()}


def unordered(shapes: Shapes) -> dict[tuple[str, str], set[frozenset[Item]]]:
    return {key: {frozenset(shape) for shape in known} for key, known in shapes.items()}


@pytest.mark.parametrize(
    ("folder", "variants"),
    [
        pytest.param(None, PHASE_1, id="phase-1", marks=pytest.mark.slow),
        pytest.param(TINY, OTHERS, id="tiny"),
        pytest.param(THINGS, ONLINE, id="things"),
    ],
)
def test_the_file_is_what_this_server_makes(
    cluster: Cluster, folder: Path | None, variants: tuple[Variant, ...]
) -> None:
    rollout = load_rollout(folder) if folder else load_rollout()

    assert unordered(by_statement(author(cluster, rollout, variants))) == unordered(rollout.shapes), "run: make shapes"


def test_every_statement_without_a_shape_changes_data_or_tries_something_out() -> None:
    rollout = load_rollout()
    facts = {"creator_id_type": "text", "category_type": "text"}
    statements = [s for step in Renderer(rollout, facts).steps for part in step.parts for s in part.statements]

    without = {s.kind for s in statements if (s.file, s.sql) not in rollout.shapes}

    assert len(statements) > 50
    assert without <= {"update_stmt", "do_stmt"}
