"""Who is in the way of the part under way, as lines: for the Now region, and for the card that w opens."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from textual.content import Content

from wizard.engine.session.blockers import NOT_VISIBLE
from wizard.text import clock
from wizard.ui.text import Field, clip, fields, foreign, hanging, one_line, spread

if TYPE_CHECKING:
    from wizard.engine.views import Blocker
    from wizard.ui.board import Board
    from wizard.ui.live import Live

NARROW = 78
"""Below this width the region has four lines instead of seven."""


def waiting(board: Board, live: Live, width: int) -> list[Content]:
    """What waits, for whom, what they hold, and what comes next."""
    narrow = width < NARROW
    lines = [Content.styled(clip(live.sql or live.part_title or live.title, width), "$quiet" if narrow else "bold")]
    lines += _first(live, width, narrow=narrow)
    rest = Content(clip(_next(board, live, narrow=narrow), width))
    if narrow:
        return [*lines, spread(rest, Content("w Who blocks"), width) if live.blockers else rest]
    return [*lines, *[Content("")] * (len(lines) < 5), rest]


def _first(live: Live, width: int, *, narrow: bool) -> list[Content]:
    """How many they are, and the one with the oldest transaction."""
    if not live.blockers:
        return [Content.styled("waits for a lock; who holds it is not known yet", "$warning")]
    one, count = live.blockers[0], len(live.blockers)
    label = f"waits for{f' {count}, first' if count > 1 else ''} "
    last = f"last: {statement(one)}" if one.kind == "session" else ""
    head = Content.assemble((label, "$warning"), clip(short(one), width - len(label)))
    if narrow:
        return [head, Content(clip("; ".join(filter(None, (held(one), last))), width))]
    return [head, *(Content(" " * 10 + clip(text, width - 10)) for text in (held(one), last) if text)]


def _next(board: Board, live: Live, *, narrow: bool) -> str:
    """Whether anything is held or queued now, and what comes next."""
    end = f"at {clock(live.patience_s)} {'asks you' if narrow else 'it stops and asks you'}" if live.patience_s else ""
    if live.queued:
        rest = (
            "queued for it now; this try lets go by itself" if live.patience_s else "waits for them as long as it takes"
        )
        return "; ".join(filter(None, (rest, end)))
    left = (live.next_try_at - board.clock()).total_seconds() if live.next_try_at else 0.0
    if left <= 0:
        return "; ".join(filter(None, ("trying again now", end)))
    longer = f", for {live.next_timeout_ms / 1000:g} s, so that a vacuum gives way" if live.next_timeout_ms else ""
    none = "no lock held or queued" if narrow else "no lock held or queued now"
    return f"{none}; next try in {ceil(left)} s{longer}; {end}"


def short(one: Blocker) -> str:
    """`pid 4121, app_user, psql, idle in transaction 3:12`."""
    if one.kind == "prepared transaction":
        return one_line(f'prepared transaction "{one.gid}", {one.user}, {clock(one.state_s or 0)}')
    parts = [f"pid {one.pid}", one.user, one.application] if one.kind == "session" else [f"pid {one.pid}", one.kind]
    return one_line(", ".join(filter(None, [*parts, state(one)])))


def state(one: Blocker) -> str:
    """`idle in transaction 3:12`."""
    if one.state is None:
        return "" if one.kind != "session" else f"state {NOT_VISIBLE}"
    return f"{one.state} {clock(one.state_s)}" if one.state_s is not None else one.state


def held(one: Blocker) -> str:
    """`holds ROW SHARE on clones`."""
    if not one.holds:
        return ""
    return one.holds if one.holds.startswith("waits") else f"holds {one.holds}"


def statement(one: Blocker) -> str:
    """Its last statement without its values."""
    return NOT_VISIBLE if one.query is None else one.query or "none"


def details(one: Blocker, width: int) -> list[Content]:
    """Everything about one of them, for the card."""
    age = "" if one.transaction_s is None else f"{clock(one.transaction_s)} old"
    rows: list[Field] = [
        ("User", one.user or NOT_VISIBLE),
        ("Application", one.application or "without a name"),
        ("State", state(one) or one.kind),
        ("Transaction", age or NOT_VISIBLE),
        ("Holds", one.holds or "the server does not say"),
        ("Last", foreign(one_line(clip(statement(one), 3 * (width - 14))))),
    ]
    if one.kind == "prepared transaction":
        rows = [("Name", one.gid), ("User", one.user or NOT_VISIBLE), ("Prepared", age), ("Holds", one.holds)]
    elif one.kind != "session":
        rows = [("What", one.kind), ("Holds", one.holds or "the server does not say")]
    lines = fields(rows, width, 14)
    if one.why_not:
        lines += hanging(one.why_not, width, "Left alone    ", style="$warning")
    return lines


def named(one: Blocker) -> str:
    """Whom a question is about: pid, user, application, state and age."""
    age = "" if one.transaction_s is None else f", its transaction {clock(one.transaction_s)} old"
    user, application = one.user or NOT_VISIBLE, one.application or "without a name"
    return one_line(f"pid {one.pid}, user {user}, application {application}, {state(one)}{age}")
