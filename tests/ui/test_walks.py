"""Walks through a whole rollout on the screen, on a real engine and a real database."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from tests.support.database import Database, assert_same
from tests.support.engine import Operator, stopped_behind
from tests.ui.conftest import NARROW, SIZES_OF_A_WALK, Open, Walk
from wizard.engine.state import StepState
from wizard.ui.page import Page
from wizard.ui.widgets.bars import KeyBar
from wizard.ui.widgets.logpane import LogPane

TINY = Path(__file__).parents[1] / "rollouts" / "tiny"
COMPLETE = {"done", "passed", "adopted", "open"}


@SIZES_OF_A_WALK
async def test_from_start_to_verified_with_one_key(
    open_screen: Open, database: Database, size: tuple[int, int]
) -> None:
    async with open_screen(size) as walk:
        assert walk.state_line.startswith("READY. Nothing was changed on acme-test. Next: 0")
        await walk.press("a")

        assert walk.board.page is Page.FINISHED
        assert walk.state_line.startswith("FINISHED and verified: 8 of 9 criteria")
        assert set(walk.states().values()) <= COMPLETE
        assert "[0 Finished]" in walk.text
        assert "Success criteria  8 of 9" in walk.text
        assert walk.board.exit_code == 0
    assert database.value("SELECT count(*) FROM domains") == 8


@pytest.mark.slow
async def test_step_by_step_with_enter(open_screen: Open, database: Database) -> None:
    async with open_screen() as walk:
        await walk.press("enter")
        assert walk.states()["0"] == "passed"
        assert database.value("SELECT to_regnamespace('rag_wizard')") is None, "prerequisites only read"
        for step in walk.board.steps[1:]:
            if step.kind.value == "manual":
                continue
            assert walk.app.main.current == step.id
            await walk.press("enter")
            assert walk.states()[step.id] in COMPLETE, walk.text
        assert walk.board.page is Page.FINISHED
        assert walk.state_line.startswith("FINISHED and verified: 8 of 9 criteria")


async def test_enter_elsewhere_goes_to_the_next_step_and_runs_nothing(open_screen: Open) -> None:
    async with open_screen() as walk:
        await walk.press("j", "j", "enter")
        assert walk.app.main.current == "0"
        assert walk.state_line == "0 Prerequisites is next; enter again runs it"
        await walk.press("tab", "enter")
        assert set(walk.states().values()) == {"to do"}
        assert not walk.board.prerequisites


@SIZES_OF_A_WALK
async def test_a_failure_is_a_state_of_the_stage(open_screen: Open, database: Database, size: tuple[int, int]) -> None:
    async with open_screen(size, fail_at="2.2") as walk:
        await walk.press("a")

        assert walk.board.page is Page.FAILED
        assert walk.state_line.startswith("FAILED 2.2")
        assert walk.states()["2.2"] == StepState.FAILED.word
        page = await whole_page(walk)
        for heading in ("1  What happened", "2  The database now", "3  What to do", "4  Keys", "r  retry"):
            assert heading in page
        assert "practice failure" in page
        assert walk.board.exit_code == 1

        for key in ("escape", "enter", "a", "space"):
            await walk.press(key)
            assert walk.board.page is Page.FAILED, key
        assert "2.2 failed; r retries, b rolls back" in walk.state_line or "nothing is running" in walk.state_line
        await walk.press("2")
        assert "ALTER TABLE" in walk.text
        await walk.press("0")
        assert "[0 Failed]" in walk.text
    assert not database.query(
        "SELECT 1 FROM information_schema.columns WHERE column_name = 'rag_document_id' AND table_name = 'knowledge'"
    )


async def whole_page(walk: object) -> str:
    """The text of the stage, also what is below its lower edge."""
    return walk.app.main.query_one("#stage")._text.plain  # type: ignore[attr-defined]


async def test_a_failure_is_shown_again_until_answered_then_retried(open_screen: Open) -> None:
    async with open_screen(fail_at="2.2") as walk:
        await walk.press("a", "q")
    async with open_screen(operator="night@other-host") as walk:
        assert walk.board.page is Page.FAILED
        assert walk.state_line.startswith("FAILED 2.2")
        await walk.press("r")
        assert walk.board.failure is None
        assert walk.states()["2.2"] == "done"
        await walk.press("a")
        assert walk.board.page is Page.FINISHED


@pytest.mark.slow
async def test_after_a_failure_b_and_enter_roll_everything_back(open_screen: Open, database: Database) -> None:
    before = database.snapshot()
    async with open_screen(fail_at="2.2") as walk:
        await walk.press("a", "b")
        assert "Rollback plan" in walk.text
        assert "2.1" in walk.text
        await walk.press("enter")
        assert walk.board.page is Page.ROLLED_BACK
        assert walk.state_line.startswith("ROLLED BACK to the start")
        assert "forget" in await whole_page(walk)
        assert walk.states()["1.1"] == "rolled back"
    database.execute("DROP SCHEMA rag_wizard CASCADE")
    assert_same(before, database.snapshot())


@pytest.mark.slow
async def test_escape_leaves_the_rollback_plan_without_an_answer(open_screen: Open, database: Database) -> None:
    async with open_screen() as walk:
        await walk.press("a", "b", "escape")
        assert walk.board.page is Page.FINISHED
    assert database.value("SELECT count(*) FROM domains") == 8


@pytest.mark.slow
async def test_rolling_back_the_highlighted_step_keeps_those_before(open_screen: Open, database: Database) -> None:
    async with open_screen() as walk:
        await walk.press("a")
        await walk.go_to("2.1")
        await walk.press("b", "s")
        assert "everything after step 1.6" in walk.text
        await walk.press("enter")
        states = walk.states()
        assert states["1.6"] == "done"
        assert states["2.1"] != "done"
        assert walk.board.next_step.id == "2.1"
    assert database.value("SELECT to_regclass('clone_rag_mapping') IS NOT NULL")


async def test_a_rollback_that_can_only_go_on_to_the_start_is_offered_by_itself(
    open_screen: Open, database: Database
) -> None:
    operator = Operator(database)
    operator.engine.run()
    stopped_behind(operator, "6.2")
    async with open_screen() as walk:
        await walk.go_to("3")
        await walk.press("b")
        assert "Rollback plan" in walk.text
        await walk.press("s")
        assert "everything after step" not in walk.text
        await walk.press("enter")
        assert walk.board.page is Page.ROLLED_BACK


async def test_rows_that_would_be_lost_are_archived_and_it_says_where(
    open_screen: Open, database: Database, state_dir: Path
) -> None:
    async with open_screen() as walk:
        await walk.press("a")
        database.execute("INSERT INTO domains (domain_name) VALUES ('astronomy')")
        await walk.press("b")
        assert "Archived first" in walk.text
        assert "They go to" in walk.text
        assert not (state_dir / "archives").exists()
        await walk.press("enter")
        assert walk.board.page is Page.ROLLED_BACK
        assert "1 row in " in walk.text
    (archived,) = (state_dir / "archives" / "acme-test").glob("*/*-domains.jsonl")
    assert "astronomy" in archived.read_text()
    assert database.value("SELECT to_regclass('domains') IS NULL")


@pytest.mark.slow
async def test_quitting_in_the_middle_and_starting_again_resumes(open_screen: Open) -> None:
    async with open_screen() as walk:
        await walk.press("enter", "enter", "enter", "q")
    async with open_screen(operator="night@other-host") as walk:
        assert walk.board.page is Page.RESUME
        page = await whole_page(walk)
        assert "A rollout by dba@desk on host desk, since" in page
        assert "stands at 1.3" in page
        await walk.press("enter")
        assert walk.states()["1.3"] == "done"
        await walk.press("a")
        assert walk.board.page is Page.FINISHED


async def test_a_dry_run_changes_nothing(open_screen: Open, database: Database) -> None:
    before = database.snapshot()
    async with open_screen() as walk:
        await walk.press("d")
        assert walk.state_line == "DRY RUN, read-only session: nothing can be changed"
        assert walk.states()["1.1"] == "would run"
        assert "▷" in walk.text
        assert "╔" in walk.text, "a border of its own"
        await walk.press("a")
        assert walk.state_line == "a does nothing now: dry run is on; press d to leave it"
        await walk.press("d")
        assert walk.states()["1.1"] == "to do"
        assert walk.state_line.startswith("READY")
    assert_same(before, database.snapshot())


async def test_dry_run_from_the_command_line_starts_in_it(open_screen: Open) -> None:
    async with open_screen(dry_run=True) as walk:
        await walk.until(lambda: walk.board.dry_run is not None)
        await walk.settle()
        assert walk.state_line.startswith("DRY RUN")


@pytest.mark.slow
async def test_read_only_looks_and_never_writes(open_screen: Open, database: Database) -> None:
    before = database.snapshot()
    async with open_screen(read_only=True) as walk:
        assert "READ-ONLY" in walk.lines[0]
        for key in ("enter", "a", "r", "b"):
            await walk.press(key)
            assert f"{key} does nothing now:" in walk.state_line
        await walk.press("v", "2", "d", "d")
    assert_same(before, database.snapshot())


async def test_production_needs_the_name_typed_before_the_first_write(open_screen: Open, database: Database) -> None:
    async with open_screen(env="production") as walk:
        assert "PRODUCTION" in walk.lines[0]
        await walk.press("a")
        assert "acme-test is a production database" in walk.text
        await walk.press("ctrl+p")
        assert walk.app.screen.__class__.__name__ == "TypeName", "no palette over a typed confirmation"
        await walk.type("acme")
        await walk.press("enter")
        assert "That is not the target name" in walk.text
        await walk.press("escape")
        assert database.value("SELECT to_regclass('domains') IS NULL")
        await walk.press("a")
        await walk.type("acme-test")
        await walk.press("enter")
        assert walk.board.page is Page.FINISHED


async def test_a_difference_found_by_verifying_is_shown(open_screen: Open, database: Database) -> None:
    async with open_screen() as walk:
        await walk.press("a")
        database.execute("DROP INDEX idx_clones_rag_status")
        await walk.press("v")
        assert walk.board.page is Page.CHECKS_FAILED
        assert "idx_clones_rag_status" in await whole_page(walk)
        assert walk.board.exit_code == 1


async def test_prerequisites_that_stop_change_nothing(
    open_screen: Open, database: Database, readonly_user: str
) -> None:
    before = database.snapshot()
    async with open_screen(dsn=database.url(readonly_user), decisions={"backfill_triggers": "fire"}) as walk:
        await walk.press("a")
        assert walk.board.page is Page.TROUBLE
        assert walk.state_line.startswith("STOPPED.")
        assert "Prerequisites" in await whole_page(walk)
    assert_same(before, database.snapshot())


@SIZES_OF_A_WALK
async def test_a_server_that_is_not_there_is_words_and_r_tries_again(open_screen: Open, size: tuple[int, int]) -> None:
    async with open_screen(size, dsn="postgresql://dba:s3cret@127.0.0.1:1/postgres") as walk:
        assert walk.app.main.query_one(KeyBar).max_scroll_x == 0
        assert walk.state_line.startswith("NOT CONNECTED.")
        assert "s3cret" not in walk.text
        assert walk.board.exit_code == 4
        await walk.press("r")
        assert walk.state_line.startswith("NOT CONNECTED.")


@SIZES_OF_A_WALK
async def test_a_decision_is_asked_on_the_stage_and_shapes_the_run(
    open_screen: Open, database: Database, size: tuple[int, int]
) -> None:
    database.execute("CREATE TABLE old_tickets (id int, title text)")
    async with open_screen(size, rollout=TINY) as walk:
        assert walk.states()["tickets"] == "decide"
        await walk.press("a")
        assert walk.board.page is Page.DECISION
        assert "There is a table old_tickets. Copy its rows?" in walk.text
        assert "leave: leave them where they are" in walk.text, walk.text
        assert database.value("SELECT to_regclass('tickets') IS NULL")
        await walk.press("down", "enter")
        assert dict(walk.app.desk.engine.settings.decisions) == {"legacy_rows": "leave"}
        assert not walk.board.open_decisions
        assert not walk.app.main.query_one("#answers").display
        await walk.press("a")
        assert walk.board.page is Page.FINISHED, walk.text


async def export_to(walk: Walk, path: Path) -> None:
    """x, with another path than the one that is proposed."""
    await walk.press("x")
    walk.app.screen.query_one("#path", Input).value = str(path)
    await walk.press("enter")


async def test_exporting_writes_a_new_file_and_refuses_an_old_one(open_screen: Open, state_dir: Path) -> None:
    async with open_screen() as walk:
        await walk.press("a", "x")
        assert "Log as SQL that psql replays" in walk.text
        await walk.press("enter")
        written = state_dir / "acme-test-log.sql"
        assert walk.state_line == f"written: {written}"
        assert "CREATE TABLE domains" in written.read_text()
        assert written.stat().st_mode & 0o777 == 0o600
        await walk.press("x", "enter")
        assert walk.state_line == f"written: {state_dir / 'acme-test-log-2.sql'}"
        await export_to(walk, written)
        assert walk.board.page is Page.TROUBLE
        assert str(written) in walk.state_line
        assert "enter  close this page" in await whole_page(walk)
        assert walk.board.exit_code == 0, "a file that was not written says nothing of the rollout"
        await walk.press("enter")
        assert walk.board.page is Page.FINISHED


async def test_enter_after_a_refused_export_or_rollback_runs_nothing(
    open_screen: Open, database: Database, state_dir: Path
) -> None:
    async with open_screen() as walk:
        await walk.press("enter", "enter")
        await export_to(walk, state_dir)
        assert walk.board.page is Page.TROUBLE
        await walk.press("enter")
        assert walk.board.page is not Page.TROUBLE
        database.execute("CREATE VIEW seen AS SELECT domain_name FROM domains")
        await walk.press("b")
        assert "In the way, not made by this rollout" in walk.text
        assert "enter  start" not in walk.text
        await walk.press("enter")
        assert walk.app.screen.__class__.__name__ == "Rollback", "it would be refused: enter does nothing"
        await walk.press("escape")
        assert walk.states()["1.1"] == "done"
        assert walk.states()["1.2"] == "to do"


async def test_a_step_that_is_partly_done_may_be_rolled_back_by_itself(open_screen: Open, database: Database) -> None:
    async with open_screen(strategy="online", fail_at="2.1") as walk:
        await walk.press("a")
        assert walk.board.page is Page.FAILED, walk.text
        await walk.go_to("2.1")
        await walk.press("1")
        assert "its failure is recorded. " in walk.page
        assert "left nothing behind" not in walk.page
        await walk.press("b", "s")
        assert "everything after step 1.6" in walk.text, walk.text
        await walk.press("enter")
        assert walk.states()["1.6"] == "done"
        assert walk.states()["2.1"] == "rolled back"


async def test_a_search_in_the_log_stays_at_its_match(open_screen: Open) -> None:
    async with open_screen(NARROW) as walk:
        await walk.press("a", "l", "tab")
        pane = walk.app.main.query_one(LogPane)
        assert pane.scroll_offset.y == pane.max_scroll_y > 0
        walk.app.main.query_one(LogPane).focus()
        await walk.press("slash")
        await walk.type("CREATE TABLE domains")
        await walk.press("enter")
        assert walk.state_line.startswith("match 1 of"), walk.state_line
        assert "CREATE TABLE domains" in walk.text
        assert pane.scroll_offset.y < pane.max_scroll_y
        await walk.press("n")
        assert pane.scroll_offset.y < pane.max_scroll_y


@SIZES_OF_A_WALK
async def test_a_search_in_the_log_looks_through_all_of_it_also_where_its_last_lines_are_shown(
    open_screen: Open, size: tuple[int, int]
) -> None:
    async with open_screen(size) as walk:
        await walk.press("a")
        while not isinstance(walk.app.focused, LogPane):
            await walk.press("tab")
        assert "CREATE TABLE domains" not in walk.words_in("#log")
        await walk.press("slash")
        await walk.type("CREATE TABLE domains")
        await walk.press("enter")
        assert walk.state_line.startswith("match 1 of"), walk.state_line
        assert "CREATE TABLE domains" in walk.words_in("#log")
        await walk.press("escape")
        assert not walk.app.main.has_class("-log")
