"""A demo that began anew with --fresh does so once: asking it again after its server went keeps what was done in it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from tests.ui.conftest import WIDE, Walk, walking
from wizard.demo.types_file import types_file_of
from wizard.launch import Launch
from wizard.ui.app import WizardApp
from wizard.ui.page import Page


async def end_the_server(walk: Walk, state_dir: Path) -> None:
    """The demo's own server goes at once, as in a crash."""
    cluster = Path(json.loads((state_dir / "demo" / "cluster.json").read_text())["data_dir"])
    noted = cluster / "postmaster.pid"
    os.kill(int(noted.read_text().splitlines()[0]), signal.SIGQUIT)
    await walk.until(lambda: not noted.exists(), "the server is gone")


async def test_asking_a_fresh_demo_again_does_not_make_it_anew(state_dir: Path) -> None:
    launch = Launch(demo=True, fresh=True, rows=12, state_dir=state_dir, operator="dba@desk")
    async with walking(WizardApp(launch), WIDE) as walk:
        await walk.press("enter", "enter")
        assert walk.states()["1.1"] == "done", walk.text
        types_file = types_file_of(state_dir)
        types_file.write_text(types_file.read_text() + "// mine\n")
        await end_the_server(walk, state_dir)
        await walk.press("enter")
        assert walk.board.page is Page.TROUBLE
        assert "r ask the database again" in walk.page

        await walk.press("r")
        assert walk.states()["1.1"] == "done", walk.text
        assert types_file.read_text().endswith("// mine\n")
        await walk.press("enter")
        assert walk.states()["1.2"] == "done", walk.text
