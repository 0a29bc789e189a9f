"""The ladder of tries, without a server: how long, how often, and when a vacuum is waited for until it gives way."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from wizard.engine.parts.message import compose
from wizard.engine.parts.source import PartSettings, PartSource
from wizard.engine.sending.etiquette import LONGEST_PAUSE_S, Etiquette, Try, pause_before
from wizard.engine.session.blockers import Seen
from wizard.engine.views import Blocker

MESSAGE = compose(
    PartSource("2.1", 1, "deploy", "add columns", "d", ()), PartSettings("public", 700, 180000),
    session_id="s", rollout_id="r",
)  # fmt: skip


def blocker(kind: Any = "autovacuum") -> Blocker:
    return Blocker(
        pid=1, backend_start=None, kind=kind, user=None, application=None, state=None, state_s=None, query=None,
        holds="", may_be_ended=False,
    )  # fmt: skip


def timeouts(*tries: tuple[Blocker, ...], patience_s: float = 60.0) -> list[str]:
    """The lock_timeout of each try, when these were in the way of those before it."""
    seen = iter(tries)
    etiquette = Etiquette(patience_s, who=lambda: Seen(next(seen)), deadlock_timeout_ms=lambda: 1000)
    sent = []
    for _ in tries:
        sent.append(etiquette.next_try(MESSAGE))
        assert etiquette.let_go("55P03", "ALTER TABLE clones") is not None
    sent.append(etiquette.next_try(MESSAGE))
    return [line.sql.split("'")[1] for one in sent for line in one.lines if "lock_timeout" in line.sql]


def test_a_vacuum_alone_in_the_way_twice_gets_a_try_that_outlasts_the_deadlock_check() -> None:
    vacuum = (blocker(),)
    assert timeouts(vacuum, vacuum, vacuum, ()) == ["700ms", "700ms", "1250ms", "1250ms", "700ms"]


@pytest.mark.parametrize("other", ["wraparound autovacuum", "session", "prepared transaction"])
def test_nobody_else_is_ever_waited_for_longer(other: str) -> None:
    assert set(timeouts((blocker(other),), (blocker(), blocker(other)), (blocker(),), ())) == {"700ms"}


def test_where_a_vacuum_is_known_of_a_lock_is_waited_for_behind_which_nobody_queues() -> None:
    etiquette = Etiquette(60.0, deadlock_timeout_ms=lambda: 2000, vacuumed=("clones", "Odd"))
    lines = [line.sql for line in etiquette.next_try(MESSAGE).lines]
    first = lines.index("SET LOCAL lock_timeout = '2250ms'")
    assert lines[first + 1 : first + 3] == [
        'LOCK TABLE "clones", "Odd" IN SHARE UPDATE EXCLUSIVE MODE', "SET LOCAL lock_timeout = '700ms'",
    ]  # fmt: skip
    assert [*lines[:first], *lines[first + 2 :]] == [line.sql for line in MESSAGE.lines]


def test_only_the_time_changes_in_the_text_that_was_shown() -> None:
    etiquette = Etiquette(60.0, who=lambda: Seen((blocker(),)))
    for _ in range(2):
        assert etiquette.next_try(MESSAGE) is MESSAGE
        etiquette.let_go("55P03", "")
    changed = [
        (before.sql, after.sql)
        for before, after in zip(MESSAGE.lines, etiquette.next_try(MESSAGE).lines, strict=True)
        if before != after
    ]
    assert changed == [("SET LOCAL lock_timeout = '700ms'", "SET LOCAL lock_timeout = '1250ms'")]


def test_tries_that_are_long_anyway_are_never_made_shorter() -> None:
    told: list[Try] = []
    etiquette = Etiquette(60.0, lock_timeout_ms=5000, who=lambda: Seen((blocker(),)), told=told.append)
    for _ in range(3):
        etiquette.let_go("55P03", "")
    assert {one.next_timeout_ms for one in told} == {None}


def test_each_try_is_told_with_what_comes_next_and_the_bound_ends_them() -> None:
    told: list[Try] = []
    etiquette = Etiquette(60.0, who=lambda: Seen((blocker("session"),), ("clones",)), told=told.append)
    etiquette.next_try(MESSAGE)
    pause = etiquette.let_go("40P01", "ALTER TABLE clones")
    assert [(one.attempt, one.sqlstate, one.next_try_s, one.next_timeout_ms) for one in told] == [
        (1, "40P01", pause, None)
    ]
    assert Etiquette(0.0, told=told.append).let_go("55P03", "") is None
    assert etiquette.let_go("23505", "") is None, "no lock was missing"
    assert len(told) == 1
    assert etiquette.seen.tables == ("clones",)


def test_pauses_grow_up_to_a_bound_and_are_never_in_step() -> None:
    pauses = [[pause_before(attempt) for _ in range(200)] for attempt in (2, 3, 4, 5, 6, 40)]
    assert all(max(before) < max(after) for before, after in pairwise(pauses[:-1]))
    assert max(map(max, pauses)) <= LONGEST_PAUSE_S * 1.25
    assert all(len(set(some)) > 100 for some in pauses)
