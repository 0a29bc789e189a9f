"""An abandoned session in the way: shown, and ended only with the operator's word."""

from __future__ import annotations

import pytest

from tests.support.abandoned import dead_pid, held
from tests.support.database import Database
from tests.ui.conftest import Open
from wizard.engine.session import exclusive
from wizard.ui.page import Page


@pytest.mark.slow
async def test_it_is_shown_and_ended_only_after_yes(
    open_screen: Open, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exclusive, "DEAD_PATIENCE_S", 0.3)
    with held(database, os_pid=dead_pid(), age="11 s") as pid:
        alive = "select count(*) from pg_stat_activity where pid = %s"
        async with open_screen() as walk:
            await walk.press("e")
            assert "no abandoned session is in the way" in walk.state_line
            await walk.press("a")
            assert walk.board.page is Page.TROUBLE
            assert "e  end that session" in walk.text
            await walk.press("e", "enter", "a")
            assert walk.board.page is Page.TROUBLE
            assert database.value(alive, [pid]) == 1
            await walk.press("e", "y", "a")
            assert walk.board.page is Page.FINISHED
            assert database.value(alive, [pid]) == 0
            engine = walk.app.desk.engine
            assert engine is not None
            assert not engine.settings.end_orphan
