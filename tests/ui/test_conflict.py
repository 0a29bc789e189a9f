"""A conflict on the screen: both definitions, what to do, and nothing runs; looking again goes on when it is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import MakeDatabase
from tests.support.database import Database, assert_same
from tests.ui.conftest import NARROW, SIZES_OF_A_WALK, WIDE, Open, walking
from tests.ui.fake import ESCAPE, HOSTILE, conflict_survey, fake_app
from wizard.engine.views import ConflictView
from wizard.errors import ExitCode
from wizard.ui.page import Page
from wizard.ui.pages.differences import EXPECTED, FOUND, NOTHING, aligned, all_of

DOMAINS = "create table domains (host text)"
LONG = ConflictView(
    step="4",
    words='policy "Users can do what they please, at length, with a name that fills its line" on clone_rag_mapping',
    found=f"CREATE POLICY x ON y USING (true) -- {HOSTILE} {ESCAPE}",
    expected="BEGIN\n    IF a THEN\n      RETURN map_clone_category_to_domain_and_more_than_a_column_holds(a);\nEND",
)


def test_equal_lines_stand_beside_each_other_and_what_differs_is_paired_by_its_name() -> None:
    found = ["id bigint", "host text", "CONSTRAINT a PRIMARY KEY (id)", "CONSTRAINT c CHECK (x)"]
    expected = ["id uuid", "name text", "at date", "CONSTRAINT a PRIMARY KEY (id)", "CONSTRAINT c CHECK (y)"]

    assert aligned(found, expected) == [
        ("id bigint", "id uuid"),
        ("host text", "name text"),
        (None, "at date"),
        ("CONSTRAINT a PRIMARY KEY (id)", "CONSTRAINT a PRIMARY KEY (id)"),
        ("CONSTRAINT c CHECK (x)", "CONSTRAINT c CHECK (y)"),
    ]


@pytest.mark.parametrize("width", [76, 77, 78, 80, 200])
def test_two_definitions_fit_the_width_and_lose_no_word(width: int) -> None:
    lines = all_of((LONG, LONG.model_copy(update={"found": ""})), width)

    assert max(line.cell_length for line in lines) <= width
    text = "".join(line.plain for line in lines)
    assert "\x1b" not in text
    assert NOTHING in text
    for words in (LONG.words, LONG.expected, HOSTILE, r"\x1b[31mred"):
        for word in words.split():
            assert word in text or word[:20] in text, word
    sides = [line.plain for line in lines if FOUND in line.plain and EXPECTED in line.plain]
    assert len(sides) == (2 if width >= 78 else 0), "side by side only where there is room"


async def test_what_differs_is_marked_without_colour_too() -> None:
    async with walking(fake_app(conflict_survey()), WIDE) as walk:
        assert "≠ id bigint GENERATED ALWAYS AS" in walk.text
        assert "≠ host text NOT NULL" in walk.text
        assert "  CONSTRAINT clones_rag_pkey PRIMARY" in walk.text
        assert "≠ CONSTRAINT clones_rag_pkey" not in walk.text


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x36", "80x24"])
async def test_foreign_text_in_a_definition_is_shown_as_it_is(size: tuple[int, int]) -> None:
    async with walking(fake_app(conflict_survey(LONG.model_copy(update={"step": "2.1"}))), size) as walk:
        assert HOSTILE in walk.page
        assert "\x1b" not in walk.text


@SIZES_OF_A_WALK
async def test_a_conflict_is_shown_with_both_definitions_and_no_key_runs_anything(
    open_screen: Open, make_database: MakeDatabase, size: tuple[int, int]
) -> None:
    database = make_database("other_domains_table")
    before = database.snapshot()
    async with open_screen(size, dsn=database.url()) as walk:
        assert walk.board.page is Page.CONFLICT
        assert walk.state_line == "CONFLICT in 1.1: 1 object differs. Nothing was changed on acme-test"
        assert walk.states()["1.1"] == "conflict"
        assert walk.app.main.current == "1.1"
        page = walk.page
        for words in ("table domains", "step 1.1", FOUND, EXPECTED, "host text NOT NULL", "domain_name text NOT NULL"):
            assert words in page
        assert (f"│ {EXPECTED}" in page) == (size == WIDE)

        await walk.press("a")
        assert walk.state_line == "a does nothing now: conflict in 1.1; enter looks again"
        await walk.press("enter")
        assert walk.state_line == "Looked again: it still differs, and nothing was run"
        assert walk.board.page is Page.CONFLICT
        await walk.press("tab", "pagedown", "j", "G", "k", "y")
        assert walk.state_line == "copied: this page"
        assert "CONSTRAINT domains_host_key" in walk.app.clipboard
        await walk.press("d")
        assert "DRY RUN" in walk.state_line
        assert walk.board.dry_run is not None
        assert walk.board.dry_run.exit_code == ExitCode.REFUSED
        assert "host text NOT NULL" in walk.page
        await walk.press("d")
        assert walk.board.exit_code == ExitCode.REFUSED
    assert_same(before, database.snapshot())


@pytest.mark.slow
async def test_when_the_conflict_is_gone_enter_looks_again_and_the_next_enter_runs(
    open_screen: Open, database: Database
) -> None:
    database.execute(DOMAINS)
    async with open_screen() as walk:
        assert walk.board.page is Page.CONFLICT
        database.execute("alter table domains rename to hosts")
        await walk.press("enter")
        assert walk.state_line == "Looked again: nothing differs any more. Enter runs the next step"
        assert not walk.board.conflicts
        assert walk.board.page is Page.NONE
        assert database.value("select to_regclass('domains') is null"), "looking again ran nothing"
        assert walk.app.main.current == "1.1"
        await walk.press("enter")
        assert walk.states()["1.1"] == "done"
        assert walk.board.exit_code == 0


@pytest.mark.slow
async def test_a_name_that_is_still_taken_after_the_conflict_is_named(open_screen: Open, database: Database) -> None:
    database.execute("create table domains (id bigint primary key)")
    async with open_screen() as walk:
        database.execute("alter table domains rename to hosts")
        await walk.press("enter")
        assert [conflict.words for conflict in walk.board.conflicts] == ["index domains_pkey"]
        assert walk.board.page is Page.CONFLICT
        await walk.press("a")
        assert walk.board.page is Page.CONFLICT
        assert database.value("select to_regclass('rag_wizard.part') is null")


async def test_a_conflict_that_came_after_the_last_look_is_refused_by_the_engine_and_shown(
    open_screen: Open, database: Database
) -> None:
    async with open_screen() as walk:
        assert walk.states()["1.1"] == "to do"
        database.execute(DOMAINS)
        before = database.snapshot()
        await walk.press("a")
        assert walk.board.page is Page.CONFLICT
        assert walk.state_line == "CONFLICT in 1.1: 1 object differs. Nothing was changed on acme-test"
        assert "host text" in walk.text
        assert "Stopped" not in walk.text
    assert_same(before, database.snapshot())


@pytest.mark.slow
async def test_several_conflicts_are_listed_those_of_the_highlighted_step_first(
    open_screen: Open, make_database: MakeDatabase
) -> None:
    database = make_database("other_column_type", "other_mapping_function")
    async with open_screen(dsn=database.url()) as walk:
        assert walk.state_line == "CONFLICT in 2.1 and 6.2: 2 objects differ. Nothing was changed on acme-test"
        page = walk.page
        assert page.index("column clones.rag_enabled") < page.index("function map_clone_category_to_domain(text)")
        await walk.go_to("6.2")
        assert "[1 About]" in walk.text
        assert "(key 0 shows both definitions)" in walk.page
        await walk.press("0")
        page = walk.page
        assert page.index("function map_clone_category_to_domain(text)") < page.index("column clones.rag_enabled")
        assert page.count("1 of 2") == page.count("2 of 2") == 1


@pytest.mark.slow
async def test_a_conflict_in_the_middle_of_a_rollout_says_what_is_committed(
    open_screen: Open, database: Database
) -> None:
    async with open_screen() as walk:
        await walk.press("enter", "enter", "enter")
        database.execute("alter table clones add column rag_enabled integer")
        await walk.press("v")
        assert walk.state_line == "CONFLICT in 2.1: 1 object differs. Steps 0 to 1.2 are committed"
        assert walk.states()["1.2"] == "done"
        await walk.press("enter")
        assert database.value("select to_regclass('rag_documents') is null")


async def test_a_plan_is_not_written_while_there_is_a_conflict(
    open_screen: Open, database: Database, state_dir: Path
) -> None:
    database.execute(DOMAINS)
    async with open_screen() as walk:
        await walk.press("x", "enter")
        assert walk.state_line == "STOPPED. conflict: different: table domains"
        assert not list(state_dir.glob("*.sql"))
