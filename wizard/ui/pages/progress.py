"""How far the part under way is: the bar and the numbers of a backfill, of an index build, of a validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from wizard.text import bar
from wizard.ui.text import clip, one_line

if TYPE_CHECKING:
    from wizard.engine.events import BackfillProgressed, IndexProgressed

NARROW = 78
"""Below this width there are four lines in all."""


def backfill_lines(backfill: BackfillProgressed, width: int, *, resting: bool) -> list[Content]:
    """Bar, rows, rate, pace and why it goes slower than asked, the most important first."""
    from wizard.engine import progress as pace

    rows = pace.doing_words(backfill) if backfill.phase == "counting" else pace.rows_words(backfill)
    rate = "" if resting else pace.rate_words(backfill)
    numbers = " · ".join(filter(None, (rows, rate, pace.doing_words(backfill) if backfill.phase == "sweeping" else "")))
    lines = [_bar(backfill.rows, backfill.total, width), Content(clip(numbers, width)), _pace(backfill, width)]
    if backfill.slowed:
        lines.append(Content.styled(clip(f"slowed down: {backfill.slowed}", width), "$warning"))
    return lines


def _pace(backfill: BackfillProgressed, width: int) -> Content:
    """Batch size and delay, each with the keys that change it."""
    from wizard.engine import progress as pace

    line = Content.assemble(
        pace.batch_words(backfill), ("  + -", "bold $primary"), "     ",
        pace.delay_words(backfill), ("  < >", "bold $primary"),
    )  # fmt: skip
    return line.truncate(width, ellipsis=True)


def index_lines(index: IndexProgressed, width: int) -> list[Content]:
    """The server's own word for what it does, and how far it is where it counts."""
    from wizard.engine import progress as pace

    words = Content(clip(one_line(pace.index_words(index)), width))
    return [_bar(index.done, index.total, width), words] if index.total else [words]


def _bar(done: int, total: int | None, width: int) -> Content:
    from wizard.engine.progress import percent

    share = percent(done, total)
    words = "      " if share is None else f" {share:>3} %"
    filled, left = bar(done, total or 0, max(width - len(words), 4))
    return Content.assemble((filled, "$primary"), (left, "$frame"), words)
