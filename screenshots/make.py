"""Takes the screenshots of this folder from a real run on a demo database of its own. `make screenshots` runs it."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from textual.pilot import Pilot

from wizard.db.connect import connect
from wizard.launch import Launch
from wizard.ui.app import WizardApp
from wizard.ui.board import Board

HERE = Path(__file__).parent
WIDE, NARROW = (120, 36), (80, 24)

PLACE = "/home/dba/clones"
"""Stands in the pictures for the folder that they were taken in; as long as that, since nothing is laid out anew."""
PATIENCE_S = 120.0

Shots = Callable[["Camera"], Awaitable[None]]


class Camera:
    """A running app, its keys, and where the pictures go."""

    def __init__(self, app: WizardApp, pilot: Pilot[None], folder: Path) -> None:
        self._app = app
        self._pilot = pilot
        self._folder = folder

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

    async def until(self, holds: Callable[[Board], object], *keys: str) -> None:
        """Press keys, and wait in the midst of what runs until `holds` does."""
        for key in keys:
            await self._pilot.press(key)
        end = time.monotonic() + PATIENCE_S
        while not holds(self.board):
            if time.monotonic() > end:
                raise TimeoutError
            await self._pilot.pause(0.05)
        await self._pilot.pause(0.1)

    async def take(self, name: str) -> None:
        """Save the screen as `name`.svg when nothing runs any more."""
        await self.settle()
        self.snap(name)

    def snap(self, name: str) -> None:
        """Save the screen as `name`.svg as it is now."""
        file = HERE / f"{name}.svg"
        drawn = self._app.export_screenshot().replace(str(self._folder), PLACE)
        file.write_text(drawn, encoding="utf-8")
        print(f"screenshots/{name}.svg", file=sys.stderr)  # noqa: T201 a script tells what it made

    @contextmanager
    def reader(self) -> Iterator[None]:
        """Somebody who reads clones and keeps the transaction open."""
        engine = self._app.desk.engine
        assert engine is not None
        target = engine.target
        with connect(target, schema="public", read_only=True, application_name="monthly report") as report:
            report.execute("BEGIN")
            report.execute("SELECT count(*) FROM clones WHERE category = 'business'")
            yield
            report.execute("ROLLBACK")


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


async def busy(camera: Camera) -> None:
    """In the midst of a run on a larger table: waiting for a lock, who blocks, a backfill."""
    with camera.reader():
        await camera.until(lambda board: board.live and board.live.blockers and board.live.attempt > 2, "a")
        camera.snap("lock-wait")
        await camera.until(lambda board: board.live and board.live.blockers, "w")
        camera.snap("who-blocks")
        await camera.until(lambda board: board.live, "escape")
    await camera.until(_half_filled)
    camera.snap("backfill")
    await camera.settle()


async def narrow_busy(camera: Camera) -> None:
    """The same at 80x24."""
    with camera.reader():
        await camera.until(lambda board: board.live and board.live.blockers and board.live.attempt > 2, "a")
        camera.snap("lock-wait-80x24")
    await camera.until(_half_filled)
    camera.snap("backfill-80x24")
    await camera.settle()


def _half_filled(board: Board) -> bool:
    backfill = board.live.backfill if board.live is not None else None
    return bool(backfill and backfill.total and backfill.rows * 2 > backfill.total)


async def types(camera: Camera) -> None:
    """What step 5 would change in the application's types file."""
    while camera.board.next_step is not None and not camera.board.next_step.types:
        await camera.press("enter")
    await camera.press("enter")
    await camera.take("types")
    await camera.press("escape")


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
            camera = Camera(app, pilot, launch.state_dir)
            await camera.settle()
            app.board.command = "rag-wizard --demo"  # the folder of this script's database is nobody's business
            await shots(camera)
    finally:
        app.desk.close()


def main() -> None:
    """All pictures."""
    with tempfile.TemporaryDirectory(prefix="rw-", dir="/tmp") as folder:
        assert len(folder) == len(PLACE)
        Path(folder).chmod(0o755)  # the server's own account has to enter it
        launch = Launch(demo=True, state_dir=Path(folder), operator="dba@workstation")
        for each, size, shots in (
            (launch, WIDE, start),
            (replace(launch, fail_at="2.2"), WIDE, failure),
            (launch, WIDE, finish),
            (replace(launch, fresh=True, fail_at="2.2"), NARROW, narrow_failure),
            (replace(launch, fresh=True), NARROW, narrow),
            (replace(launch, fresh=True), WIDE, types),
            (replace(launch, fresh=True, rows=120_000), WIDE, busy),
            (replace(launch, fresh=True, rows=120_000), NARROW, narrow_busy),
        ):
            asyncio.run(run(each, size, shots))


if __name__ == "__main__":
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    os.environ.pop("NO_COLOR", None)
    main()
