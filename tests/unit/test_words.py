"""The engine's sentences and its state enum."""

from __future__ import annotations

import pytest

from wizard.engine.state import StepState
from wizard.engine.words import span

ORDER = ("0", "1.1", "1.2", "1.3", "2.1", "3")


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ((), ""),
        (("0",), "0"),
        (("0", "1.1", "1.2"), "0 to 1.2"),
        (("0", "1.1", "3"), "0 to 1.1 and 3"),
        (("0", "1.2", "3"), "0, 1.2 and 3"),
        (("3", "2.1", "1.3"), "1.3 to 3"),
    ],
)
def test_ids_are_told_as_ranges_of_their_order(ids: tuple[str, ...], words: str) -> None:
    assert span(ids, ORDER) == words


def test_every_state_has_a_glyph_an_ascii_glyph_and_a_word() -> None:
    for state in StepState:
        assert len(state.glyph) == 1
        assert len(state.ascii_glyph) == 1
        assert state.ascii_glyph.isascii()
        assert 0 < len(state.word) <= 11
