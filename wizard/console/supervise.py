"""Running the engine's writing calls off the main thread, so that Ctrl+C cancels in the database."""

from __future__ import annotations

import gc
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

_GIVE_UP_AFTER = 3
"""Presses of Ctrl+C after which the answer of the server is no longer waited for."""


class StoppedByKeyError(WizardError):
    """Ctrl+C."""

    exit_code = ExitCode.INTERRUPTED


def supervised(engine: Engine, work: Callable[[], Result]) -> tuple[Result, bool]:
    """The result of `work`, which drives `engine`, and whether Ctrl+C was pressed meanwhile.

    Each Ctrl+C asks the server to cancel the running statement; its part is rolled back and `work` returns. What `work`
    raises is raised here, after a Ctrl+C as StoppedByKeyError.
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
    with _cancelling(engine) as presses:
        threading.Thread(target=body, name="engine", daemon=True).start()
        ended.wait()
    if errors and presses and isinstance(errors[0], WizardError):
        raise StoppedByKeyError("Interrupted.", why=errors[0].what, fix=errors[0].why) from None
    if errors:
        raise errors[0]
    return results[0], bool(presses)


@contextmanager
def _cancelling(engine: Engine) -> Iterator[list[int]]:
    """While open, Ctrl+C cancels `engine` instead of raising wherever the main thread is; the presses are collected."""
    presses: list[int] = []

    def on_interrupt(number: int, _frame: FrameType | None) -> None:
        presses.append(number)
        if len(presses) >= _GIVE_UP_AFTER:
            raise StoppedByKeyError(
                "Interrupted before the server answered.",
                why="The running part is either committed or rolled back by the server, never half done.",
                fix=f"Ask the database: {engine.settings.command} status",
            )
        say("Cancelling the running statement; its part is rolled back. Waiting for the server ...")
        engine.cancel()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield presses
    finally:
        signal.signal(signal.SIGINT, before)
