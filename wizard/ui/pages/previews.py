"""What a step wants to be seen before it runs, as a table on its page. The cells are the database's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from wizard.text import plural
from wizard.ui.pages.words import heading
from wizard.ui.text import clip, cut, paragraph

if TYPE_CHECKING:
    from wizard.engine.views import PreviewTable, StepView
    from wizard.ui.board import Board

BETWEEN = 2
"""Cells between two columns."""
GAP = Content("")


FIRST_ROWS = 8
"""So many rows stand among the fields of the page, where they are seen; all of them stand below, if there are more."""


def lines(board: Board, step: StepView, width: int) -> tuple[list[Content], list[Content]]:
    """The first rows of each preview, and all rows of the long ones, while the step is not complete."""
    if not step.previews or board.state(step).is_complete:
        return [], []
    preview = board.previews.get(step.id)
    if preview is None or preview.at is None:
        titles = [clip(title, width - 16) for _, title in step.previews]
        return [Content(""), *(Content.assemble(heading(one), ("  counting ...", "$quiet")) for one in titles), GAP], []
    if preview.untold:
        return [Content(""), *paragraph(f"Not counted: {preview.untold}", width, style="$warning"), GAP], []
    first: list[Content] = []
    rest: list[Content] = []
    for table in preview.tables:
        at = f"  counted at {preview.at:%H:%M:%S} UTC"
        head = Content.assemble(heading(clip(table.title, width - len(at))), (at, "$quiet"))
        first += [Content(""), head, *_table(table, width, FIRST_ROWS)]
        if len(table.rows) > FIRST_ROWS:
            rest += [Content(""), head, *_table(table, width, len(table.rows))]
    return [*first, GAP], rest


def _table(table: PreviewTable, width: int, most: int) -> list[Content]:
    if table.untold:
        return paragraph(table.untold, width, indent="  ", style="$warning")
    if not table.rows:
        return [Content.styled("  no row", "$quiet")]
    cells = [[cell or "" for cell in row] for row in table.rows]
    widths = _widths([list(table.columns), *cells], width - 2)
    numbers = [all(_is_number(row[at]) for row in cells) for at in range(len(table.columns))]
    drawn = [_line(table.columns, widths, numbers, width, "$quiet")]
    drawn += [_line(row, widths, numbers, width, "") for row in cells[:most]]
    if left := len(cells[most:]) + table.more:
        where = ", at the end of this page" if cells[most:] else ""
        drawn.append(Content.styled(f"  and {plural(left, 'more row')}{where}", "$quiet"))
    return drawn


def _widths(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Each column as wide as its widest cell; the last has what is left, the widest of the others give way to it."""
    widths = [max(cell_len(row[at]) for row in rows) for at in range(len(rows[0]))]
    least = min(widths[-1], width // 3)
    while len(widths) > 1 and sum(widths[:-1]) + BETWEEN * (len(widths) - 1) + least > width and max(widths[:-1]) > 6:
        widths[widths.index(max(widths[:-1]))] -= 1
    return widths


def _line(row: Sequence[str], widths: Sequence[int], numbers: Sequence[bool], width: int, style: str) -> Content:
    """One row; numbers stand at the right of their column, as the eye compares them."""
    cells = [
        cut(cell, size).rjust(size) if number else set_cell_size(cut(cell, size), size)
        for cell, size, number in zip(row[:-1], widths, numbers, strict=False)
    ]
    line = (" " * BETWEEN).join([*cells, cut(row[-1], width)])
    return Content.styled(f"  {line}", style).truncate(width, ellipsis=True).rstrip()


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").isdecimal()
