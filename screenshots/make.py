"""Takes the screenshots of this folder from a real run on a demo database of its own. `make screenshots` runs it."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from textual.pilot import Pilot

from wizard.launch import Launch
from wizard.ui.app import WizardApp
from wizard.ui.board import Board

HERE = Path(__file__).parent
WIDE, NARROW = (120, 36), (80, 24)

Shots = Callable[["Camera"], Awaitable[None]]


class Camera:
    """A running app, its keys, and where the pictures go."""

    def __init__(self, app: WizardApp, pilot: Pilot[None]) -> None:
        self._app = app
        self._pilot = pilot

    @property
    def board(self) -> Board:
        """What the screen shows."""
        return self._app.board

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, each time waiting until the engine is idle."""
        for key in keys:
            await self._pilot.press(key)
            await self.settle()

    async def settle(self) -> None:
        """Wait until nothing runs and everything is drawn."""
        await self._pilot.pause()
        while self._app.board.busy or self._app.workers:
            await self._app.workers.wait_for_complete()
            await self._pilot.pause()
        await self._pilot.pause()
        await self._pilot.pause()

    async def take(self, name: str) -> None:
        """Save the screen as `name`.svg."""
        await self.settle()
        self._app.save_screenshot(f"{name}.svg", path=str(HERE))
        print(f"screenshots/{name}.svg", file=sys.stderr)  # noqa: T201 a script tells what it made


async def start(camera: Camera) -> None:
    """Nothing begun, the SQL of a step, its locks, the keys, the dry run."""
    await camera.take("start")
    await camera.press("j", "2")
    await camera.take("sql")
    await camera.press(*"jjjjjj3")
    await camera.take("locks")
    await camera.press("question_mark")
    await camera.take("keys")
    await camera.press("escape", "1", "d")
    await camera.take("dry-run")


async def failure(camera: Camera) -> None:
    """A failure with all its parts, and the rollback plan."""
    await camera.press("a")
    await camera.take("failure")
    await camera.press("b")
    await camera.take("rollback-plan")
    await camera.press("enter")
    await camera.take("rolled-back")


async def finish(camera: Camera) -> None:
    """Everything run and verified."""
    await camera.press("a")
    await camera.take("finished")


async def narrow(camera: Camera) -> None:
    """The same at 80x24."""
    await camera.take("start-80x24")
    await camera.press("a")
    await camera.take("finished-80x24")
    await camera.press("s")
    await camera.take("steps-80x24")
    await camera.press("escape", "b", "enter")
    await camera.take("rolled-back-80x24")


async def narrow_failure(camera: Camera) -> None:
    """A failure at 80x24."""
    await camera.press("a")
    await camera.take("failure-80x24")
    await camera.press("b", "enter")


async def run(launch: Launch, size: tuple[int, int], shots: Shots) -> None:
    """One start of the app."""
    app = WizardApp(launch)
    try:
        async with app.run_test(size=size) as pilot:
            camera = Camera(app, pilot)
            await camera.settle()
            app.board.command = "rag-wizard --demo"  # the folder of this script's database is nobody's business
            await shots(camera)
    finally:
        app.desk.close()


def main() -> None:
    """All pictures."""
    with tempfile.TemporaryDirectory(prefix="rag-wizard-screenshots-") as folder:
        Path(folder).chmod(0o755)  # the server's own account has to enter it
        launch = Launch(demo=True, state_dir=Path(folder), operator="dba@workstation")
        for each, size, shots in (
            (launch, WIDE, start),
            (replace(launch, fail_at="2.2"), WIDE, failure),
            (launch, WIDE, finish),
            (replace(launch, fresh=True, fail_at="2.2"), NARROW, narrow_failure),
            (replace(launch, fresh=True), NARROW, narrow),
        ):
            asyncio.run(run(each, size, shots))


if __name__ == "__main__":
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    os.environ.pop("NO_COLOR", None)
    main()
