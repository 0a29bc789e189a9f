"""What is there already, on the screen: said before a step runs, adopted while it runs, and left by rolling back."""

from __future__ import annotations

import pytest

from tests.conftest import MakeDatabase
from tests.support.database import Database
from tests.support.starting import guide_statements, paste
from tests.ui.conftest import SIZES_OF_A_WALK, Open
from wizard.engine.views import ObjectView
from wizard.ui.page import Page
from wizard.ui.pages.objects import summary


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("table a", "column a.b"), "table a, column a.b"),
        (("table a", *(f"column a.{n}" for n in range(4))), "1 table, 4 columns"),
        (tuple(f"index i{n} on a" for n in range(4)), "4 indexes"),
        (tuple(f'policy "p {n}" on a' for n in range(5)), "5 policies"),
        ((*(f'row {{"k": {n}}} on a' for n in range(8)), "row level security of a"), "8 rows, row level security"),
    ],
)
def test_objects_are_named_where_they_are_few_and_counted_by_kind_where_they_are_many(
    names: tuple[str, ...], words: str
) -> None:
    assert summary(ObjectView(words=name, origin="made") for name in names) == words


@SIZES_OF_A_WALK
async def test_a_step_that_is_wholly_there_says_so_before_it_runs_and_is_adopted(
    open_screen: Open, database: Database, size: tuple[int, int]
) -> None:
    paste(database, guide_statements("1.1"))
    database.execute("alter table domains enable row level security")
    before = database.digest()
    async with open_screen(size) as walk:
        assert walk.states()["1.1"] == "to do"
        await walk.press("j")
        assert "all 18 objects are there already, exactly as the step makes them" in walk.page
        assert "running it records that and sends nothing of its own" in walk.page
        assert "Finds 1 table, 5 columns, 2 constraints, row level security, 1 trigger, 8 rows" in walk.page
        await walk.press("2")
        assert "CREATE TABLE" not in walk.page
        await walk.press("4")
        assert "Nothing: all of it was there before and stays as it is" in walk.page
        assert "column domains.domain_name" in walk.page

        await walk.press("k", "enter")
        assert "enter adopts 1.1 Domains: records that its 18 objects are there already" in walk.words_in("#now")
        await walk.press("enter")
        assert walk.states()["1.1"] == "adopted"
        assert walk.app.main.current == "1.2"
        (told,) = [line.text for line in walk.board.log if line.outcome == "adopted"]
        assert told.startswith("everything was there already, nothing was sent; ")
        await walk.press("k", "1")
        assert "was there already, exactly as the step would make it; recorded" in walk.page
        await walk.press("2")
        assert walk.page == "Everything was there already: nothing but the record of it was sent."
    assert {name: rows for name, rows in database.digest().items() if name in before} == before


@pytest.mark.slow
async def test_the_step_list_says_what_will_be_adopted_now_and_in_a_dry_run(
    open_screen: Open, database: Database
) -> None:
    paste(database, [*guide_statements("1.1"), "alter table domains enable row level security"])
    async with open_screen() as walk:
        assert "· 1.1 Domains           to adopt" in walk.text
        assert "0 of 15" in walk.text, "to adopt is not done"
        await walk.press("d")
        assert "≡ 1.1 Domains        would adopt" in walk.text
        assert "▷ 1.2 Experts          would run" in walk.text
        assert "≡ 1.1 Domains table adopts 18 objects" in walk.page
        await walk.press("d", "enter", "enter")
        assert "≡ 1.1 Domains            adopted" in walk.text


@SIZES_OF_A_WALK
async def test_a_step_that_is_partly_there_makes_what_is_missing_and_rolling_back_leaves_the_rest(
    open_screen: Open, database: Database, size: tuple[int, int]
) -> None:
    paste(database, guide_statements("1.1")[:1])
    async with open_screen(size) as walk:
        await walk.press("enter")
        assert walk.app.main.current == "1.1"
        assert "3 statements in 1 transaction; 8 of 18 objects are there" in walk.words_in("#now")
        await walk.press("1")
        assert "8 of 18 objects are there already; only what is missing is sent" in walk.page
        assert "Makes row level security, 1 trigger, 8 rows" in walk.page
        assert "Finds 1 table, 5 columns, 2 constraints; the owner's, rolling back leaves them as they are" in walk.page
        await walk.press("2")
        assert "CREATE TABLE" not in walk.page
        assert "CREATE TRIGGER update_domains_updated_at" in walk.page

        await walk.press("enter")
        assert walk.states()["1.1"] == "done"
        await walk.press("k", "4")
        assert walk.page.startswith("Takes away only what this rollout makes (row level security, 1 trigger, 8 rows)")
        stays = walk.page.index("Stays: it was there before and belongs to the database's owner")
        taken = walk.page.index("Taken away: made by this rollout")
        assert stays < walk.page.index("table domains") < walk.page.index("DROP TRIGGER") < taken
        assert walk.page.index("trigger update_domains_updated_at on domains") > taken
        await walk.press("1")
        assert "made by this rollout and recorded; 8 of 18 objects were there before" in walk.page

        await walk.press("b", "enter")
        assert walk.board.page is Page.ROLLED_BACK
    assert database.value("select to_regclass('domains') is not null")
    assert database.value("select count(*) from domains") == 0


async def test_what_is_replaced_is_named_with_where_it_goes(open_screen: Open, make_database: MakeDatabase) -> None:
    database = make_database("other_shared_function")
    async with open_screen(dsn=database.url(), decisions={"shared_function": "replace"}) as walk:
        await walk.press("j")
        assert "Replaces function update_updated_at_column(); saved first, rolling back puts it back" in walk.page
        await walk.press("4")
        assert "Put back: saved before it is replaced function update_updated_at_column()" in walk.page
