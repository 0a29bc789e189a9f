"""The connection stays away in the middle of a run: the screen says that it does not know, and asks again."""

from __future__ import annotations

import pytest
from psycopg import sql

from tests.support.blocking import holding
from tests.support.cluster import Cluster
from tests.support.database import Database
from tests.ui.conftest import NARROW, WIDE, Open, walking
from tests.ui.fake import FakeEngine, begun, fake_app, online_survey
from wizard.demo.server import SUPERUSER
from wizard.engine import sitting
from wizard.engine.events import BlockersSeen, ConnectionLost, PartCommitted, Reconnected
from wizard.ui.app import farewell
from wizard.ui.board import UNREAD
from wizard.ui.page import Page
from wizard.ui.pages.parts import part_state

LOST = "CONNECTION LOST. Asking the database what was committed"
READS = "select * from clones where name = 'nobody'"
END = (
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'rag-wizard%%' and datname = %s"
)


def admit(cluster: Cluster, database: Database, *, anybody: bool) -> None:
    """Whether the database takes new connections; if not, the wizard's are ended too."""
    allow = sql.SQL("alter database {} with allow_connections {}")
    cluster.admin.execute(allow.format(sql.Identifier(database.name), sql.Literal(anybody)), user=SUPERUSER)
    if not anybody:
        cluster.admin.query(END, [database.name], user=SUPERUSER)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x36", "80x24"])
async def test_a_connection_that_stays_lost_leaves_no_state_of_before(
    open_screen: Open, database: Database, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setattr(sitting, "RECONNECT_PATIENCE_S", 0.2)
    with holding(database, READS) as reader:
        async with open_screen(size, lock_timeout_ms=50) as walk:
            await walk.pilot.press("a")
            await walk.until(lambda: walk.states()["2.1"] == "waiting", "2.1 waits for the reader")
            admit(cluster, database, anybody=False)
            await walk.settle()

            assert walk.board.page is Page.TROUBLE, walk.text
            assert UNREAD in walk.page
            assert "r ask the database again" in walk.page
            assert (walk.states()["1.6"], walk.states()["2.1"]) == ("done", "unknown")
            assert walk.board.exit_code == 4
            assert UNREAD in farewell(walk.board)
            assert "Nothing was changed" not in walk.text
            for key in ("enter", "a", "b", "v"):
                await walk.press(key)
                assert "the database gave no answer; r asks it again" in walk.state_line, key
            await walk.press("r")
            assert walk.board.page is Page.TROUBLE
            assert UNREAD in walk.page, "it still does not answer"

            admit(cluster, database, anybody=True)
            reader.rollback()
            await walk.press("r")
            assert (walk.states()["1.6"], walk.states()["2.1"]) == ("done", "to do"), walk.text
            assert UNREAD not in "".join(farewell(walk.board))
            await walk.press("a")
            assert walk.board.page is Page.FINISHED
            assert walk.board.exit_code == 0


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x36", "80x24"])
async def test_while_the_connection_is_sought_again_the_screen_says_so(
    open_screen: Open, database: Database, cluster: Cluster, size: tuple[int, int]
) -> None:
    with holding(database, READS) as reader:
        async with open_screen(size, lock_timeout_ms=50) as walk:
            await walk.pilot.press("a")
            await walk.until(lambda: walk.states()["2.1"] == "waiting", "2.1 waits for the reader")
            admit(cluster, database, anybody=False)
            await walk.until(lambda: LOST in walk.state_line, "it says that the connection is lost")
            assert walk.board.busy
            await walk.until(lambda: "connecting again, try" in walk.words_in("#now"), "what it does about it")
            assert (walk.states()["1.6"], walk.states()["2.1"]) == ("done", "unknown")
            assert "~ 2.1" in walk.text if size == WIDE else "~2.1" in walk.text
            assert "WAITING" not in walk.text
            assert [line.outcome for line in walk.board.log].count("lost") == 1

            admit(cluster, database, anybody=True)
            reader.rollback()
            await walk.settle()
            assert walk.board.page is Page.FINISHED, walk.text
            assert "connected" in [line.outcome for line in walk.board.log]


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x36", "80x24"])
async def test_a_part_under_way_when_the_connection_went_is_unknown_until_it_is_back(size: tuple[int, int]) -> None:
    script = [*begun("2.1", 4, 5, "idx_clones_rag_status"), ConnectionLost(attempt=1, patience_s=60, next_try_s=0.4)]
    async with walking(fake_app(online_survey(), production=False, script=script), size) as walk:
        await walk.pilot.press("a")
        await walk.until(lambda: walk.state_line == LOST, "the State line says it")
        await walk.until(lambda: "connecting again, try 1; after 1:00" in walk.words_in("#now"), "so does Now")
        step = walk.board.step("2.1")
        assert step is not None
        words = [part_state(walk.board, step, index, part).word for index, part in enumerate(step.parts, start=1)]
        assert words == ["done", "done", "done", "unknown", "to do"]
        assert "not known before the database answers" in walk.page
        fake = walk.app.desk.engine
        assert isinstance(fake, FakeEngine)
        for event in (
            ConnectionLost(attempt=2, patience_s=60, next_try_s=0.8),
            BlockersSeen(step="2.1", part=4, waited_s=1.0, waits_for="", queued=False, blockers=()),
        ):
            fake.tell(event)
        await walk.until(lambda: "try 2" in walk.words_in("#now"), "each try is told")
        assert walk.state_line == LOST, "what another session saw does not end it"
        await walk.pilot.press("ctrl+c")
        await walk.until(lambda: "Stop seeking the connection?" in walk.text, "it asks about what it does")
        assert "is rolled back" not in walk.text
        await walk.pilot.press("n")
        fake.tell(Reconnected(sentence="Steps 0 to 1.6 are committed"))
        await walk.until(lambda: walk.state_line.startswith("RUNNING 2.1 part 4 of 5"), "it goes on")
        await walk.pilot.press("ctrl+c")
        await walk.until(lambda: "2.1 part 4 is rolled back" in walk.text, "of the part")
        await walk.pilot.press("n")
        fake.tell(PartCommitted(step="2.1", part=4, parts=5, seconds=0.1))
        await walk.until(lambda: walk.board.live is not None and walk.board.live.committed, "its checks come next")
        await walk.pilot.press("ctrl+c")
        await walk.until(lambda: "No part is on its way" in walk.text, "of a look")
        await walk.pilot.press("n")
        assert walk.states()["2.1"] == "running"
