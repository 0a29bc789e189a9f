"""Every decision of the built-in rollout is readable on the screen as a whole, and can be answered there."""

from __future__ import annotations

import pytest

from tests.conftest import MakeDatabase
from tests.integration.test_decisions import ADMIN, ALWAYS, HISTORY, MANY, WITH_DEFAULT, WITHOUT_DEFAULT, Case, recorded
from tests.support.database import Database
from tests.support.series import sampled
from tests.ui.conftest import NARROW, WIDE, Open, Walk
from wizard.errors import ExitCode
from wizard.rollout.load import load_rollout
from wizard.ui.page import Page
from wizard.ui.widgets.answers import Answers

ASKED = {(case.name, case.default): case for case in (*WITH_DEFAULT, *WITHOUT_DEFAULT)}
SIZES_OF_A_QUESTION = pytest.mark.parametrize(
    "size", [pytest.param(NARROW, id="80x24"), pytest.param(WIDE, id="120x36", marks=pytest.mark.slow)]
)


def readable(walk: Walk, case: Case) -> None:
    """Question, options and what they do stand on the screen in full, without scrolling."""
    decision = next(
        one for one in load_rollout().decisions if one.name == case.name and (one.default or "") == case.default
    )
    assert " ".join(decision.question.split()) in walk.words_in("#stage"), walk.text
    shown = walk.words_in("#answers")
    for option in decision.options:
        assert f"{option.value}: {' '.join(option.text.split())}" in shown, walk.text


def test_every_decision_of_the_rollout_is_asked_here() -> None:
    """backfill_triggers needs a role that may not hold triggers back: it has a test of its own."""
    every = {(one.name, one.default or "") for one in load_rollout().decisions}
    assert every - set(ASKED) == {("backfill_triggers", "")}


@SIZES_OF_A_QUESTION
@pytest.mark.parametrize(
    "case", [case for (_, default), case in ASKED.items() if not default], ids=lambda one: one.name
)
async def test_a_decision_without_a_default_is_asked_before_anything_runs(
    open_screen: Open, make_database: MakeDatabase, size: tuple[int, int], case: Case
) -> None:
    database = case.database(make_database)
    async with open_screen(size, dsn=database.url()) as walk:
        assert walk.board.page is Page.DECISION
        assert walk.states()[case.step] == "decide"
        readable(walk, case)
        await walk.press("a")
        assert walk.app.main.answering
        assert database.value("select to_regclass('domains') is null")
        await walk.press("enter")
        assert walk.state_line == f"decided: {case.name}={case.answer}; it is recorded when the next step runs"
        assert walk.board.page is Page.NONE
        assert not walk.app.main.query_one(Answers).display
        assert walk.app.main.step_keys.has_focus
        await walk.press("enter", "enter")
        assert walk.states()["1.1"] == "done"
    assert recorded(database)[case.name] == case.answer


@pytest.mark.slow
@SIZES_OF_A_QUESTION
@pytest.mark.parametrize("case", sampled([one for one in ASKED.values() if one.default], 1), ids=lambda one: one.name)
async def test_a_default_is_shown_and_can_be_changed_until_the_first_step_runs(
    open_screen: Open, make_database: MakeDatabase, size: tuple[int, int], case: Case
) -> None:
    database = case.database(make_database)
    async with open_screen(size, dsn=database.url()) as walk:
        assert f"{case.name}={case.default} in {case.step}" in walk.words_in("#now")
        await walk.go_to(case.step)
        await walk.press("6")
        readable(walk, case)
        assert f"{case.name} is {case.default} (by default) until the first step has run" in walk.page
        assert f"▪ {case.default}:" in walk.words_in("#answers")
        await walk.press("tab", "tab")
        assert walk.app.main.answering
        await walk.press(*(["j"] if case.answer != case.default else []), "enter")
        assert walk.board.given(walk.board.step(case.step).decisions[0]) == case.answer
        assert walk.app.main.current == case.step, "the highlight stays"
        assert f"▪ {case.answer}:" in walk.words_in("#answers")
        await walk.press("escape", "home", "enter", "enter", "6")
        assert not walk.app.main.query_one(Answers).display
        await walk.go_to(case.step)
        assert f"▪ {case.answer}:" in walk.page, "recorded, and not to be changed any more"
    assert recorded(database)[case.name] == case.answer


async def test_triggers_that_cannot_be_held_back_are_asked_about(
    open_screen: Open, make_database: MakeDatabase
) -> None:
    database = make_database()
    database.execute("revoke set on parameter session_replication_role from postgres", user="supabase_admin")
    try:
        async with open_screen(NARROW) as walk:
            assert [one.name for one in walk.board.open_decisions] == ["backfill_triggers"]
            readable(walk, Case("backfill_triggers", "6.1", "fire"))
    finally:
        database.execute("grant set on parameter session_replication_role to postgres", user="supabase_admin")


async def test_a_screen_started_with_a_dry_run_takes_answers_and_looks_again(
    open_screen: Open, make_database: MakeDatabase
) -> None:
    database = Case("published_backfill", "6.2", "", setup=MANY).database(make_database)
    async with open_screen(NARROW, dsn=database.url(), dry_run=True) as walk:
        await walk.until(lambda: walk.board.page is Page.DRY_RUN, "the dry run is shown")
        await walk.settle()
        assert "published_backfill: answer it here in step 6.2, key 6" in walk.page
        before = walk.board.dry_run
        assert before is not None
        await walk.go_to("6.2")
        await walk.press("6", "tab", "tab")
        assert walk.app.main.answering
        await walk.press("enter")
        assert walk.state_line == "decided: published_backfill=send; a run that writes asks again"
        assert not walk.board.open_decisions
        assert walk.board.page is Page.DRY_RUN
        assert walk.board.dry_run is not None
        assert (before.exit_code, walk.board.dry_run.exit_code) == (ExitCode.PREREQUISITES, ExitCode.DONE)
    assert database.value("select to_regclass('domains') is null")


@pytest.mark.slow
async def test_several_questions_come_one_after_the_other_and_escape_leaves_them_open(
    open_screen: Open, make_database: MakeDatabase
) -> None:
    database = Case("several", "2.1", "", setup=f"{HISTORY}; {ALWAYS}; {MANY}").database(make_database)
    async with open_screen(NARROW, dsn=database.url()) as walk:
        assert "whole_row_triggers (3 questions are open)" in walk.page
        await walk.press("a", "escape")
        assert not walk.app.main.answering
        assert len(walk.board.open_decisions) == 3
        await walk.press("a", "enter")
        assert "backfill_witnesses (2 questions are open)" in walk.page
        assert walk.app.main.answering, "the next question has the focus"
        await walk.press("enter")
        assert "For step 6.2, published_backfill" in walk.page
        await walk.press("enter")
        assert not walk.board.open_decisions
        assert dict(walk.app.desk.engine.settings.decisions) == {
            "whole_row_triggers": "accept",
            "backfill_witnesses": "act",
            "published_backfill": "send",
        }


@pytest.mark.slow
@SIZES_OF_A_QUESTION
async def test_a_question_that_came_up_after_a_failure_is_asked_by_r(
    open_screen: Open, database: Database, size: tuple[int, int]
) -> None:
    async with open_screen(size, fail_at="2.1") as walk:
        await walk.press("a")
        assert walk.board.page is Page.FAILED
        database.execute(HISTORY, user=ADMIN)
        await walk.press("v")
        await walk.press("r")
        assert walk.board.page is Page.DECISION, walk.text
        assert walk.app.main.answering
        assert walk.states()["2.1"] == "failed"
        await walk.press("enter")
        assert walk.board.page is Page.FAILED, walk.text
        await walk.press("r")
        assert walk.states()["2.1"] == "done", walk.text
    assert recorded(database)["whole_row_triggers"] == "accept"


@pytest.mark.slow
async def test_a_question_that_came_up_since_the_screen_looked_is_asked_by_enter(
    open_screen: Open, database: Database
) -> None:
    async with open_screen() as walk:
        await walk.press("enter", "enter")
        assert walk.states()["1.1"] == "done"
        database.execute(HISTORY, user=ADMIN)
        await walk.press("a")
        assert walk.board.page is Page.TROUBLE
        assert "a decision is missing: whole_row_triggers" in walk.state_line
        await walk.press("enter")
        assert walk.board.page is Page.DECISION, walk.text
        assert walk.app.main.answering
        await walk.press("enter", "a")
        assert walk.states()["2.1"] == "done", walk.text
