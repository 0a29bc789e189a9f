"""Which page the stage shows: its heading, its tabs, its text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from wizard.ui.board import Board
from wizard.ui.page import Page
from wizard.ui.pages import states
from wizard.ui.pages import step as step_pages
from wizard.ui.pages.sql import sql
from wizard.ui.pages.types import types_page
from wizard.ui.pages.words import rows_of
from wizard.ui.text import clip, one_line

if TYPE_CHECKING:
    from wizard.engine.views import StepView


CORNERS = 8
"""Cells of the upper border that are neither its title nor what stands at its right end."""
LEAST_REASON = 24
"""Beside the strategy its reason is told only if so much of it fits."""


def heading(board: Board, step: StepView | None, tab: str, width: int, *, narrow: bool) -> tuple[str, str]:
    """Left and right end of the upper border, which is `width` cells wide."""
    if tab == "0" and board.page is not Page.NONE:
        return states.title(board, board.page), board.page.value.lower() if board.page in {
            Page.FAILED,
            Page.CONFLICT,
        } else ""
    if step is None:
        return board.name, ""
    title = f"{step.id}  {one_line(step.title)}"
    room = width - cell_len(title) - CORNERS
    word = step.strategy.split(":")[0]
    if narrow or room < min(len(word) + LEAST_REASON, cell_len(step.strategy)):
        return title, word
    sizes = f" · {step.sizes[0].table} {rows_of(step.sizes[0])}" if step.sizes else ""
    told = sizes and (" rows" in step.strategy or cell_len(step.strategy + sizes) > room)
    return title, _whole_words(step.strategy if told else step.strategy + sizes, room)


def _whole_words(text: str, room: int) -> str:
    """`text` cut between two words: half a number would be another one."""
    line = one_line(text)
    if cell_len(line) <= room:
        return line
    return f"{clip(line, room).rpartition(' ')[0]} …"


def tabs(board: Board, step: StepView | None, names: Mapping[str, str], *, narrow: bool) -> tuple[tuple[str, str], ...]:
    """(key, words) of the tabs; the state page comes first while there is one."""
    page = board.page
    state = (("0", page.value),) if page is not Page.NONE else ()
    if step is None:
        return state
    shown = dict(names)
    word = "Deviat." if narrow else shown["6"]
    shown["6"] = f"{word} ({len(step.deviations)})" if step.deviations else word
    return (*state, *shown.items())


def text(board: Board, step: StepView | None, tab: str, width: int, *, unfolded: bool) -> Content:
    """The text of the chosen tab."""
    if tab == "0" and board.page is not Page.NONE:
        return states.page(board, board.page, step.id if step else "", width)
    if step is None:
        return Content("")
    if tab == "2" and step.types and board.types is not None:
        return types_page(board.types, width)
    if tab == "2":
        return sql(step, width, unfolded=unfolded)
    if tab == "4":
        return step_pages.rollback(step, width, unfolded=unfolded)
    return _TEXTS.get(tab, step_pages.about)(board, step, width)


_TEXTS: dict[str, Callable[[Board, StepView, int], Content]] = {
    "1": step_pages.about,
    "3": step_pages.locks,
    "5": step_pages.checks,
    "6": step_pages.deviations,
}
