"""The answers to decisions, listed on the stage. Asking the engine again with an answer is the app's work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from wizard.ui.text import foreign

if TYPE_CHECKING:
    from wizard.rollout.model import Decision


class Answers(OptionList):
    """The answers to one decision or several, one option each; Enter on one gives it. Hidden while nothing is asked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="answers")
        self._shown: tuple[tuple[str, str | None], ...] = ()
        self._answers: list[tuple[str, str] | None] = []
        self.display = False

    def show(self, decisions: Sequence[Decision], given: Callable[[Decision], str | None]) -> None:
        """List the answers to these decisions, the one that holds now marked; nothing when there are none."""
        wanted = tuple((decision.question, given(decision)) for decision in decisions)
        if wanted == self._shown:
            return
        self._shown = wanted
        self.clear_options()
        self._answers = []
        for decision in decisions:
            self._list(decision, given(decision), named=len(decisions) > 1)
        holds = [index for index, answer in enumerate(self._answers) if answer]
        self.highlighted = next(
            (index for index in holds if self._holds(index, decisions, given)), next(iter(holds), None)
        )
        self.display = bool(decisions)

    def _list(self, decision: Decision, given: str | None, *, named: bool) -> None:
        if named:
            self.add_option(Option(foreign(decision.name, "$quiet"), disabled=True))
            self._answers.append(None)
        for option in decision.options:
            mark = "▪ " if option.value == given else "· "
            self.add_option(Option(Content.assemble(mark, foreign(f"{option.value}: {option.text}"))))
            self._answers.append((decision.name, option.value))

    def _holds(self, index: int, decisions: Sequence[Decision], given: Callable[[Decision], str | None]) -> bool:
        answer = self._answers[index]
        return answer is not None and any(answer == (decision.name, given(decision)) for decision in decisions)

    def answer(self, index: int) -> tuple[str, str] | None:
        """Name and value of the answer at this place."""
        return self._answers[index]
