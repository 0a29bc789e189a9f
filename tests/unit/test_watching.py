"""Who is told between two tries, without a server: those in the way of the last one, not those who came after it."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest

from wizard.db.connect import Connection
from wizard.engine.session import watching
from wizard.engine.session.blockers import Seen
from wizard.engine.session.watching import Watch
from wizard.engine.views import Blocker

SLOW_S = 0.05


def session(pid: int, transaction_s: float) -> Blocker:
    return Blocker(
        pid=pid, backend_start=None, kind="session", user=None, application=None, state=None, state_s=None,
        transaction_s=transaction_s, query=None, holds="", may_be_ended=False,
    )  # fmt: skip


@pytest.mark.parametrize("slow", ["wanted_locks", "find_blockers"])
def test_who_began_right_behind_the_try_is_not_told_however_slow_the_look_is(
    monkeypatch: pytest.MonkeyPatch, slow: str
) -> None:
    watch = Watch("2.1", 1, 4711, "public", {"clones": "ACCESS EXCLUSIVE"})
    watch.next_try()
    began = time.monotonic()

    def locks(*_: Any) -> tuple[()]:
        time.sleep(SLOW_S if slow == "wanted_locks" else 0)
        return ()

    def blockers(*_: Any) -> Seen:
        """One is older than the try, the other began behind it. Their ages are those when the server answers."""
        time.sleep(SLOW_S if slow == "find_blockers" else 0)
        age = time.monotonic() - began
        return Seen((session(1, age + 10.0), session(2, age - 0.001)), ("clones",))

    monkeypatch.setattr(watching, "wanted_locks", locks)
    monkeypatch.setattr(watching, "find_blockers", blockers)

    assert [one.pid for one in watch.look(cast(Connection, None)).blockers] == [1]
