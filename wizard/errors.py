"""What can go wrong, as exceptions that carry words for people and the exit code. Nothing here talks to anyone."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The process's exit codes; the README's table is made from these."""

    DONE = 0
    FAILED = 1
    """A step or a check failed."""
    USAGE = 2
    PREREQUISITES = 3
    """Prerequisites not met, or a decision is missing."""
    CONNECTION = 4
    """Cannot connect, or the connection is unsuitable."""
    OTHER_OPERATOR = 5
    LOCK = 6
    """Gave up waiting for a lock."""
    REFUSED = 7
    """Would lose data, conflict, or the database is not as recorded."""
    INTERRUPTED = 130
    TERMINATED = 143
    HANGUP = 129


class WizardError(Exception):
    """Anything the wizard stops for. Subclasses fix the exit code.

    `what` happened, `why` it matters or where it comes from, `fix` what to do: each a sentence, each free of secrets.
    """

    exit_code = ExitCode.FAILED
    told = False
    """It was written for the operator already, and other words follow it."""

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.fix = fix

    def __str__(self) -> str:
        return "\n".join(part for part in (self.what, self.why, self.fix) if part)


class UsageError(WizardError):
    """The command line, an option or a rollout's files are not usable as given."""

    exit_code = ExitCode.USAGE


class RolloutInvalidError(UsageError):
    """A rollout's TOML or SQL is broken: `what` names file and key, `fix` the repair."""


class PrerequisiteError(WizardError):
    """Prerequisites not met or a decision missing; nothing was changed."""

    exit_code = ExitCode.PREREQUISITES


class ConnectionUnsuitableError(WizardError):
    """Cannot connect, or the connection cannot serve a rollout."""

    exit_code = ExitCode.CONNECTION


class OtherOperatorError(WizardError):
    """Another session holds the advisory lock of this rollout."""

    exit_code = ExitCode.OTHER_OPERATOR
    abandoned = False
    """True if nobody seems to be behind that session any more, so that it may be ended with the operator's word."""
    pid = 0
    """Of that session's backend, where it is known."""


class LockNotObtainedError(WizardError):
    """The patience for a table lock ran out."""

    exit_code = ExitCode.LOCK


class RefusedError(WizardError):
    """Going on would lose data, meet a conflict, or contradict what the registry holds."""

    exit_code = ExitCode.REFUSED


class ContradictionError(RefusedError):
    """An option is not what the registry holds: with it no command of this rollout works."""
