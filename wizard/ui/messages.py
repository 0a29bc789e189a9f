"""Textual messages, and the one place that turns what the engine reports in its thread into them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message
from textual.message_pump import MessagePump

if TYPE_CHECKING:
    from wizard.db.target import Target
    from wizard.engine.events import BackfillProgressed, Event, IndexProgressed, Listener
    from wizard.engine.views import LoggedStatement, PreviewTable, Survey
    from wizard.ui.trouble import Activity, Trouble


@dataclass
class EngineReported(Message):
    """The engine recorded something and says so."""

    event: Event


@dataclass
class ProgressReported(Message):
    """How far a part is, told up to several times a second: where the screen is behind, the newest one is enough."""

    event: BackfillProgressed | IndexProgressed

    def can_replace(self, message: Message) -> bool:
        """`message`, which comes next, says the same of the same part, only newer."""
        return (
            isinstance(message, ProgressReported)
            and type(message.event) is type(self.event)
            and (message.event.step, message.event.part) == (self.event.step, self.event.part)
        )


@dataclass
class PreviewRead(Message):
    """What a step wants to be seen before it runs was counted, or could not be."""

    step: str
    tables: Sequence[PreviewTable]
    trouble: Trouble | None


@dataclass
class TargetOpened(Message):
    """The target is resolved and can be named."""

    target: Target
    command: str
    """How this program is called for it."""


@dataclass
class OperationEnded(Message):
    """An operation of the engine is over, well or not."""

    activity: Activity
    result: object
    """What the engine returned; None when it raised."""
    trouble: Trouble | None
    survey: Survey | None
    """Read after the operation; None when that was not possible."""
    statements: Sequence[LoggedStatement]


@dataclass
class BlockerSignalled(Message):
    """A session that is in the way was signalled, or left alone."""

    words: str
    """What happened."""


@dataclass
class StepHighlighted(Message):
    """The operator looks at another step."""

    step: str


@dataclass
class StepChosen(Message):
    """Enter was pressed on a step."""

    step: str


@dataclass
class TabChosen(Message):
    """A tab of the stage was clicked."""

    key: str


@dataclass
class StepShown(Message):
    """Another step is highlighted, whoever highlighted it."""

    step: str


class StageScrolled(Message):
    """The stage shows another part of its text."""


def listener_for(pump: MessagePump) -> Listener:
    """A listener for the engine that hands each event to the screen's own thread and returns at once."""

    def listen(event: Event) -> None:
        from wizard.engine.events import BackfillProgressed, IndexProgressed

        if isinstance(event, BackfillProgressed | IndexProgressed):
            pump.post_message(ProgressReported(event))
        else:
            pump.post_message(EngineReported(event))

    return listen
