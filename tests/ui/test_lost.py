"""The connection stays away in the middle of a run: the screen says that it does not know, and asks again."""

from __future__ import annotations

import pytest
from psycopg import sql

from tests.support.blocking import holding
from tests.support.cluster import Cluster
from tests.support.database import Database
from tests.ui.conftest import NARROW, WIDE, Open
from wizard.demo.server import SUPERUSER
from wizard.engine.session import sitting
from wizard.ui.app import farewell
from wizard.ui.board import UNREAD, Page

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
