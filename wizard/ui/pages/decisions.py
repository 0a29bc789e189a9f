"""Decisions: the question that is open, those of a step, and what holds now. The answers are a list of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from wizard.ui.board import Board
from wizard.ui.page import Page
from wizard.ui.text import hanging, paragraph

if TYPE_CHECKING:
    from wizard.engine.views import StepView
    from wizard.rollout.model import Decision, Option

HOW = "tab goes to the answers; up and down choose, enter answers."


def to_answer(board: Board, step: StepView | None, tab: str) -> tuple[Decision, ...]:
    """The questions whose answers are listed below what the stage shows."""
    if tab == "0" and board.page is Page.DECISION:
        return board.open_decisions[:1]
    if tab == "6" and step is not None and can_be_changed(board):
        return step.decisions
    return ()


def can_be_changed(board: Board) -> bool:
    """Once a rollout began, its registry holds the answers. A dry run that cannot be left looks again with another."""
    free = board.dry_run is None or board.launch.dry_run
    return board.survey is not None and not board.survey.begun and not board.busy and free


def open_question(board: Board, width: int) -> list[Content]:
    """The first question without an answer and without a safe default."""
    decision = next(iter(board.open_decisions), None)
    if decision is None:
        return []
    count = len(board.open_decisions)
    more = f" ({count} questions are open)" if count > 1 else ""
    return [
        Content.styled(f"For step {decision.step}, {decision.name}{more}", "$quiet"),
        *paragraph(decision.question, width, style="bold"),
        *paragraph(f"No answer is safe to assume: {HOW}", width, style="$quiet"),
    ]


def of_step(board: Board, step: StepView, width: int) -> list[Content]:
    """The decisions of a step; with their options where these are not listed as answers."""
    lines: list[Content] = []
    for decision in step.decisions:
        given = board.given(decision)
        lines += paragraph(decision.question, width, style="bold")
        if can_be_changed(board):
            lines += paragraph(f"{_holds(decision, given)}: {HOW}", width, style="$quiet")
        else:
            lines += [line for option in decision.options for line in _option(option, given, width)]
        lines.append(Content(""))
    return lines


def _holds(decision: Decision, given: str | None) -> str:
    if given is None:
        return f"{decision.name} has no answer yet"
    by = "by default" if given == decision.default else "your answer"
    return f"{decision.name} is {given} ({by}) until the first step has run"


def _option(option: Option, given: str | None, width: int) -> list[Content]:
    taken = option.value == given
    text = f"{option.value}: {option.text}"
    return hanging(text, width, "  ▪ " if taken else "  · ", style="" if taken else "$quiet")
