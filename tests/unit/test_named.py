"""Which tables a statement names without their schema."""

from __future__ import annotations

import pytest

from wizard.rollout.named import tables_named


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("UPDATE a SET x = b.x FROM b WHERE a.id = b.id", ("a", "b")),
        ("UPDATE app.a SET x = 1", ()),
        ("WITH w AS (SELECT id FROM b) UPDATE a SET x = 1 FROM w WHERE w.id = a.id", ("a", "b")),
        ("UPDATE a SET x = 1 WHERE id IN (SELECT c.id FROM clones AS c FOR UPDATE OF c)", ("a", "clones")),
        ("INSERT INTO a SELECT c.id FROM b AS c, d FOR UPDATE OF c NOWAIT FOR SHARE OF d SKIP LOCKED", ("a", "b", "d")),
        ("INSERT INTO a SELECT c.id FROM b AS c WHERE EXISTS (SELECT FROM c) FOR UPDATE OF c", ("a", "b", "c")),
    ],
)
def test_the_tables_of_a_statement(text: str, names: tuple[str, ...]) -> None:
    assert sorted(tables_named(text)) == sorted(names)
