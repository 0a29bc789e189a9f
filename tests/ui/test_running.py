"""The screen while a real engine works: waiting for a lock, pause, cancel, quitting, another operator."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.support.database import Database
from tests.ui.conftest import SIZES_OF_A_WALK, Open, Walk
from wizard.ui.page import Page
from wizard.ui.screens.confirm import YesNo
from wizard.ui.screens.quit import Quit


@pytest.fixture
def held(database: Database) -> Iterator[psycopg.Connection]:
    """The application holds a lock on clones, so that step 2.1 waits."""
    with database.connect(autocommit=False) as connection:
        connection.execute("SELECT * FROM clones LIMIT 1")
        yield connection
        connection.rollback()


async def wait_for_the_lock(walk: Walk) -> None:
    await walk.pilot.press("a")
    await walk.until(lambda: walk.state_line.startswith("WAITING for a lock on clones, 0:0"), "waits for a lock")


@SIZES_OF_A_WALK
async def test_waiting_for_a_lock_is_shown_and_ends_when_it_is_let_go(
    open_screen: Open, held: psycopg.Connection, size: tuple[int, int]
) -> None:
    async with open_screen(size, lock_timeout_ms=50) as walk:
        await wait_for_the_lock(walk)
        assert walk.states()["2.1"] == "waiting"
        await walk.until(lambda: "no lock held or queued" in walk.text, "told that nothing is held")
        assert "lock wait" in walk.text
        held.rollback()
        await walk.settle()
        assert walk.board.page is Page.FINISHED


@pytest.mark.slow
async def test_keys_that_would_disturb_a_run_say_why(open_screen: Open, held: psycopg.Connection) -> None:
    async with open_screen(lock_timeout_ms=50) as walk:
        await wait_for_the_lock(walk)
        for key, why in {
            "a": "a does nothing now: 2.1 is running; space pauses after this part",
            "d": "d does nothing now: 2.1 is running; wait until it ends",
            "b": "b does nothing now: 2.1 is running; press space to pause first",
            "r": "r does nothing now: nothing failed",
        }.items():
            await walk.pilot.press(key)
            await walk.pilot.pause()
            await walk.until(lambda why=why: walk.state_line == why, why)
        for key in ("2", "3", "j", "k", "l", "l", "i", "escape", "question_mark", "escape", "tab"):
            await walk.pilot.press(key)
        assert walk.board.activity.writes
        held.rollback()
        await walk.settle()
        assert walk.board.page is Page.FINISHED


async def test_quitting_asks_and_staying_is_the_default(open_screen: Open, held: psycopg.Connection) -> None:
    async with open_screen(lock_timeout_ms=50) as walk:
        await wait_for_the_lock(walk)
        await walk.pilot.press("q")
        await walk.until(lambda: isinstance(walk.app.screen, Quit))
        await walk.pilot.press("ctrl+q")
        await walk.pilot.press("enter")
        await walk.until(lambda: walk.app.screen is walk.app.main)
        assert walk.board.activity.writes
        assert not walk.board.stop_asked
        held.rollback()
        await walk.settle()
        assert walk.board.page is Page.FINISHED


@pytest.mark.slow
async def test_quitting_stops_after_the_part_and_keeps_what_is_committed(
    open_screen: Open, held: psycopg.Connection, database: Database
) -> None:
    async with open_screen(lock_timeout_ms=50) as walk:
        await wait_for_the_lock(walk)
        await walk.pilot.press("ctrl+q")
        await walk.until(lambda: isinstance(walk.app.screen, Quit))
        await walk.pilot.press("s")
        await walk.until(lambda: not walk.app.is_running, "the app has left")
    held.rollback()
    assert database.value("SELECT to_regclass('clone_rag_mapping') IS NOT NULL")
    async with open_screen() as walk:
        assert walk.board.page is Page.RESUME
        assert walk.board.next_step.id == "2.1"


async def test_ctrl_c_asks_before_it_cancels(open_screen: Open, held: psycopg.Connection) -> None:
    async with open_screen(lock_timeout_ms=5000) as walk:
        await walk.press("ctrl+c")
        assert walk.state_line.startswith("q quits.")
        await walk.pilot.press("a")
        await walk.until(lambda: walk.board.live is not None and walk.board.live.step == "2.1" and walk.board.live.part)
        await walk.pilot.press("ctrl+c")
        await walk.until(lambda: isinstance(walk.app.screen, YesNo))
        await walk.pilot.press("enter")
        await walk.until(lambda: walk.app.screen is walk.app.main)
        assert walk.board.activity.writes, "Enter says no"
        await walk.pilot.press("ctrl+c")
        await walk.until(lambda: isinstance(walk.app.screen, YesNo))
        await walk.pilot.press("y")
        await walk.settle()
        assert walk.states()["1.6"] == "done"
        assert walk.states()["2.1"] == "to do"


@pytest.mark.slow
async def test_pause_goes_on_or_opens_the_rollback_plan(open_screen: Open, held: psycopg.Connection) -> None:
    async with open_screen(lock_timeout_ms=50) as walk:
        await wait_for_the_lock(walk)
        await walk.pilot.press("space")
        await walk.until(lambda: walk.state_line.startswith("PAUSING after this part of 2.1"))
        held.rollback()
        await walk.until(lambda: walk.state_line.startswith("PAUSED in 2.1"))
        assert walk.states()["2.1"] == "paused" or walk.states()["2.1"] == "done"
        await walk.pilot.press("space")
        await walk.settle()
        assert walk.board.page is Page.FINISHED


@pytest.mark.slow
async def test_rolling_back_out_of_a_pause(open_screen: Open, held: psycopg.Connection) -> None:
    async with open_screen(lock_timeout_ms=50) as walk:
        await wait_for_the_lock(walk)
        await walk.pilot.press("space")
        held.rollback()
        await walk.until(lambda: walk.board.paused)
        await walk.pilot.press("b")
        await walk.until(lambda: "Rollback plan" in walk.text, "the plan is shown")
        await walk.pilot.press("enter")
        await walk.until(lambda: walk.board.page is Page.ROLLED_BACK, "rolled back")


@pytest.mark.slow
async def test_another_operator_is_named_and_nothing_runs_twice(open_screen: Open, held: psycopg.Connection) -> None:
    async with open_screen(lock_timeout_ms=50, operator="day@desk") as first:
        await wait_for_the_lock(first)
        async with open_screen(operator="night@other") as second:
            assert second.state_line.startswith("ANOTHER OPERATOR is at work")
            assert "day@desk" in second.state_line
            await second.press("a")
            assert second.board.page is Page.TROUBLE
            assert second.state_line.startswith("STOPPED.")
        held.rollback()
        await first.settle()
        assert first.board.page is Page.FINISHED
