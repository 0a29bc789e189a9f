"""A signal ends the screen at once; the last word is what became of the operation that it cancelled."""

from __future__ import annotations

from tests.ui.conftest import WIDE, Walk, walking
from tests.ui.fake import ESCAPE, FakeDesk, FakeEngine, begun, fake_app, filled, online_survey
from wizard.errors import ExitCode
from wizard.ui.app import KEYBOARD_LOST, WizardApp, farewell

SCRIPT = (*begun("6.2", 2, 2, "map every clone"), filled(83))


def working() -> WizardApp:
    """An app whose engine is in the middle of a backfill once it runs."""
    return fake_app(online_survey(7), production=False, script=SCRIPT)


async def terminated(walk: Walk) -> FakeEngine:
    """The process gets TERM while a backfill runs; its engine, which was asked to cancel it."""
    assert isinstance(walk.app.desk, FakeDesk)
    fake = walk.app.desk.fake
    await walk.pilot.press("a")
    await walk.until(lambda: "BACKFILLING 6.2" in walk.text)
    walk.app.actions.leave_at_once(ExitCode.TERMINATED)
    await walk.until(lambda: not walk.app.is_running and "cancel" in fake.asked, "it is left")
    return fake


async def test_the_last_word_is_what_stands_now() -> None:
    async with walking(working(), WIDE) as walk:
        fake = await terminated(walk)
        fake.state = online_survey(9).model_copy(update={"sentence": "READY. Steps 0 to 2.2 are committed"})
        fake.stop()
        await walk.until(lambda: (walk.app.settle(), not walk.board.busy)[1], "the engine has ended")
    assert walk.app.return_code == ExitCode.TERMINATED
    assert farewell(walk.board)[0] == "READY. Steps 0 to 2.2 are committed"


async def test_without_an_answer_it_says_that_it_does_not_know() -> None:
    async with walking(working(), WIDE) as walk:
        fake = await terminated(walk)
        walk.app.settle()
        unknown, command = farewell(walk.board)
        fake.stop()
    assert unknown == "The database has not said what became of the last part. What was committed before it stays."
    assert command.endswith(" status")


async def test_where_no_key_comes_any_more_it_leaves_with_words_and_stops_what_runs() -> None:
    async with walking(working(), WIDE) as walk:
        await walk.pilot.press("a")
        await walk.until(lambda: "BACKFILLING 6.2" in walk.text)
        walk.app.panic("a traceback")
        await walk.until(lambda: not walk.app.is_running, "it is left")
    walk.app.settle()
    assert isinstance(walk.app.desk, FakeDesk)
    assert "stop" in walk.app.desk.fake.asked
    assert walk.app.return_code == ExitCode.FAILED
    assert farewell(walk.board, walk.app.fault)[0] == KEYBOARD_LOST.what


async def test_the_last_words_hold_no_control_characters_of_others() -> None:
    state = online_survey(7).model_copy(update={"sentence": f"READY. {ESCAPE}"})
    async with walking(fake_app(state, production=False), WIDE) as walk:
        [words, *_] = farewell(walk.board)
    assert words == r"READY. \x1b[31mred"
