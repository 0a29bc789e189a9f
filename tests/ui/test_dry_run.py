"""A dry run writes nothing, whatever key is pressed in it, and only d leaves it."""

from __future__ import annotations

import pytest

from tests.support.database import Database, assert_same
from tests.ui.conftest import SIZES, WIDE, Open, Walk, walking
from tests.ui.fake import FakeDesk, failed_survey, fake_app, survey
from wizard.ui.commands import DRY, STARTED_DRY
from wizard.ui.page import Page
from wizard.ui.trouble import Activity, Trouble

WRITING = ("enter", "a", "r", "b")
DRY_RUN = "DRY RUN, read-only session: nothing can be changed"


def written(walk: Walk) -> list[str]:
    """What of that which may write the engine was asked for."""
    assert isinstance(walk.app.desk, FakeDesk)
    return [asked for asked in walk.app.desk.fake.asked if asked in {"run", "rollback", "rollback_plan", "write_types"}]


@SIZES
async def test_after_a_failure_a_dry_run_is_shown_and_no_key_writes(size: tuple[int, int]) -> None:
    async with walking(fake_app(failed_survey(), production=False), size) as walk:
        assert walk.board.page is Page.FAILED
        await walk.press("d")
        assert walk.board.page is Page.DRY_RUN
        assert walk.state_line == DRY_RUN
        assert "d leave the dry run" in walk.page
        for key in WRITING:
            await walk.press(key)
            assert walk.state_line == f"{key} does nothing now: {DRY}"
        assert not written(walk)
        await walk.press("d")
        assert walk.board.page is Page.FAILED


async def test_looking_in_a_dry_run_does_not_end_it() -> None:
    async with walking(fake_app(survey(8), production=False), WIDE) as walk:
        await walk.press("d", "v")
        assert walk.state_line == "Verified: 1 of 1 check passed"
        assert walk.board.page is Page.DRY_RUN
        await walk.press("enter")
        assert walk.state_line == f"enter does nothing now: {DRY}"
        assert not written(walk)


@SIZES
async def test_a_screen_started_with_a_dry_run_stays_in_it(size: tuple[int, int]) -> None:
    async with walking(fake_app(failed_survey(), production=False, dry_run=True), size) as walk:
        await walk.until(lambda: walk.board.page is Page.DRY_RUN, "the dry run is shown")
        await walk.settle()
        assert walk.state_line == DRY_RUN
        await walk.press("d")
        assert walk.board.page is Page.DRY_RUN
        assert walk.state_line == f"Looked again. I{STARTED_DRY[1:]}"
        for key in WRITING:
            await walk.press(key)
            assert walk.state_line == f"{key} does nothing now: {STARTED_DRY}"
        assert not written(walk)


async def test_where_the_first_dry_run_fails_nothing_may_be_written_either(monkeypatch: pytest.MonkeyPatch) -> None:
    app = fake_app(survey(8), production=False, dry_run=True)
    assert isinstance(app.desk, FakeDesk)
    trouble = Trouble("it does not answer", during=Activity.READING)
    monkeypatch.setattr(app.desk.fake, "dry_run", lambda: (_ for _ in ()).throw(OSError(trouble.what)))
    async with walking(app, WIDE) as walk:
        await walk.until(lambda: walk.board.trouble is not None, "the dry run failed")
        await walk.settle()
        await walk.press("enter")
        assert walk.board.trouble is None, "the page is closed"
        assert walk.state_line == DRY_RUN
        for key in ("enter", "a", "b"):
            await walk.press(key)
            assert walk.state_line == f"{key} does nothing now: {STARTED_DRY}"
        app.start(Activity.RUNNING, lambda engine: engine.run())
        await walk.settle()
        assert not written(walk)


async def test_a_failed_step_is_not_retried_or_rolled_back_in_a_dry_run(open_screen: Open, database: Database) -> None:
    async with open_screen(fail_at="1.2") as walk:
        await walk.press("a")
        assert walk.board.page is Page.FAILED
        before = database.snapshot()
        await walk.press("d")
        assert walk.board.page is Page.DRY_RUN
        await walk.press("r", "v", "b", "enter")
        assert walk.board.page is Page.DRY_RUN
        assert_same(before, database.snapshot())
        await walk.press("d", "r")
        assert walk.states()["1.2"] == "done", walk.text
