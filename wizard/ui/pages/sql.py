"""SQL as the stage lists it: highlighted, with the wizard's own statements folded to one line a group."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING

from textual.content import Content

from wizard.engine.parts.undone import ARCHIVE_ID, NAMED
from wizard.engine.state import StepState
from wizard.text import plural
from wizard.ui.text import clip, hanging, one_line, paragraph, stacked, visible

if TYPE_CHECKING:
    from wizard.engine.views import PartView, StatementView, StepView


def highlighted(sql: str) -> Content:
    """SQL in the theme's colours; its control characters made visible."""
    from textual.highlight import highlight  # pygments is needed only once SQL is looked at

    return highlight(visible(sql), language="postgresql", tab_size=4).rstrip()


def listing(statements: Iterable[StatementView], width: int, *, unfolded: bool, key: str = "o") -> Content:
    """The statements in the order they are sent; `key` unfolds the wizard's own."""
    blocks: list[Content] = []
    for ours, group in groupby(statements, key=lambda statement: statement.ours):
        members = list(group)
        if ours and not unfolded:
            blocks.append(_folded(members, width, key))
            continue
        for member in members:
            text = highlighted(_terminated(member.sql))
            blocks.append(text.stylize("dim") if ours else text)
    return Content("\n\n").join(blocks)


def _folded(members: list[StatementView], width: int, key: str) -> Content:
    words = ", ".join(" ".join(member.sql.split()[:2]).rstrip(";") for member in members)
    count = plural(len(members), "statement")
    return Content.styled(clip(f"▸ {count} of the wizard's own ({key} shows them): {words}", width), "$quiet")


def named(statements: Iterable[StatementView], width: int) -> list[Content]:
    """What stands in a rollback's text for values that only the archive has, if something does."""
    if not any(ARCHIVE_ID in one.sql for one in statements):
        return []
    return [*paragraph(f"{NAMED}.", width, style="$quiet"), Content("")]


def _terminated(sql: str) -> str:
    text = sql.strip()
    return text if text.endswith(";") else f"{text};"


def sql(step: StepView, width: int, *, unfolded: bool) -> Content:
    """Every statement that running the step sends."""
    if step.state is StepState.ADOPTED:
        return Content.styled("Everything was there already: nothing but the record of it was sent.", "$quiet")
    if not any(part.statements for part in step.parts):
        return Content.styled("This step sends no SQL of its own.", "$quiet")
    blocks: list[Content] = []
    for index, part in enumerate(step.parts, start=1):
        title = f"-- part {index} of {len(step.parts)}: {part.title}"
        blocks.append(stacked([Content.styled(clip(title, width), "bold $primary"), *_batch(part, width)]))
        blocks.append(listing(part.statements, width, unfolded=unfolded))
    return Content("\n\n").join(blocks)


def _batch(part: PartView, width: int) -> list[Content]:
    """That the statements below are sent again and again, and what differs each time."""
    if not part.in_batches:
        return []
    lines = paragraph(
        "-- one batch: sent many times, each time as a transaction of its own, until no row is left",
        width,
        style="$quiet",
    )
    for one in part.parameters:
        lines += hanging(one.what, width, f"--   {one_line(one.name)}  ", style="$quiet")
    return lines


def sql_text(step: StepView) -> str:
    """The step's SQL as text to copy, the wizard's own statements included."""
    return "\n\n".join(_terminated(statement.sql) for part in step.parts for statement in part.statements)


def excerpt(source: str, width: int, *, fault: tuple[int, int] | None, lines: int = 6) -> Content:
    """A few lines of a failed statement, with a caret under the fault.

    `fault` is the line, from 0, and the column, from 1, inside `source`; None when the server gave no position.
    """
    every = source.strip("\n").split("\n")
    first = 0 if fault is None else max(min(fault[0] - lines // 2, len(every) - lines), 0)
    shown = every[first : first + lines]
    # Highlighted as a whole: a line alone may begin inside a string.
    code = highlighted("\n".join(clip_line(line, width) for line in shown)).split("\n", allow_blank=True)
    rows: list[Content] = []
    for number, line in enumerate(code, start=first):
        rows.append(line)
        if fault is not None and number == fault[0] and 0 < fault[1] <= width:
            rows.append(Content.styled(" " * (fault[1] - 1) + "^", "bold $error"))
    if first + lines < len(every):
        rows.append(Content.styled("…", "$quiet"))
    return stacked(rows)


def clip_line(line: str, width: int) -> str:
    """A line of code cut to `width`, its indentation kept."""
    indent = len(line) - len(line.lstrip())
    return " " * indent + clip(line, max(width - indent, 4))
