"""Running the engine's writing calls off the main thread, so that signals reach the database in an orderly way.

INT, TERM and HUP cancel the running statement; its part is rolled back, what is committed stays. TSTP (Ctrl+Z) stops
the process only between two parts: a stopped process must not hold a lock.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from wizard.console.out import say
from wizard.errors import ExitCode, WizardError

if TYPE_CHECKING:
    from types import FrameType

    from wizard.engine.api import Engine

Result = TypeVar("Result")

ENDING = {
    number: code
    for name, code in (
        ("SIGINT", ExitCode.INTERRUPTED),
        ("SIGTERM", ExitCode.TERMINATED),
        ("SIGHUP", ExitCode.HANGUP),
    )
    if (number := getattr(signal, name, None)) is not None
}
"""Signals that end the program, with the exit code of each."""

_GIVE_UP_AFTER = 3
"""Signals after which the answer of the server is no longer waited for."""
_TICK_S = 0.05


class StoppedBySignalError(WizardError):
    """INT, TERM or HUP; the exit code is that of the signal."""

    def __init__(self, what: str, *, number: int = signal.SIGINT, why: str = "", fix: str = "") -> None:
        super().__init__(what, why=why, fix=fix)
        self.exit_code = ENDING.get(number, ExitCode.INTERRUPTED)


class SignalError(KeyboardInterrupt):
    """Raised in the main thread by TERM or HUP where no engine is at work, as Ctrl+C is."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def raise_for_signals() -> None:
    """From now on TERM and HUP unwind the program like Ctrl+C, so that what was opened is closed."""

    def on_signal(number: int, _frame: FrameType | None) -> None:
        raise SignalError(number)

    for number in ENDING:
        if number != signal.SIGINT:
            signal.signal(number, on_signal)


def supervised(engine: Engine, work: Callable[[], Result]) -> tuple[Result, int | None]:
    """The result of `work`, which drives `engine`, and the first signal that asked to end meanwhile.

    Each such signal asks the server to cancel the running statement; its part is rolled back and `work` returns. What
    `work` raises is raised here, after a signal as StoppedBySignalError.
    """
    results: list[Result] = []
    errors: list[BaseException] = []
    ended = threading.Event()

    def body() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)
        finally:
            ended.set()

    gc.enable()
    with _cancelling(engine) as received, _suspending(engine) as wanted:
        threading.Thread(target=body, name="engine", daemon=True).start()
        while not ended.wait(_TICK_S):
            if wanted.is_set():
                _suspend_between_parts(engine, ended)
                wanted.clear()
    if errors and received and isinstance(errors[0], WizardError):
        raise StoppedBySignalError(
            "Interrupted.", number=received[0], why=errors[0].what, fix=errors[0].why
        ) from None  # fmt: skip
    if errors:
        raise errors[0]
    return results[0], received[0] if received else None


@contextmanager
def _cancelling(engine: Engine) -> Iterator[list[int]]:
    """While open, a signal cancels `engine` instead of raising wherever the main thread is; they are collected."""
    received: list[int] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if len(received) >= _GIVE_UP_AFTER:
            raise StoppedBySignalError(
                "Interrupted before the server answered.",
                number=number,
                why="The running part is either committed or rolled back by the server, never half done.",
                fix=f"Ask the database: {engine.settings.command} status",
            )
        say("Cancelling the running statement; what is committed stays. Waiting for the server ...")
        # In a thread of its own: the handler runs between two instructions of whatever the main thread does.
        threading.Thread(target=engine.cancel, name="cancel", daemon=True).start()

    before = {number: signal.signal(number, on_signal) for number in ENDING}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _suspending(engine: Engine) -> Iterator[threading.Event]:
    """While open, Ctrl+Z pauses `engine` after its part, which the event tells, where the system has it."""
    wanted = threading.Event()
    number = getattr(signal, "SIGTSTP", None)
    if number is None:
        yield wanted
        return

    def on_stop(_number: int, _frame: FrameType | None) -> None:
        engine.pause()
        wanted.set()

    before = signal.signal(number, on_stop)
    try:
        yield wanted
    finally:
        signal.signal(number, before)


def _suspend_between_parts(engine: Engine, ended: threading.Event) -> None:
    """Waits for the end of the running part, then stops the process until it is continued."""
    say("Stopping after the running part; nothing is held then. Continue with fg.")
    while not engine.resting:
        if ended.wait(_TICK_S):
            return
    os.kill(os.getpid(), signal.SIGSTOP)
    engine.go_on()
