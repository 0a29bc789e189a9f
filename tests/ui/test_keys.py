"""Keys and layout on a scripted engine: what a dimmed key says, what a wrong key does (nothing), what fits where."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import pytest

from tests.ui.conftest import NARROW, SIZES, WIDE, walking
from tests.ui.fake import (
    ESCAPE,
    HOSTILE,
    FakeDesk,
    conflict_survey,
    failed_survey,
    fake_app,
    resumable_survey,
    step,
    survey,
)
from wizard.engine.state import StepState
from wizard.ui.app import WizardApp
from wizard.ui.board import Board
from wizard.ui.commands import BY_ID, COMMANDS, View
from wizard.ui.page import Page
from wizard.ui.screens.help import Help, keys_table
from wizard.ui.widgets.bars import KeyBar

STATES: dict[str, Callable[[], Any]] = {
    "nothing": survey,
    "failed": failed_survey,
    "conflict": conflict_survey,
    "resumable": resumable_survey,
    "finished": lambda: survey(15),
}


def asked(app: WizardApp) -> list[str]:
    """What the engine was asked to do."""
    assert isinstance(app.desk, FakeDesk)
    return app.desk.fake.asked


@SIZES
@pytest.mark.parametrize("state", STATES)
async def test_the_footer_never_scrolls(size: tuple[int, int], state: str) -> None:
    async with walking(fake_app(STATES[state]()), size) as walk:
        for key in ("", "d"):
            if key:
                await walk.press(key)
            bar = walk.app.main.query_one(KeyBar)
            assert bar.max_scroll_x == 0, walk.lines[-1]
            assert "q Quit" in walk.lines[-1]


@SIZES
async def test_a_key_that_is_not_in_the_table_changes_nothing(size: tuple[int, int]) -> None:
    bound = {key for command in COMMANDS for key in command.keys} | {"g", "G"}
    async with walking(fake_app(survey(), production=False), size) as walk:
        before = walk.text
        for key in [key for key in string.ascii_letters + string.digits if key not in bound] + ["ctrl+s", "ctrl+z"]:
            await walk.pilot.press(key)
        await walk.settle()
        assert asked(walk.app) == []
        assert walk.text == before


@SIZES
async def test_looking_keys_ask_the_engine_for_nothing(size: tuple[int, int]) -> None:
    async with walking(fake_app(failed_survey()), size) as walk:
        looking = [
            "up",
            "down",
            "j",
            "k",
            "home",
            "end",
            "0",
            "1",
            "2",
            "3",
            "4",
            "5",
            "6",
            "o",
            "l",
            "l",
            "y",
            "pagedown",
            "pageup",
            "escape",
            "tab",
            "shift+tab",
        ]
        for key in looking:
            await walk.pilot.press(key)
        for key in ("question_mark", "i"):
            await walk.press(key, "escape")
        await walk.settle()
        assert asked(walk.app) == []
        assert walk.board.page is Page.FAILED


async def test_every_dimmed_key_is_visible_and_says_why() -> None:
    async with walking(fake_app(survey()), WIDE) as walk:
        for command, key in (("retry", "r"), ("pause", "space"), ("rollback", "b")):
            assert f"{BY_ID[command].shown} {BY_ID[command].label}" in walk.lines[-1]
            await walk.press(key)
            reason = BY_ID[command].reason(walk.board, walk.app.main.view)
            assert reason
            assert walk.state_line == f"{BY_ID[command].shown} does nothing now: {reason}"
        await walk.press("j")
        assert walk.state_line.startswith("READY"), "the next key clears it"
        assert asked(walk.app) == []


def test_looking_keys_are_never_dimmed() -> None:
    board = Board(fake_app(survey()).board.launch)
    looking = [command for command in COMMANDS if command.id.startswith("tab-") or command.id in {
        "move", "region", "page", "log", "search", "info", "help", "palette", "close", "quit", "cancel"}]  # fmt: skip
    assert len(looking) >= 15
    assert all(not command.reason(board, View()) for command in looking)


def test_no_key_is_given_twice_and_none_is_ctrl_s_or_ctrl_z() -> None:
    keys = [key for command in COMMANDS for key in command.keys]
    assert len(keys) == len(set(keys))
    assert not {"ctrl+s", "ctrl+z"} & set(keys)


async def test_help_names_every_command_and_each_reason() -> None:
    async with walking(fake_app(survey()), WIDE) as walk:
        table = keys_table(walk.board, walk.app.main.view, 76).plain
        for command in COMMANDS:
            assert command.shown in table
            reason = command.reason(walk.board, walk.app.main.view)
            assert " ".join(reason.split()) in " ".join(table.split())
        await walk.press("f1")
        assert isinstance(walk.app.screen, Help)
        assert "esc  close" in walk.text
        await walk.press("question_mark")
        assert walk.app.screen is walk.app.main


async def test_the_palette_goes_to_a_step() -> None:
    async with walking(fake_app(survey()), WIDE) as walk:
        await walk.pilot.press("ctrl+p")
        await walk.type("Go to step 2.2")
        await walk.until(lambda: "Go to step 2.2 Knowledge cols" in walk.text)
        await walk.pilot.press("enter")
        await walk.until(lambda: walk.app.main.current == "2.2", "the step is highlighted")
        assert asked(walk.app) == []


async def test_the_wide_screen_shows_every_region_at_once() -> None:
    async with walking(fake_app(survey(8)), WIDE) as walk:
        for words in ("acme-prod", "PRODUCTION", "┌ Steps ", "8 of 15", "2.2 parts", "[0 Resume]", "┌ Log "):
            assert words in walk.text, words
        await walk.press("1")
        assert "├ Now ─" in walk.text
        assert "┌ 2.2  " in walk.text
        assert "▌· 2.2 Knowledge cols" in walk.text
        assert "s does nothing" not in walk.text
        await walk.press("s")
        assert walk.state_line == "s does nothing now: the steps are on the screen already"


async def test_the_narrow_screen_has_a_strip_and_s_lists_the_steps() -> None:
    async with walking(fake_app(survey(8)), NARROW) as walk:
        assert walk.lines[2].startswith(" ✔0 ✔1.1 ✔1.2 ✔1.3 ✔1.4 ✔1.5 ✔1.6 ✔2.1 ·2.2 ·3 ·4 ·5 ·6.1 ·6.2 ·V   ")
        assert walk.lines[2].rstrip().endswith("8 of 15")
        await walk.press("s", "j")
        assert "Indexes" in walk.text
        await walk.press("enter")
        assert "Steps ─" not in walk.text
        assert walk.app.main.current == "3"
        assert asked(walk.app) == [], "Enter in the list only looks"


async def test_below_80x24_one_line_tells_the_size_needed() -> None:
    async with walking(fake_app(survey()), WIDE) as walk:
        await walk.pilot.resize_terminal(79, 24)
        await walk.settle()
        assert walk.text.strip() == "79x24 is too small: 80x24 is needed."
        await walk.pilot.resize_terminal(80, 24)
        await walk.settle()
        assert walk.state_line.startswith("READY")


async def test_a_rollout_longer_than_the_strip_shows_two_neighbours_each_side() -> None:
    state = survey()
    many = tuple(step("1.1", StepState.TODO, id=f"10.{number}", label=f"Step {number}") for number in range(30))
    async with walking(fake_app(state.model_copy(update={"steps": many})), NARROW) as walk:
        for _ in range(5):
            await walk.press("j")
        assert "… ·10.3 ·10.4 ·10.5 ·10.6 ·10.7 …" in walk.lines[2]


@SIZES
async def test_foreign_text_is_shown_as_it_is_and_never_reaches_the_terminal(size: tuple[int, int]) -> None:
    hostile = failed_survey(message=HOSTILE, detail=ESCAPE, sql=f"SELECT '{HOSTILE}', '{ESCAPE}'", hint="[b]bold[/b]")
    steps = tuple(one.model_copy(update={"title": HOSTILE, "label": "[red]x", "does": ESCAPE}) for one in hostile.steps)
    async with walking(
        fake_app(hostile.model_copy(update={"steps": steps, "sentence": f"FAILED {HOSTILE}"})), size
    ) as walk:
        assert HOSTILE in walk.text
        assert "[b]bold[/b]" in walk.text
        assert r"\x1b[31mred" in walk.text
        for key in "123456":
            await walk.press(key)
            assert "\x1b" not in walk.text
        await walk.press("l", "escape", "ctrl+p")
        await walk.until(lambda: "Go to step" in walk.text or "Search" in walk.text)
        await walk.press("escape")


async def test_search_marks_and_counts_matches() -> None:
    async with walking(fake_app(survey()), WIDE) as walk:
        await walk.press("j", "2", "slash")
        await walk.type("column")
        await walk.press("enter")
        assert walk.state_line == 'match 1 of 3 for "column"; n next, N before'
        await walk.press("n")
        assert walk.state_line.startswith("match 2 of 3")
        await walk.press("N")
        assert walk.state_line.startswith("match 1 of 3")
        await walk.press("slash")
        await walk.type("no such words")
        await walk.press("enter")
        assert walk.state_line.startswith("no match for")


async def test_the_wizards_own_statements_are_folded_until_asked_for() -> None:
    async with walking(fake_app(survey()), WIDE) as walk:
        await walk.press("j", "2")
        assert "2 statements of the wizard's own (o shows them)" in walk.text
        assert "lock_timeout" not in walk.text
        await walk.press("o")
        assert "SET LOCAL lock_timeout" in walk.text


async def test_copying_the_sql_takes_all_of_it() -> None:
    async with walking(fake_app(survey()), WIDE) as walk:
        await walk.press("j", "2", "y")
        assert walk.state_line == "copied: the SQL of 1.1"
        assert walk.app.clipboard.startswith("BEGIN;")
        assert "ADD COLUMN rag_config" in walk.app.clipboard


async def test_the_clipboard_and_the_screen_never_hold_the_password() -> None:
    async with walking(
        fake_app(failed_survey(), dsn="postgresql://postgres:s3cret@db.abcd.supabase.co/postgres"), WIDE
    ) as walk:
        for key in ("y", "i"):
            await walk.press(key)
            assert "s3cret" not in walk.text + walk.app.clipboard
        await walk.press("escape")


async def test_without_a_target_the_screen_asks_and_takes_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGSERVICE", "PGHOST", "PGHOSTADDR", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    from wizard.launch import Launch
    from wizard.ui.screens.connect import Connect

    async with walking(WizardApp(Launch()), WIDE) as walk:
        assert isinstance(walk.app.screen, Connect)
        await walk.press("down", "enter")
        await walk.type("no_such_service")
        await walk.press("enter")
        await walk.until(lambda: "There is no service no_such_service" in walk.text)
        assert walk.board.exit_code == 2
