"""Which blocks a backfill's batches cover, and in which turns: each once, whatever its pace and its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import islice
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.engine.parts.batch import AS_IT_IS, FIRST, LAST, TURN, TURNS
from wizard.engine.parts.pages import TURNS as ALL
from wizard.engine.parts.pages import Work, pages, turns_of

LEAF = {"name": "things", "filenode": "1", "blocks": 0, "as_it_is": []}


def covered(work: Work) -> Counter[tuple[int, str]]:
    """(block, turn) of one batch."""
    return Counter((block, work.values[TURN]) for block in range(int(work.values[FIRST]), int(work.values[LAST])))


@settings(deadline=None)
@given(
    blocks=st.integers(1, 300),
    turns=st.sampled_from([1, ALL]),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=8),
    stops=st.lists(st.integers(1, 9), max_size=5),
)
def test_every_block_comes_once_in_every_turn(blocks: int, turns: int, sizes: list[int], stops: list[int]) -> None:
    found: Counter[tuple[int, str]] = Counter()
    reached: Mapping[str, Any] = {}
    asked = 0

    def pace(most: int) -> int:
        nonlocal asked
        asked += 1
        return min(sizes[asked % len(sizes)], most)

    for stop in [*stops, None]:
        # A later session may see a larger table, and would begin with another number of turns.
        seen = LEAF | {"blocks": blocks + (1_000 if reached else 0)}
        for number, work in enumerate(pages(seen, reached, 1 if reached else turns, pace), start=1):
            assert int(work.values[LAST]) - int(work.values[FIRST]) <= 1.5 * turns * max(sizes)
            found += covered(work)
            reached = work.place
            if number == stop:
                break

    assert found == Counter((block, str(turn)) for block in range(blocks) for turn in range(turns))


def test_a_turn_goes_in_smaller_batches_once_the_pace_is_slower() -> None:
    sizes = iter([100, 100, 10, 10, 10, 10, 100])
    left = pages(LEAF | {"blocks": 1_600}, {}, 2, lambda _: next(sizes))

    cut = [(work.values[TURN], work.values[FIRST], work.values[LAST]) for work in islice(left, 6)]

    assert cut[:2] == [("0", "0", "200"), ("1", "0", "200")]
    assert cut[2:] == [("0", "200", "220"), ("1", "200", "220"), ("0", "220", "240"), ("1", "220", "240")]


def test_a_page_that_was_cut_before_is_finished_in_smaller_batches() -> None:
    sizes = iter([100, 10, 10, 100])
    left = pages(LEAF | {"blocks": 1_600}, {}, 2, lambda _: next(sizes))

    cut = [(work.values[TURN], work.values[FIRST], work.values[LAST]) for work in islice(left, 4)]

    assert cut == [("0", "0", "200"), ("1", "0", "20"), ("1", "20", "40"), ("1", "40", "200")]


def test_a_table_that_was_rewritten_is_gone_through_again() -> None:
    (first, *_) = pages(LEAF | {"blocks": 40}, {}, 1, lambda _: 10)

    (again, *_) = pages(LEAF | {"blocks": 40, "filenode": "2"}, first.place, 1, lambda _: 10)

    assert (again.values[FIRST], again.values[LAST]) == ("0", "10")


def test_turns_are_for_large_tables_in_which_much_is_to_be_changed() -> None:
    assert [turns_of(5_000, 20.0), turns_of(900, 20.0), turns_of(5_000, 3.0)] == [ALL, 1, 1]
    assert ALL & (ALL - 1) == 0


def test_columns_are_set_to_themselves_as_they_are_quoted() -> None:
    leaf = LEAF | {"blocks": 1, "as_it_is": ["label", 'odd "name"']}

    (work,) = pages(leaf, {}, 1, lambda _: 10)

    assert work.values[AS_IT_IS] == ', "label" = "label", "odd ""name""" = "odd ""name"""'
    assert work.values[TURNS] == "0"
