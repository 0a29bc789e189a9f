"""What only reads may take long too: ctrl+c ends it, and whoever leaves is not kept waiting for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.blocking import assert_cancelled
from tests.support.database import Database
from tests.ui.conftest import SIZES, Open, Walk
from wizard.errors import ExitCode
from wizard.ui.app import farewell
from wizard.ui.page import Page
from wizard.ui.trouble import Activity

TINY = Path(__file__).parents[1] / "rollouts" / "tiny"
CHECK = "SELECT 'a' AS subject, '1' AS expected, '1' AS found FROM pg_sleep(120)"
PREREQUISITE = "SELECT 'pass' AS level, 'a' AS found, '' AS fix FROM pg_sleep(120)"
SLEEPING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A rollout whose last check takes two minutes."""
    folder = Path(shutil.copytree(TINY, tmp_path / "slow"))
    (folder / "sql" / "checks" / "priorities.sql").write_text(CHECK)
    return folder


async def reading(walk: Walk, database: Database, key: str) -> Activity:
    """The server is in the middle of what the key asks for; what that is."""
    await walk.pilot.press(key)
    await walk.until(lambda: database.value(SLEEPING), "it is read")
    return walk.board.activity


async def cancelled(walk: Walk, question: str, answer: str) -> None:
    """ctrl+c, and the answer to its question."""
    await walk.pilot.press("ctrl+c")
    await walk.until(lambda: question in walk.text, "it asks")
    await walk.pilot.press(answer)


@SIZES
async def test_ctrl_c_ends_a_verification_and_nothing_is_wrong(
    open_screen: Open, database: Database, slow: Path, size: tuple[int, int]
) -> None:
    async with open_screen(size, rollout=slow) as walk:
        assert await reading(walk, database, "v") is Activity.VERIFYING
        await cancelled(walk, "Stop verifying? Nothing", "n")
        await walk.until(lambda: "Stop verifying?" not in walk.text, "No is no")
        assert walk.board.activity is Activity.VERIFYING
        await cancelled(walk, "Stop verifying? Nothing", "y")
        await walk.settle()
        assert walk.state_line == "Verifying was cancelled. Nothing was changed in the database"
        assert walk.board.page is Page.NONE
        assert walk.board.exit_code == 0
        await walk.press("enter")
        assert walk.states()["look"] == "passed", "what is read next is not cancelled"
    assert_cancelled(database)


async def test_prerequisites_that_were_not_all_judged_do_not_hold(
    open_screen: Open, database: Database, slow: Path
) -> None:
    (slow / "sql" / "old_tickets.sql").write_text(PREREQUISITE)
    async with open_screen(rollout=slow) as walk:
        assert await reading(walk, database, "enter") is Activity.CHECKING
        await walk.until(lambda: walk.board.prerequisites, "some are judged")
        await cancelled(walk, "Stop checking?", "y")
        await walk.settle()
        assert walk.states()["look"] == "to do"
        assert walk.state_line == "Checking was cancelled. Nothing was changed in the database"


@pytest.mark.parametrize("how", ["q", "a signal"])
async def test_whoever_leaves_does_not_wait_for_a_verification(
    open_screen: Open, database: Database, slow: Path, how: str
) -> None:
    async with open_screen(rollout=slow) as walk:
        assert await reading(walk, database, "v") is Activity.VERIFYING
        if how == "q":
            await walk.pilot.press("q")
        else:
            walk.app.actions.leave_at_once(ExitCode.TERMINATED)
        await walk.until(lambda: walk.gone, "it is left")
    assert_cancelled(database)
    assert walk.app.return_code == (0 if how == "q" else ExitCode.TERMINATED)
    assert farewell(walk.board)[0].startswith("READY. Nothing was changed on acme-test")
