"""A signal ends the screen once the database has said what stands, or without it when it does not answer."""

from __future__ import annotations

import pytest

from tests.ui.conftest import WIDE, Walk, walking
from tests.ui.fake import FakeDesk, FakeEngine, begun, fake_app, filled, online_survey
from wizard.errors import ExitCode
from wizard.ui.app import farewell

SCRIPT = (*begun("6.2", 2, 2, "map every clone"), filled(83))


def engine_of(walk: Walk) -> FakeEngine:
    assert isinstance(walk.app.desk, FakeDesk)
    return walk.app.desk.fake


async def terminated(walk: Walk) -> None:
    """The process gets TERM while a backfill runs, and the engine is asked to cancel it."""
    await walk.pilot.press("a")
    await walk.until(lambda: "BACKFILLING 6.2" in walk.text)
    walk.app.actions.leave_at_once(ExitCode.TERMINATED)
    await walk.until(lambda: "cancel" in engine_of(walk).asked, "it is cancelled")


async def test_it_leaves_with_what_stands_now() -> None:
    async with walking(fake_app(online_survey(7), production=False, script=SCRIPT), WIDE) as walk:
        await terminated(walk)
        assert walk.app.is_running, "the database has not answered yet"
        fake = engine_of(walk)
        fake.state = online_survey(9).model_copy(update={"sentence": "READY. Steps 0 to 2.2 are committed"})
        fake.stop()
        await walk.until(lambda: not walk.app.is_running, "it is left")
    assert walk.app.return_code == ExitCode.TERMINATED
    assert farewell(walk.board)[0] == "READY. Steps 0 to 2.2 are committed"


@pytest.mark.parametrize("second", [True, False], ids=["second signal", "no answer"])
async def test_it_says_that_it_does_not_know(monkeypatch: pytest.MonkeyPatch, second: bool) -> None:
    monkeypatch.setattr("wizard.ui.actions.LEAVE_S", 60 if second else 0.1)
    async with walking(fake_app(online_survey(7), production=False, script=SCRIPT), WIDE) as walk:
        await terminated(walk)
        if second:
            walk.app.actions.leave_at_once(ExitCode.INTERRUPTED)
        await walk.until(lambda: not walk.app.is_running, "it is left")
        engine_of(walk).stop()
    assert walk.app.return_code == (ExitCode.INTERRUPTED if second else ExitCode.TERMINATED)
    unknown, command = farewell(walk.board)
    assert unknown == "The database has not said what became of the last part. What was committed before it stays."
    assert command.endswith(" status")
