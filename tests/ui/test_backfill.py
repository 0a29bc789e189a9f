"""A backfill under control, several parts a step, and what is shown before a step runs; on a scripted engine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from tests.ui.conftest import SIZES, WIDE, Walk, walking
from tests.ui.fake import HOSTILE, NOON, FakeDesk, FakeEngine, begun, fake_app, filled, online_survey
from wizard.engine.events import Event, IndexProgressed, PartCommitted, StatementCommitted
from wizard.launch import Launch
from wizard.ui.app import WizardApp
from wizard.ui.board import Board
from wizard.ui.messages import ProgressReported
from wizard.ui.pages.stage import heading
from wizard.ui.trouble import Activity
from wizard.ui.widgets.bars import KeyBar
from wizard.ui.widgets.steps import Parts

FILLING = (*begun("6.2", 2, 2, "map every clone"), filled(83, slowed="replication is 12 s behind"))


def working(script: Sequence[Event] = FILLING) -> WizardApp:
    """An app whose engine tells `script` once it runs."""
    return fake_app(online_survey(7), production=False, script=script)


def engine_of(walk: Walk) -> FakeEngine:
    assert isinstance(walk.app.desk, FakeDesk)
    return walk.app.desk.fake


async def run(walk: Walk, words: str) -> None:
    """Press a and wait until the screen says `words`."""
    await walk.pilot.press("a")
    await walk.until(lambda: words in walk.text, words)


@SIZES
async def test_a_backfill_shows_how_far_it_is_and_takes_another_pace(size: tuple[int, int]) -> None:
    async with walking(working(), size) as walk:
        await run(walk, "BACKFILLING 6.2: 415,000 of ~1,000,000 rows committed. Safe to stop")
        for words in (
            "part 2 of 2 · batch 83", "━━━━━╸" if size == WIDE else "━━━━━─", "41 %",
            " · 57,140 rows/s, about 0:10 left", "batches of 5,000 rows  + -     gives way to others  < >",
            "slowed down: replication is 12 s behind",
        ):  # fmt: skip
            await walk.until(lambda words=words: words in walk.text, words)
        await walk.until(lambda: ("+ - Batch  < > Delay" in walk.lines[-1]) == (size == WIDE), "its keys are there")
        assert walk.app.main.query_one(KeyBar).max_scroll_x == 0
        for key, words, pace in (
            ("+", "batches of 10,000 rows", (10_000, None)), (">", "10 ms between two", (10_000, 0.01)),
            (">", "20 ms between two", (10_000, 0.02)), ("-", "batches of 5,000 rows", (5000, 0.02)),
            ("<", "10 ms between two", (5000, 0.01)), ("<", "gives way to others", (5000, None)),
            ("<", "no delay", (5000, 0.0)), (">", "gives way to others", (5000, None)),
        ):  # fmt: skip
            await walk.pilot.press(key)
            await walk.until(lambda words=words: words in walk.text, words)
            assert engine_of(walk).pace == pace
        for _ in range(2):
            await walk.pilot.press("<")
        await walk.until(lambda: walk.state_line == "there is no delay between two batches", "the bound is told")
        for _ in range(4):
            await walk.pilot.press("+")
        await walk.until(lambda: walk.state_line == "batches of 50,000 rows are the largest", "the bound is told")


@SIZES
async def test_it_pauses_and_is_left_between_two_batches(size: tuple[int, int]) -> None:
    async with walking(working(), size) as walk:
        await run(walk, "BACKFILLING 6.2")
        await walk.pilot.press("space")
        await walk.until(lambda: "PAUSED in 6.2 between two batches. 415,000 of ~1,000,000" in walk.text)
        await walk.until(lambda: "paused between two batches: no lock is held. space goes on" in walk.text)
        assert "rows/s" not in walk.words_in("#now"), "nothing moves, so no rate is shown"
        assert walk.states()["6.2"] == "paused"
        await walk.pilot.press("space")
        await walk.until(lambda: "BACKFILLING 6.2" in walk.text)
        await walk.pilot.press("q")
        await walk.until(lambda: "stop after this batch, then quit" in walk.text)
        assert "415,000 of ~1,000,000 rows are committed." in walk.text
        await walk.pilot.press("s")
        await walk.until(lambda: not walk.app.is_running, "it is left")


async def test_without_a_backfill_its_keys_say_that_none_is_running() -> None:
    async with walking(working(), WIDE) as walk:
        for key in "+-<>":
            await walk.press(key)
            assert walk.state_line == f"{key} does nothing now: no backfill is running"


def test_a_flood_of_batches_is_a_line_a_second_in_the_log_and_pushes_nothing_out() -> None:
    board = Board(Launch(), clock=lambda: NOON)
    for event in begun("6.2", 2, 2, "map every clone"):
        board.heard(event)
    for batch in range(1, 1001):
        second = batch / 8
        at = NOON + timedelta(seconds=second)
        board.heard(StatementCommitted(step="6.2", part=2, ordinal=1, sql="UPDATE", at=at))
        board.heard(filled(batch, second, total=5_000_000))
    told = [line for line in board.log if line.outcome.startswith("batch ")]
    assert len(told) == 60, "125 s of batches, of which the last minute is kept"
    assert len(board.log) <= 61
    board.heard(PartCommitted(step="6.2", part=2, parts=2, seconds=125))
    assert board.log[-1].text == "5,000,000 rows of clones in 1,000 batches"
    assert board.statements == 1000


def test_counting_never_meets_a_run_that_needs_a_strong_lock() -> None:
    board = Board(Launch(), clock=lambda: NOON, survey=online_survey())
    [mapping] = [step for step in board.steps if step.id == "6.2"]
    strong = mapping.model_copy(update={"id": "2.1", "locks": board.steps[0].locks})
    board.activity = Activity.IDLE
    assert board.may_count(mapping)
    assert board.may_count(strong)
    board.activity = Activity.RUNNING
    for event in begun("2.1", 1, 12, "add 5 columns"):
        board.heard(event)
    assert not board.may_count(strong), "its own lock would wait for the counting"
    assert not board.may_count(mapping), "another step is under way"
    for event in begun("6.2", 1, 2, "map every clone"):
        board.heard(event)
    assert board.may_count(mapping)


def test_newer_progress_replaces_older_progress_of_the_same_part_only() -> None:
    index = IndexProgressed(step="6.2", part=2, phase="scanning", done=1, total=2, unit="blocks")
    assert ProgressReported(filled(1)).can_replace(ProgressReported(filled(2)))
    assert not ProgressReported(filled(1)).can_replace(ProgressReported(filled(2, part=1)))
    assert not ProgressReported(filled(1)).can_replace(ProgressReported(index))


@SIZES
async def test_a_dozen_parts_are_listed_around_the_one_under_way(size: tuple[int, int]) -> None:
    index = IndexProgressed(
        step="2.1", part=9, phase="building index: scanning table", done=41, total=100, unit="blocks"
    )
    async with walking(working((*begun("2.1", 9, 12, "idx_clones_more_3"), index)), size) as walk:
        await run(walk, "RUNNING 2.1 part 9 of 12.")
        await walk.until(lambda: "building index: scanning table, 41 of 100 blocks, 41 %" in walk.text)
        assert ("2.1 has 8 of 12 parts" in walk.state_line) or ("2.1: 8 of 12" in walk.state_line)
        if size != WIDE:
            await walk.pilot.press("s")
        parts = walk.app.main.query_one(Parts)
        await walk.until(lambda: "idx_clones_more_3" in walk.words_in("#parts"), "the part under way is in view")
        listed = parts.render().plain.split("\n")
        assert len(listed) == parts.size.height
        if size == WIDE:
            assert listed[0].endswith(" above")
            assert listed[-1].endswith(" more")


async def test_each_part_has_its_sql_and_its_locks_and_a_batch_names_its_parameters() -> None:
    async with walking(working(), WIDE) as walk:
        await walk.press("1")
        assert "online: table has ~1,000,000 rows ┐" in walk.lines[2]
        assert "12 parts, committed one by one: add 5 columns; check, NOT VALID;" in walk.page
        assert "9 statements in 9 transactions; 3 of 12 parts are done" in walk.words_in("#now")
        await walk.press("3")
        assert "Part 2 of 12: check, NOT VALID ACCESS EXCLUSIVE on clones" in walk.page
        await walk.go_to("6.2")
        await walk.press("2")
        assert "-- part 1 of 2: map_clone_category_to_domain()" in walk.page
        assert "sent many times, each time as a transaction of its own" in walk.page
        assert "-- $1 last key of the batch before" in walk.page


@SIZES
async def test_what_a_step_wants_to_be_seen_is_counted_when_it_is_looked_at(size: tuple[int, int]) -> None:
    async with walking(fake_app(online_survey(), production=False), size) as walk:
        await walk.press("1")
        await walk.go_to("6.2")
        await walk.until(lambda: "'business'" in walk.text, "the categories are counted")
        assert "counted at 14:02:11 UTC" in walk.text
        assert f"'{HOSTILE}' 12 other" in walk.page
        assert "looks like medical" in walk.page
        await walk.press("k", "j")
        assert engine_of(walk).asked.count("preview 6.2") == 1, "once for each state of the database"


@pytest.mark.parametrize("strategy", ["atomic: one transaction", "online: " + "a long reason, " * 12, ""])
def test_the_strategy_never_takes_the_title_away(strategy: str) -> None:
    board = Board(Launch(), clock=lambda: NOON)
    step = online_survey().steps[7].model_copy(update={"strategy": strategy})
    for width in (40, 84, 160):
        title, right = heading(board, step, "1", width, narrow=False)
        assert title == "2.1  Add RAG columns to clones"
        assert len(right) <= max(width - len(title) - 8, len("online"))
