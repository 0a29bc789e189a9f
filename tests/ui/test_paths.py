"""Paths typed on the screen: where an export goes, which types file; a wrong one is told beside the field."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.ui.conftest import WIDE, Open, walking
from tests.ui.fake import fake_app, survey
from wizard.ui.screens.export import Export
from wizard.ui.screens.types import ChooseTypesFile


async def test_an_export_makes_the_wizards_own_folder_and_no_other_one(open_screen: Open, tmp_path: Path) -> None:
    own = tmp_path / "state" / "rag-wizard"
    async with open_screen(state_dir=own) as walk:
        await walk.press("x", "enter")
        assert walk.state_line.startswith("written: "), walk.text
        [written] = own.iterdir()
        assert stat.S_IMODE(own.stat().st_mode) == 0o700
        assert stat.S_IMODE(written.stat().st_mode) == 0o600

        await walk.press("x")
        walk.app.screen.query_one("#path", Input).value = str(tmp_path / "other" / "plan.sql")
        await walk.press("enter")
        assert "Choose another place" in walk.page
        assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("screen", [Export, ChooseTypesFile])
@pytest.mark.parametrize("path", ["~nosuch/x.sql", "x" * 300])
async def test_a_path_that_leads_nowhere_is_told_and_can_be_corrected(
    screen: type[Export | ChooseTypesFile], path: str, tmp_path: Path
) -> None:
    answers: list[object] = []
    async with walking(fake_app(survey(8)), WIDE) as walk:
        asking = Export(tmp_path, "acme", has_log=True) if screen is Export else ChooseTypesFile(tmp_path)
        walk.app.push_screen(asking, answers.append)
        await walk.settle()
        field = asking.query_one("#path", Input)
        field.focus()
        field.value = path
        await walk.press("enter")
        if "~" in path or screen is ChooseTypesFile:
            assert walk.app.screen is asking, "it can be corrected"
            assert "no home folder here" in walk.text or "File name too long" in walk.text
        assert walk.app.is_running
