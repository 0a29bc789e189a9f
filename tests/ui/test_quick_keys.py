"""Keys that come sooner than the screen expects them: twice in a moment, while it is drawn, after the engine's end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input

from tests.support.database import Database
from tests.ui.conftest import WIDE, Open, Walk, walking
from tests.ui.fake import FakeEngine, begun, fake_app, online_survey, survey
from wizard.launch import Launch
from wizard.ui.screens.confirm import TypeName
from wizard.ui.screens.connect import Connect
from wizard.ui.screens.export import Export
from wizard.ui.screens.search import Search
from wizard.ui.screens.types import ChooseTypesFile

ASKING: dict[str, Callable[[Path], Screen[Any]]] = {
    "name": lambda _: TypeName("Production", Content("Type it"), "acme"),
    "export": lambda folder: Export(folder, "acme", has_log=True),
    "types file": lambda folder: ChooseTypesFile(folder / "database.ts"),
    "target": lambda _: Connect(Launch(dsn="service=acme")),
    "search": lambda _: Search("SQL", ""),
}
TYPED = {"name": "acme", "search": "column"}


async def press_in_a_moment(walk: Walk, key: str, times: int) -> None:
    """The key so often before the screen gets to the first one."""
    for _ in range(times):
        walk.app.post_message(events.Key(key, None))
    await walk.settle()


@pytest.mark.parametrize("name", ASKING)
async def test_enter_twice_in_a_moment_answers_once(name: str, tmp_path: Path) -> None:
    (tmp_path / "database.ts").touch()
    answers: list[object] = []
    async with walking(fake_app(survey(8)), WIDE) as walk:
        asking = ASKING[name](tmp_path)
        walk.app.push_screen(asking, answers.append)
        await walk.settle()
        field = asking.query(Input).first()
        field.focus()
        field.value = TYPED.get(name) or field.value or "acme"
        await press_in_a_moment(walk, "enter", 3)
        assert len(answers) == 1
        assert walk.app.screen is walk.app.main


async def test_a_search_while_something_runs_finds_what_is_there() -> None:
    app = fake_app(online_survey(), production=False, script=begun("2.1", 4, 5, "idx_clones_rag_status"))
    async with walking(app, WIDE) as walk:
        await walk.pilot.press("a")
        await walk.until(lambda: walk.board.live is not None and walk.board.live.part, "it runs")
        assert walk.app.main.tab != "2"
        await walk.pilot.press("slash", *"rag_config", "enter")
        await walk.until(lambda: "looking for" not in walk.state_line and "rag_config" in walk.state_line, "searched")
        assert walk.state_line.startswith('match 1 of 5 for "rag_config"')


async def test_a_pause_that_comes_after_the_end_does_not_hold_the_next_run(
    open_screen: Open, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_screen() as walk:
        engine, read = walk.app.desk.engine, walk.app.desk.read
        stopping = iter([engine.pause, engine.stop])

        def late(**how: bool) -> object:
            next(stopping, lambda: None)()
            return read(**how)

        monkeypatch.setattr(walk.app.desk, "read", late)
        await walk.press("enter", "enter")
        assert walk.states()["1.1"] == "done", "it was not held by the pause"
        await walk.press("enter")
        assert walk.states()["1.2"] == "done", "nor ended by the stop"
        # The server lets go of it once it has seen that the session ended, which nobody waits for.
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        await walk.until(lambda: not database.value(held), "the operator's lock is gone")


@pytest.mark.parametrize("paused", [True, False])
async def test_a_process_that_was_stopped_goes_on_as_it_was(paused: bool) -> None:
    app = fake_app(online_survey(), production=False, script=begun("2.1", 4, 5, "idx_clones_rag_status"))
    stopped: list[bool] = []
    async with walking(app, WIDE) as walk:
        await walk.pilot.press("a")
        await walk.until(lambda: walk.board.live is not None and walk.board.live.part, "it runs")
        if paused:
            await walk.pilot.press("space")
            await walk.until(lambda: walk.board.paused, "it is paused")
        engine = app.desk.engine
        assert isinstance(engine, FakeEngine)
        app.actions.stand_aside(lambda: stopped.append(engine.resting))
        await walk.until(lambda: stopped, "the process was stopped")
        assert stopped == [True], "between two parts"
        await walk.pilot.pause()
        assert engine.resting is paused
