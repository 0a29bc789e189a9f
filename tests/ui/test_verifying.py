"""What the screen says once the database was judged: on the stage, in row 2, as its last words, as exit code."""

from __future__ import annotations

import os

from tests.support.abandoned import held
from tests.support.database import Database
from tests.support.engine import Operator
from tests.ui.conftest import Open
from wizard.ui.app import farewell
from wizard.ui.page import Page

NOT_VERIFIED = "NOT VERIFIED: 1 of "
VERIFIED = "FINISHED and verified: 8 of 9 criteria"


def drop_an_index(database: Database) -> str:
    """Of step 2.1; returns the statement that makes it again."""
    definition = str(database.value("SELECT pg_get_indexdef('idx_clones_rag_status'::regclass)"))
    database.execute("DROP INDEX idx_clones_rag_status")
    return definition


async def test_a_difference_is_said_in_row_2_and_as_the_last_words_until_it_is_repaired(
    open_screen: Open, database: Database
) -> None:
    async with open_screen() as walk:
        await walk.press("a")
        assert walk.state_line.startswith(VERIFIED)
        repair = drop_an_index(database)
        await walk.press("v")
        assert walk.board.page is Page.CHECKS_FAILED
        assert walk.state_line.startswith(NOT_VERIFIED)
        assert farewell(walk.board)[0].startswith(NOT_VERIFIED)
        assert walk.board.exit_code == 1
        await walk.press("d", "d")
        assert walk.state_line.startswith(NOT_VERIFIED), "looking elsewhere does not change it"

        database.execute(repair)
        await walk.press("v")
        assert walk.board.page is Page.FINISHED
        assert walk.state_line.startswith(VERIFIED)
        assert walk.board.exit_code == 0


async def test_a_run_that_ended_unverified_is_so_until_nothing_is_found_any_more(
    open_screen: Open, database: Database
) -> None:
    async with open_screen() as walk:
        await walk.press("a")
        repair = drop_an_index(database)
        walk.app.actions.write("verify V", lambda engine: engine.run(first="V", last="V"))
        await walk.settle()
        assert NOT_VERIFIED in walk.state_line
        assert walk.states()["V"] == "to do"

        database.execute(repair)
        await walk.press("v")
        assert walk.board.page is Page.NONE
        assert walk.board.sentence.startswith("READY. Steps 0 to 6.2 are committed. Next: V ")
        assert walk.board.exit_code == 0


async def test_what_happened_elsewhere_is_said_instead_of_how_the_run_ended(
    open_screen: Open, database: Database
) -> None:
    async with open_screen() as walk:
        await walk.press("a")
        assert walk.state_line.startswith(VERIFIED)
        with held(database, os_pid=os.getpid()):
            await walk.press("v")
            assert walk.state_line.startswith("ANOTHER OPERATOR is at work on acme-test: grace@elsewhere")
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        await walk.until(lambda: not database.value(locks), "the other operator is gone")
        await walk.press("v")
        assert walk.state_line.startswith(VERIFIED)
        Operator(database).engine.rollback()
        await walk.press("d", "d")
        assert walk.state_line.startswith("ROLLED BACK to the start")


async def test_a_difference_is_forgotten_once_what_it_was_found_in_was_rolled_back(
    open_screen: Open, database: Database
) -> None:
    async with open_screen() as walk:
        await walk.press("a")
        drop_an_index(database)
        await walk.press("v")
        await walk.go_to("2.1")
        await walk.press("b", "s", "enter")
        assert walk.states()["2.1"] == "rolled back", walk.text
        assert walk.board.page is Page.NONE
        assert "The parts are committed" not in walk.text
        assert walk.state_line.startswith("READY. Steps 0 to 1.6 are committed. Next: 2.1")
        assert walk.board.exit_code == 0
        await walk.press("5")
        assert "Not tried in this sitting" in walk.page
        await walk.press("enter")
        assert walk.states()["2.1"] == "done"
        assert walk.board.page is Page.NONE


async def test_where_nothing_was_made_a_check_finds_no_difference(open_screen: Open) -> None:
    async with open_screen() as walk:
        await walk.press("v")
        assert walk.state_line.startswith("Verified: ")
        assert walk.state_line.endswith(" are of steps still to run")
        assert walk.board.page is Page.NONE
        assert walk.board.exit_code == 0
        await walk.press("j")
        assert walk.state_line.startswith("READY. Nothing was changed on acme-test")


async def test_in_the_middle_of_a_rollout_only_what_was_run_is_judged(open_screen: Open, database: Database) -> None:
    async with open_screen() as walk:
        await walk.press("enter", "enter", "v")
        assert walk.states()["1.1"] == "done"
        assert walk.board.page is Page.NONE
        assert " checks passed; " in walk.state_line
        assert walk.state_line.endswith(" are of steps still to run")
        assert walk.board.exit_code == 0

        database.execute("DROP TRIGGER update_domains_updated_at ON domains")
        await walk.press("v")
        assert walk.board.page is Page.CHECKS_FAILED
        assert walk.state_line.startswith(NOT_VERIFIED)
        assert "update_domains_updated_at" in walk.page
        assert walk.page.count("✖") == 1
        assert "Checks of steps that are still to run are not judged yet." in walk.page
        assert walk.board.exit_code == 1
        await walk.press("enter")
        assert walk.states()["1.2"] == "done"
        assert walk.board.page is Page.NONE, "what was judged before says nothing of what is there now"
