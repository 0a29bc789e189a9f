"""Step 5 on the screen: choose the file, look at its difference, write it; and files that are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from tests.support.typescript import GENERATED
from tests.ui.conftest import SIZES_OF_A_WALK, Open
from wizard.ui.page import Page
from wizard.ui.screens.confirm import Problem
from wizard.ui.screens.types import ChooseTypesFile, Difference


@pytest.mark.slow
@SIZES_OF_A_WALK
async def test_the_open_step_takes_a_file_shows_what_changes_and_closes(
    open_screen: Open, tmp_path: Path, size: tuple[int, int]
) -> None:
    file = tmp_path / "[b]database.ts"
    file.write_text(GENERATED, encoding="utf-8")
    async with open_screen(size) as walk:
        await walk.press("a")
        assert walk.states()["5"] == "open"
        await walk.go_to("5")
        assert "asks for the types file" in walk.words_in("#now")

        await walk.press("enter")
        assert isinstance(walk.app.screen, ChooseTypesFile)
        walk.app.screen.query_one(Input).value = str(tmp_path)
        await walk.press("enter")
        assert walk.app.screen.query_one(Problem)._text.endswith("is a directory. Name a file.")
        walk.app.screen.query_one(Input).value = str(file)
        await walk.press("enter")
        await walk.until(lambda: isinstance(walk.app.screen, Difference), "the difference is shown")
        assert "[b]database.ts" in "".join(walk.text.split())
        assert "enter  write the file" in walk.text
        await walk.press("escape")
        assert file.read_text(encoding="utf-8") == GENERATED

        await walk.press("enter")
        walk.app.screen.query_one(Input).value = str(file)
        await walk.press("enter")
        await walk.until(lambda: isinstance(walk.app.screen, Difference), "the difference is shown again")
        await walk.press("enter")
        await walk.until(lambda: walk.states()["5"] == "done", "written")
        await walk.until(lambda: "Success criteria 9 of 9" in walk.page, "judged anew")

        await walk.press("2")
        assert "clone_rag_mapping: {" in walk.page
        assert "clone_rag_mapping: {" in file.read_text(encoding="utf-8")


@pytest.mark.slow
async def test_a_file_that_is_no_types_file_is_told_with_its_place(open_screen: Open, tmp_path: Path) -> None:
    file = tmp_path / "other.ts"
    file.write_text("export type Database = {\n  public: {\n    Views: {}\n  }\n}\n", encoding="utf-8")
    async with open_screen() as walk:
        await walk.press("a")
        await walk.go_to("5")
        await walk.press("enter")
        walk.app.screen.query_one(Input).value = str(file)
        await walk.press("enter")

        await walk.until(lambda: walk.board.page is Page.TROUBLE, "stopped")
        # A long path is broken somewhere.
        assert "ts:2:11:schemapublichasnoTablesblock" in walk.page.replace(" ", "")
        assert walk.states()["5"] == "open"
