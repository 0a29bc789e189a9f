"""Who is in the way, as words: what is printed without a screen, and what never is."""

from __future__ import annotations

from typing import Any

import pytest

from wizard.console.progress import Lines
from wizard.engine.events import BlockersSeen
from wizard.engine.session.blockers import blocker_words, mode_words
from wizard.engine.views import Blocker
from wizard.rollout.load import load_rollout


def blocker(**changes: Any) -> Blocker:
    fields: dict[str, Any] = {
        "pid": 4121, "backend_start": None, "kind": "session", "user": "app_user", "application": "psql",
        "state": "idle in transaction", "state_s": 192.0, "transaction_s": 7384.0, "query": "select secret",
        "holds": "ROW SHARE on clones", "may_be_ended": True,
    }  # fmt: skip
    return Blocker(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "pid 4121, user app_user, application psql, idle in transaction for 3:12, transaction 2:03:04 old, holds "
             "ROW SHARE on clones"),
        ({"state": None, "state_s": None, "transaction_s": None, "holds": ""},
         "pid 4121, user app_user, application psql, state not visible to this role"),
        ({"application": "", "holds": "waits before us for SHARE on clones", "transaction_s": None},
         "pid 4121, user app_user, application without a name, idle in transaction for 3:12, waits before us for SHARE "
         "on clones"),
        ({"kind": "wraparound autovacuum", "user": None, "state": "active", "transaction_s": None},
         "pid 4121, wraparound autovacuum, active for 3:12, holds ROW SHARE on clones"),
        ({"kind": "prepared transaction", "pid": 0, "gid": "x\n\x1b", "state": "prepared", "transaction_s": None},
         'prepared transaction "x\\x1b", user app_user, prepared for 3:12, holds ROW SHARE on clones'),
    ],
)  # fmt: skip
def test_each_kind_has_its_words(changes: dict[str, Any], words: str) -> None:
    assert blocker_words(blocker(**changes)).replace("x \\x1b", "x\\x1b") == words


def test_modes_are_named_as_in_statements() -> None:
    assert [mode_words(f"{name}Lock") for name in ("AccessShare", "ShareRowExclusive", "SIRead")] == [
        "ACCESS SHARE", "SHARE ROW EXCLUSIVE", "SIReadLock",
    ]  # fmt: skip


def test_without_a_screen_they_are_printed_when_they_change_and_never_what_they_run() -> None:
    lines = Lines(load_rollout())

    def told(*blockers: Blocker) -> list[str]:
        event = BlockersSeen(step="2.1", part=1, waits_for="a lock", waited_s=1, queued=True, blockers=blockers)
        return lines.of(event)

    first = told(blocker())
    assert first == [f"    in the way: {blocker_words(blocker())}"]
    assert told(blocker(state_s=193.0)) == []
    assert len(told(blocker(), blocker(pid=7))) == 2
    assert told() == []
    assert told(blocker()) == first
    assert "secret" not in str(first)
