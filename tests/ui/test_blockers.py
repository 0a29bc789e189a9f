"""Who blocks, on the screen: named while a real engine waits, listed by w, ended only after a question."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.blocking import eventually, holding
from tests.support.database import Database
from tests.ui.conftest import NARROW, SIZES, SIZES_OF_A_WALK, Open, Walk, walking
from tests.ui.fake import COMMITTED, ESCAPE, HOSTILE, NOON, fake_app, survey
from wizard.demo.server import SUPERUSER
from wizard.engine.events import BlockersSeen, LockWaited, PartStarted, StepStarted
from wizard.engine.views import Blocker
from wizard.ui.page import Page
from wizard.ui.screens.blockers import WhoBlocks
from wizard.ui.screens.confirm import YesNo
from wizard.ui.trouble import Activity

READS = "select * from clones where name = 'secret-name'"


async def question(walk: Walk, key: str) -> None:
    await walk.pilot.press(key)
    await walk.until(lambda: isinstance(walk.app.screen, YesNo), "a question")


@pytest.mark.slow
@SIZES_OF_A_WALK
async def test_a_blocker_is_named_listed_and_ended_only_after_yes(
    open_screen: Open, database: Database, size: tuple[int, int]
) -> None:
    with holding(database, READS) as idle, holding(database, READS, user=SUPERUSER, application="ours") as superuser:
        pid, other = idle.info.backend_pid, superuser.info.backend_pid
        async with open_screen(size, lock_timeout_ms=50) as walk:
            await walk.press("w")
            assert walk.state_line == "w does nothing now: nobody blocks"
            now = f"waits for 2, first pid {pid}, postgres, nightly report, idle"
            await walk.pilot.press("a")
            await walk.until(lambda: now in walk.words_in("#now"), now)
            waits = "WAITING for a lock on clones, 0:0"
            await walk.until(lambda: walk.state_line.startswith(waits), waits)
            assert "last: select * from clones where name = $1" in walk.words_in("#now")
            await walk.until(lambda: "w Who blocks" in walk.text, "the footer offers w")
            await walk.pilot.press("w")
            await walk.until(lambda: isinstance(walk.app.screen, WhoBlocks))
            await walk.until(lambda: "Holds         ACCESS SHARE on clones" in walk.text, "the card is drawn")
            await walk.pilot.press("c")
            await walk.until(lambda: f"c does nothing now: pid {pid} is idle" in walk.text, "c says why")
            await question(walk, "t")
            assert isinstance(walk.app.screen, YesNo)
            words = " ".join(walk.app.screen._text.plain.split())
            assert f"End the connection of pid {pid}, user postgres, application nightly report, idle in" in words
            await walk.pilot.press("enter")
            await walk.until(lambda: isinstance(walk.app.screen, WhoBlocks), "No is the default")
            assert idle.execute("select 1").fetchone() == (1,)
            await question(walk, "t")
            await walk.pilot.press("y")
            await walk.until(lambda: f"ended the connection of pid {pid}" in walk.text)
            await walk.until(lambda: f"pid {other}, " in walk.text and f"  pid {pid}, " not in walk.text, "one is left")
            await walk.pilot.press("t")
            await walk.until(lambda: "t does nothing now: this role may not signal a superuser" in walk.text)
            superuser.rollback()
            await walk.until(lambda: walk.board.page is Page.FINISHED, "the run goes on")
            assert "Nobody is in the way any more." in walk.text
            assert "t  end its connection" not in walk.text
            await walk.press("escape")
            assert "secret" not in walk.text
    gone = "select 1 from pg_stat_activity where pid = %s"
    eventually(lambda: not database.query(gone, [pid]), "it is gone")


ONE = Blocker(
    pid=4121, backend_start=NOON, kind="session", user="app_user", application=HOSTILE, state="idle in transaction",
    state_s=192.0, transaction_s=200.0, query=ESCAPE, holds="ROW SHARE on clones", may_be_ended=True,
)  # fmt: skip


def waiting(walk: Walk, *blockers: Blocker, queued: bool = False) -> None:
    """2.1 has waited for 14 of 120 seconds; these are in its way."""
    board = walk.board
    board.began(Activity.RUNNING)
    about = {"step": "2.1", "part": 1, "at": NOON}
    board.heard(StepStarted(step="2.1", title="Clones", first=1, doing="RUNNING 2.1", committed=COMMITTED, at=NOON))
    board.heard(PartStarted(**about, parts=1, title="add columns", sql="ALTER TABLE clones"))
    board.heard(
        LockWaited(
            **about, attempt=4, sqlstate="55P03", waited_s=14.0, patience_s=120.0, next_try_s=2.0,
            waits_for="a lock on clones", sql="ALTER TABLE clones ADD COLUMN rag_enabled boolean",
        )
    )  # fmt: skip
    board.heard(
        BlockersSeen(**about, waits_for="a lock on clones", waited_s=14.0, queued=queued, blockers=blockers)
    )  # fmt: skip
    walk.app.main.follow()
    walk.app.main.draw()


@SIZES
async def test_the_waiting_state_says_what_is_held_and_what_comes_next(size: tuple[int, int]) -> None:
    async with walking(fake_app(survey(7)), size) as walk:
        waiting(walk, ONE)
        await walk.until(lambda: "next try in 2 s" in walk.text)
        begin = "WAITING for a lock on clones, 0:14 of 2:00 (try 4). "
        assert walk.state_line.startswith(begin)
        now = walk.words_in("#now")
        assert f"waits for pid 4121, app_user, {HOSTILE}, idle in transaction 3:12" in now
        assert "holds ROW SHARE on clones" in now
        assert r"last: \x1b[31mred" in now
        assert "at 2:00" in now and "asks you" in now
        assert "\x1b" not in walk.text
        waiting(walk, ONE, queued=True)
        await walk.until(lambda: "queued for it now; this try lets go by itself" in walk.words_in("#now"))
        assert "no lock held or queued" not in walk.text
        waiting(walk)
        await walk.until(lambda: walk.state_line.startswith("RUNNING 2.1"), "nobody is in the way any more")
        walk.board.ended(survey(7), (), None)


async def test_what_a_role_may_not_see_is_said_and_never_guessed() -> None:
    hidden = ONE.model_copy(
        update={"state": None, "state_s": None, "transaction_s": None, "query": None, "backend_start": None,
                "may_be_ended": False, "why_not": "this role may not signal it"}
    )  # fmt: skip
    async with walking(fake_app(survey(7)), NARROW) as walk:
        waiting(walk, hidden)
        await walk.until(lambda: "last: not visible to this role" in walk.words_in("#now"))
        assert f"app_user, {HOSTILE}, state not visible" in walk.words_in("#now")
        await walk.pilot.press("w")
        await walk.until(lambda: "Last          not visible to this role" in walk.text)
        await walk.pilot.press("t")
        await walk.until(lambda: "t does nothing now: this role may not signal it" in walk.text)
        assert isinstance(walk.app.screen, WhoBlocks)
        walk.board.ended(survey(7), (), None)


async def test_the_highlight_stays_on_whom_it_was_when_the_list_changes() -> None:
    async with walking(fake_app(survey(7)), NARROW) as walk:
        waiting(walk, ONE, replace_pid(7))
        await walk.pilot.press("w")
        await walk.until(lambda: isinstance(walk.app.screen, WhoBlocks) and "pid 7, " in walk.text)
        card = walk.app.screen
        assert isinstance(card, WhoBlocks)
        await walk.pilot.press("down")
        assert card.chosen is not None
        assert card.chosen.pid == 7
        waiting(walk, replace_pid(9), replace_pid(7), ONE)
        card.draw()
        assert card.chosen.pid == 7
        waiting(walk, replace_pid(9))
        card.draw()
        assert card.chosen.pid == 9
        walk.board.ended(survey(7), (), None)


def replace_pid(pid: int) -> Blocker:
    return ONE.model_copy(update={"pid": pid})


@pytest.mark.parametrize("seconds", [5, 0])
def test_the_time_waited_goes_on_between_two_reports(seconds: int) -> None:
    from wizard.ui.live import Live

    live = Live("2.1", "Clones", 1, "deploy", "RUNNING 2.1", 1, COMMITTED, began=NOON, waited_s=14.0, told=NOON)
    assert replace(live).waited(NOON.replace(second=NOON.second + seconds)) == 14 + seconds
