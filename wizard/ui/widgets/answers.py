"""The answers to a decision, listed on the stage. Asking the engine again with an answer is the app's work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import OptionList
from textual.widgets.option_list import Option

from wizard.ui.text import foreign

if TYPE_CHECKING:
    from wizard.rollout.model import Decision


class Answers(OptionList):
    """The answers to a decision, one option each; Enter on one gives it."""

    def __init__(self, decision: Decision) -> None:
        words = [f"{option.value}: {option.text}" for option in decision.options]
        super().__init__(*[Option(foreign(text)) for text in words], id="answers", name=decision.name)
        self.decision = decision
