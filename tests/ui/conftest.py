"""How the tests walk the screen: a running app, its keys, what it shows; waiting for conditions, never for time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.support.database import Database
from wizard.launch import Launch
from wizard.ui.app import WizardApp
from wizard.ui.board import Board
from wizard.ui.widgets.textpane import TextPane

WIDE, NARROW = (120, 36), (80, 24)
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x36", "80x24"])
"""Both sizes that the screen was drawn for."""
SIZES_OF_A_WALK = pytest.mark.parametrize(
    "size", [pytest.param(WIDE, id="120x36"), pytest.param(NARROW, id="80x24", marks=pytest.mark.slow)]
)
"""The same for walks through a whole rollout, which take seconds each: the second one in `make test-all`."""
PATIENCE_S = 20.0


@dataclass
class Walk:
    """One start of the app under a pilot."""

    app: WizardApp
    pilot: Pilot[Any]

    @property
    def board(self) -> Board:
        """What the screen mirrors."""
        return self.app.board

    async def until(self, holds: Callable[[], object], what: str = "") -> None:
        """Wait until `holds` does; an AssertionError shows the screen when it never does."""
        end = asyncio.get_running_loop().time() + PATIENCE_S
        while not holds():
            assert asyncio.get_running_loop().time() < end, f"never happened: {what or holds}\n{self.text}"
            await self.pilot.pause()

    async def settle(self) -> None:
        """Wait until the engine is idle and everything is drawn."""
        await self.pilot.pause()
        await self.until(lambda: self.gone or not self.board.busy, "the engine is idle")
        await self.until(lambda: self.gone or not self.app.main.drawing, "the board is drawn")
        for _ in range(3):
            await self.pilot.pause()

    @property
    def gone(self) -> bool:
        """The operator has left."""
        return not self.app.is_running

    async def press(self, *keys: str) -> None:
        """Press keys, each time waiting until the engine is idle again."""
        for key in keys:
            await self.pilot.press(key)
            for _ in range(6):  # key, command, operation: each of them a message that the next one follows
                await self.pilot._wait_for_screen()
            await self.settle()

    async def go_to(self, step: str) -> None:
        """Highlight a step with j or k, wherever the highlight is."""
        ids = [one.id for one in self.board.steps]
        by = ids.index(step) - ids.index(self.app.main.current)
        await self.press(*["j" if by > 0 else "k"] * abs(by))
        assert self.app.main.current == step, self.text

    async def type(self, text: str) -> None:
        """Type text into whatever has the focus."""
        await self.pilot.press(*text)

    @property
    def text(self) -> str:
        """The screen as characters, line by line."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in line) for line in lines)

    @property
    def lines(self) -> list[str]:
        """The screen's lines."""
        return self.text.split("\n")

    @property
    def state_line(self) -> str:
        """Row 2."""
        return self.lines[1].strip()

    @property
    def page(self) -> str:
        """The words of the stage, also those below its lower edge, without line ends."""
        return " ".join(self.app.main.query_one("#stage", TextPane)._text.plain.split())

    def words_in(self, selector: str) -> str:
        """The words that a widget shows now, without line ends."""
        region = self.app.main.query_one(selector).content_region
        lines = self.lines[region.y : region.bottom]
        return " ".join(" ".join(line[region.x : region.right] for line in lines).split())

    def states(self) -> dict[str, str]:
        """Step -> the word beside it."""
        return {step.id: self.board.state(step).word for step in self.board.steps}


Open = Callable[..., Any]


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual's pilot looks for idleness in steps of 20 ms after each key; the tests wait for conditions anyway."""
    monkeypatch.setattr("textual._wait.SLEEP_GRANULARITY", 0.002)
    monkeypatch.setattr("textual._wait.SLEEP_IDLE", 0.002)


@asynccontextmanager
async def walking(app: WizardApp, size: tuple[int, int]) -> AsyncIterator[Walk]:
    """Run `app` and wait until it stands."""
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            walk = Walk(app, pilot)
            await walk.until(lambda: app.board.survey is not None or app.board.trouble is not None, "connected")
            await walk.settle()
            yield walk
    finally:
        app.desk.close()


@pytest.fixture
def open_screen(database: Database, state_dir: Path) -> Open:
    """open_screen(size=WIDE, **launch) on this test's database; another start on it is another call."""

    def start(size: tuple[int, int] = WIDE, **launch: Any) -> Any:
        options = {
            "dsn": database.url(),
            "state_dir": state_dir,
            "target_name": "acme-test",
            "operator": "dba@desk",
        } | launch
        return walking(WizardApp(Launch(**options)), size)

    return start
