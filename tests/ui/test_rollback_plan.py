"""The rollback plan on production: it takes the target name where it may start, and its own keys where it may not."""

from __future__ import annotations

from textual.widgets import Input

from tests.support.database import Database
from tests.ui.conftest import SIZES, Open
from wizard.ui.screens.confirm import Problem
from wizard.ui.screens.rollback import Rollback

IN_THE_WAY = "CREATE VIEW seen AS SELECT domain_name FROM domains"


@SIZES
async def test_a_plan_that_is_blocked_takes_its_keys_and_no_name(
    open_screen: Open, database: Database, size: tuple[int, int]
) -> None:
    async with open_screen(size, env="production", confirm="acme-test") as walk:
        await walk.press("enter", "enter")
        assert walk.states()["1.1"] == "done"
        database.execute(IN_THE_WAY)
        await walk.press("b")
        plan = walk.app.screen
        assert isinstance(plan, Rollback)
        assert plan.blocked
        assert "o  show the SQL" in walk.text
        await walk.press("o")
        assert "o  show all of the SQL" in walk.text
        await walk.press("enter")
        await walk.press(*"acme-test", "enter")
        assert walk.app.screen is plan, "it would be refused: nothing starts it"
        assert plan.query_one(Input).value == ""
        assert plan.query_one(Problem)._text == ""
        await walk.press("escape")
        assert walk.states()["1.1"] == "done"


async def test_between_a_blocked_plan_and_one_that_may_start_the_keys_follow(
    open_screen: Open, database: Database
) -> None:
    async with open_screen(env="production", confirm="acme-test") as walk:
        await walk.press("enter", "enter", "enter")
        database.execute(IN_THE_WAY)
        await walk.go_to("1.2")
        await walk.press("b")
        plan = walk.app.screen
        assert isinstance(plan, Rollback)
        assert plan.blocked
        await walk.press("s")
        assert plan.must_type
        assert walk.app.focused is plan.query_one(Input)
        await walk.press("f2", "o")
        assert plan.blocked
        assert "o  show all of the SQL" in walk.text
        await walk.press("s", *"acme-test", "enter")
        assert (walk.states()["1.1"], walk.states()["1.2"]) == ("done", "rolled back")
