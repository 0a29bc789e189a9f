"""What the engine is doing for the screen, and why it could not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Activity(Enum):
    """What the engine is doing; the value is the word of the State line."""

    CONNECTING = "connecting"
    OFFLINE = "not connected"
    IDLE = "ready"
    READING = "reading"
    CHECKING = "checking"
    RUNNING = "running"
    VERIFYING = "verifying"
    ROLLING_BACK = "rolling back"

    @property
    def writes(self) -> bool:
        """True while the engine may change the database."""
        return self in {Activity.RUNNING, Activity.ROLLING_BACK}


@dataclass(frozen=True)
class Trouble:
    """Why an operation could not be done, in the words of a WizardError."""

    what: str
    why: str = ""
    fix: str = ""
    exit_code: int = 1
    no_target: bool = False
    """No setting names a database: the screen asks for one."""
    abandoned: bool = False
    """A session that nobody seems to be behind any more is in the way."""
    refused: bool = False
    """Going on would lose data, meet a conflict, or contradict what the registry holds."""
    cancelled: bool = False
    """The operator wanted no more of something that only reads: nothing is wrong."""
    during: Activity = Activity.IDLE
    """What the engine was asked for."""

    @property
    def concerns_the_rollout(self) -> bool:
        """Not just something that was looked at, or written to a file: the process ends with its exit code."""
        return self.during is not Activity.READING
