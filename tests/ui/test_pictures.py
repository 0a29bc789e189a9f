"""A few pictures of the screen beside those that were looked at; the clock stands still. `make snapshots` renews."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.ui.conftest import NARROW, WIDE
from tests.ui.fake import begun, conflict_survey, failed_survey, fake_app, filled, online_survey, survey

Compare = Callable[..., bool]
Keys = Callable[[Pilot[Any]], Awaitable[None]]


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in a picture may depend on the version or on the terminal of whoever runs the test."""
    monkeypatch.setattr("wizard.ui.widgets.bars.__version__", "0.0.0")
    monkeypatch.delenv("NO_COLOR", raising=False)


def after(*keys: str) -> Keys:
    """Wait until the screen stands, then press keys."""

    async def run(pilot: Pilot[Any]) -> None:
        app: Any = pilot.app
        while app.board.busy or app.board.survey is None:
            await pilot.pause()
        for key in keys:
            await pilot.press(key)
            while app.board.busy:
                await pilot.pause()
        for _ in range(4):
            await pilot.pause()

    return run


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x36", "80x24"])
def test_nothing_begun(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(fake_app(survey()), terminal_size=size, run_before=after("down"))


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x36", "80x24"])
def test_failed(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(fake_app(failed_survey()), terminal_size=size, run_before=after())


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x36", "80x24"])
def test_conflict(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(fake_app(conflict_survey()), terminal_size=size, run_before=after())


def test_to_be_adopted(snap_compare: Compare) -> None:
    assert snap_compare(fake_app(conflict_survey()), terminal_size=WIDE, run_before=after("j"))


def test_finished(snap_compare: Compare) -> None:
    state = survey(15, sentence="FINISHED. Steps 0 to V are committed")
    assert snap_compare(fake_app(state), terminal_size=WIDE, run_before=after("v"))


def test_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(fake_app(failed_survey()), terminal_size=WIDE, run_before=after("2"))


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x36", "80x24"])
def test_backfilling(snap_compare: Compare, size: tuple[int, int]) -> None:
    script = (*begun("6.2", 2, 2, "Map every clone"), filled(83, slowed="replication is 12 s behind", delay_s=0.1))
    app = fake_app(online_survey(), production=False, script=script)

    def drawn() -> bool:
        """The backfill is told, and what the step wants to be seen is counted."""
        counted = "6.2" in app.board.previews and app.board.previews["6.2"].at is not None
        return app.board.live is not None and app.board.live.backfill is not None and counted and not app.main.drawing

    async def run(pilot: Pilot[Any]) -> None:
        while app.board.busy or app.board.survey is None:
            await pilot.pause()
        await pilot.press("a")
        while not drawn():
            await pilot.pause()
        for _ in range(4):
            await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=run)
