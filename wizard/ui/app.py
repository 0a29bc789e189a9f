"""The Textual app: composes the screen, runs the engine in a thread, routes messages. What keys do is in actions.py."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import App, SystemCommand
from textual.screen import Screen

from wizard.errors import ExitCode
from wizard.ui.actions import Actions
from wizard.ui.board import Board, Preview, utc_now
from wizard.ui.commands import COMMANDS
from wizard.ui.desk import Desk, Snapshot, attempt, unexpected
from wizard.ui.messages import (
    BlockerSignalled,
    EngineReported,
    OperationEnded,
    PreviewRead,
    ProgressReported,
    StepChosen,
    StepShown,
    TargetOpened,
    listener_for,
)
from wizard.ui.screens.main import MainScreen
from wizard.ui.text import as_markup, visible
from wizard.ui.theme import CALM
from wizard.ui.trouble import Activity, Trouble
from wizard.ui.widgets.answers import Answers

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.driver import Driver
    from textual.widgets import OptionList

    from wizard.engine.api import Engine
    from wizard.launch import Launch

KEYBOARD_LOST = Trouble(
    "The wizard met a fault of its own: it could not go on reading the keyboard.",
    "What was committed stays committed; what ran came to the end of its part.",
    "Start again: the wizard reads the state from the database.",
)
Then = Callable[[Any], None]
"""What to do with an operation's result, on the screen's own thread."""


class WizardApp(App[None]):
    """One launch, one board, one engine. Only one operation at a time is handed to the engine."""

    TITLE = "rag-wizard"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    ENABLE_COMMAND_PALETTE = True

    def __init__(self, launch: Launch, *, clock: Callable[[], datetime] = utc_now) -> None:
        super().__init__()
        self.register_theme(CALM)
        self.theme = CALM.name
        self.board = Board(launch, clock)
        self.main = MainScreen(self.board)
        self.desk = Desk(listener_for(self))
        self.actions = Actions(self)
        self._then: Then | None = None
        self._ended: OperationEnded | None = None
        """How the last operation ended, as its thread said it; None while one is under way."""
        self.fault: Trouble | None = None
        """The fault of the screen itself that ended it."""

    def get_driver_class(self) -> type[Driver]:
        """Textual's driver for this system; where it would end at a key that is no UTF-8, one that goes on."""
        found = super().get_driver_class()
        if found.__name__ != "LinuxDriver":
            return found
        from wizard.ui.driver import SteadyDriver

        return SteadyDriver

    def get_default_screen(self) -> Screen[Any]:
        """The main screen; everything else lies on top of it."""
        return self.main

    def on_mount(self) -> None:
        """Connect once the screen has been painted for the first time."""
        self._listen_to_signals()
        self.say_title("rag-wizard")
        self.call_after_refresh(self.connect)

    def _listen_to_signals(self) -> None:
        """INT, TERM and HUP end the screen as q and c do: the running statement is cancelled, the terminal put back.

        TSTP stops the process only between two parts, the way Textual's own driver does it.
        """
        if self.is_headless or sys.platform == "win32":
            return
        loop = asyncio.get_running_loop()
        by_textual = signal.getsignal(signal.SIGTSTP)
        if callable(by_textual):
            loop.add_signal_handler(signal.SIGTSTP, self.actions.stand_aside, partial(by_textual, signal.SIGTSTP, None))
        loop.add_signal_handler(signal.SIGINT, self.actions.leave_at_once, ExitCode.INTERRUPTED)
        loop.add_signal_handler(signal.SIGTERM, self.actions.leave_at_once, ExitCode.TERMINATED)
        loop.add_signal_handler(signal.SIGHUP, self.actions.leave_at_once, ExitCode.HANGUP)

    def on_unmount(self) -> None:
        """However the screen ends, the engine ends after its part: a paused run would hold the process for ever.

        So would something that only reads, of which nobody hears any more.
        """
        engine = self.desk.engine
        if engine is None:
            return
        engine.stop()
        if not self.board.activity.writes:
            end = partial(engine.cancel_reading, for_good=True)
            threading.Thread(target=attempt, args=(end,), name="cancel", daemon=True).start()

    # ------------------------------------------------------------------ operations

    def connect(self) -> None:
        """Open the target of the launch and read its state."""
        gc.enable()
        self.board.began(Activity.CONNECTING)
        self.main.follow()
        self._run(Activity.CONNECTING, self._open)

    def _open(self) -> None:
        self.desk.open(self.board.launch, lambda *found: self.post_message(TargetOpened(*found)))

    def start(self, activity: Activity, work: Callable[[Engine], object], then: Then | None = None) -> None:
        """Hand one operation to the engine, unless it is at work or not there, or would write where nothing may."""
        engine = self.desk.engine
        if self.board.busy or engine is None or (activity.writes and self.board.looks_only):
            return
        self._then = then
        self._ended = None
        engine.steer_anew()  # a key may have come after the end of the last one, while the database was read
        self.board.began(activity)
        self.main.follow()
        self._run(activity, partial(work, engine))

    def _run(self, activity: Activity, work: Callable[[], object]) -> None:
        self.run_worker(
            partial(self._work, activity, work),
            thread=True,
            exit_on_error=False,
            group="engine",
            name=activity.name.lower(),
            description=f"{activity.value} {self.board.name}",
        )

    def _work(self, activity: Activity, work: Callable[[], object]) -> None:
        """In the worker thread: the operation, then what the database says now. Touches no widget."""
        result, trouble = attempt(work)
        snapshot, unread = Snapshot(), None
        if self.desk.engine is not None and (self.is_running or activity.writes):
            snapshot, unread = self.desk.read(with_statements=activity is Activity.CONNECTING)
        self._ended = OperationEnded(activity, result, trouble or unread, snapshot.survey, snapshot.statements)
        self.post_message(self._ended)

    def settle(self) -> None:
        """Once the app is closed: takes note of how the operation ended that it was closed upon."""
        ended = self._ended
        if self.board.busy and ended is not None and ended.survey is not None:
            self.board.ended(ended.survey, ended.statements, ended.trouble)

    def in_background(self, work: Callable[[], object]) -> None:
        """Steer the running engine where that itself may wait for the network."""
        self.run_worker(partial(attempt, work), thread=True, exit_on_error=False, group="steering", description="steer")

    def count(self, step_id: str) -> None:
        """Count in the background what a step wants to be seen before it runs, once for each state of the database."""
        engine, board = self.desk.engine, self.board
        step = board.step(step_id)
        if engine is None or step is None or step_id in board.previews or not board.may_count(step):
            return
        board.previews[step_id] = Preview()

        def work() -> None:
            tables, trouble = attempt(partial(engine.preview, step_id))
            self.post_message(PreviewRead(step_id, tables or (), trouble))

        self.run_worker(work, thread=True, exit_on_error=False, group="preview", description=f"preview of {step_id}")

    def signal(self, work: Callable[[], str]) -> None:
        """Signal a session that is in the way; what came of it is told where it was asked for."""

        def told() -> None:
            happened, trouble = attempt(work)
            words = f"{trouble.what}: {trouble.why}" if trouble else happened or ""
            self.post_message(BlockerSignalled(words))

        self.run_worker(told, thread=True, exit_on_error=False, group="steering", description="signal")

    # ------------------------------------------------------------------ messages

    def on_target_opened(self, message: TargetOpened) -> None:
        """The target has a name before the server answers."""
        # A demo that was to begin anew has begun: whoever connects again wants the one that is there.
        self.board.launch = replace(self.board.launch, fresh=False)
        self.board.opened(message.target)
        self.board.command = message.command
        self.main.draw()

    def on_engine_reported(self, message: EngineReported) -> None:
        """Mirror one event. The highlight follows the running step unless the operator looks elsewhere."""
        board, main = self.board, self.main
        before = board.live.step if board.live else None
        board.heard(message.event)
        moved = board.live is not None and board.live.step != before
        if moved and main.current in {before, "", main.awaited}:
            main.follow()
        else:
            main.draw()

        self.actions.draw_blockers()

    def on_blocker_signalled(self, message: BlockerSignalled) -> None:
        """A session in the way was signalled, or not."""
        self.actions.tell_signalled(message.words)

    def on_progress_reported(self, message: ProgressReported) -> None:
        """How far a part is: drawn with the next frame, however often it is told."""
        self.board.heard(message.event)
        self.main.draw()

    def on_step_shown(self, message: StepShown) -> None:
        """Another step is looked at, or begins."""
        self.count(message.step)

    def on_preview_read(self, message: PreviewRead) -> None:
        """What a step wants to be seen was counted."""
        untold = message.trouble.what if message.trouble else ""
        if message.trouble is not None and message.trouble.cancelled:
            self.board.previews.pop(message.step, None)  # it is counted when it is looked at again
        else:
            self.board.previews[message.step] = Preview(tuple(message.tables), self.board.clock(), untold)
        self.main.draw()

    def on_operation_ended(self, message: OperationEnded) -> None:
        """The survey replaces what was reported; then whatever was to follow."""
        self.board.ended(message.survey, message.statements, message.trouble)
        self.actions.draw_blockers()
        then, self._then = self._then, None
        if message.trouble is None and then is not None:
            then(message.result)
        self.actions.after(message)
        if not self.actions.leaving:
            self.count(self.main.current)

    def on_step_chosen(self, message: StepChosen) -> None:
        """Enter on a step."""
        self.actions.choose(message.step)

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Enter on an answer to a decision."""
        answers = self.main.query_one(Answers)
        chosen = answers.answer(message.option_index) if message.option_list is answers else None
        if chosen is not None:
            self.actions.answer(*chosen)

    def on_worker_state_changed(self) -> None:
        """Workers post their own end; what they raise was turned into words in the thread."""

    # ------------------------------------------------------------------ keys that Textual binds itself

    def action_command(self, command_id: str) -> None:
        """One command of the table."""
        self.actions.do(command_id)

    async def action_quit(self) -> None:
        """ctrl+q, also from a question: the same question as q."""
        self.actions.quit()

    def action_help_quit(self) -> None:
        """ctrl+c without selected text."""
        self.actions.cancel()

    def action_command_palette(self) -> None:
        """ctrl+p, but not over a typed confirmation."""
        if getattr(self.screen, "PALETTE", True):
            super().action_command_palette()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:  # noqa: ARG002
        """The palette: the table of commands, and every step by name."""
        for command in COMMANDS:
            if command.in_palette:
                yield SystemCommand(command.label, command.help, partial(self.actions.do, command.id))
        for step in self.board.steps:
            words = (as_markup(f"Go to step {step.id} {step.label}"), as_markup(step.title))
            yield SystemCommand(*words, partial(self.main.look_at, step.id))

    # ------------------------------------------------------------------ the terminal around the app

    def _fatal_error(self) -> None:
        """Leave with calm words. Textual's own traceback prints local variables, and those may hold a password."""
        error = sys.exc_info()[1]
        if isinstance(error, Exception):
            self.fault = unexpected(error)
        self._close_messages_no_wait()

    def panic(self, *renderables: RenderableType) -> None:  # noqa: ARG002 a traceback is nothing to show
        """The terminal's own thread failed, and no key comes any more: leave in an orderly way, with words."""
        self.fault = KEYBOARD_LOST
        self.exit(return_code=int(ExitCode.FAILED))

    def say_title(self, text: str, *, ring: bool = False) -> None:
        """The terminal's title, and its bell when the operator is needed."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(f"\x1b]2;{text}\x07")
        if ring:
            self.bell()


def run_screen(launch: Launch) -> int:
    """Runs the screen on a terminal until the operator leaves it; returns the exit code. Prints where things stand."""
    app = WizardApp(launch)
    gc.disable()  # until the first paint: what is made before stays, and looking through it takes a tenth of the time
    try:
        app.run()
    finally:
        gc.enable()
        app.desk.close()
    # The threads are joined by now, so what a signal cancelled has ended, and nobody heard of it.
    app.settle()
    for line in farewell(app.board, app.fault):
        print(line, file=sys.stderr)  # noqa: T201 the screen is gone; this is what stays in the scrollback
    return app.return_code or app.board.exit_code


def farewell(board: Board, fault: Trouble | None = None) -> list[str]:
    """What the operator reads in the terminal afterwards: a fault, the state of the database, how to go on."""
    return [visible(line) for line in _last_words(board, fault)]


def _last_words(board: Board, fault: Trouble | None) -> list[str]:
    trouble = fault or (board.trouble if board.survey is None else None)
    lines = [line for line in (trouble.what, trouble.why, trouble.fix) if line] if trouble else []
    if board.survey is None:
        return lines
    if board.activity.writes:
        lines.append("The database has not said what became of the last part. What was committed before it stays.")
        lines.append(f"Ask for it with: {board.command} status")
        return lines
    lines.append(board.sentence)
    if board.survey.begun and not board.survey.finished:
        lines.append(f"Go on with: {board.command}")
    return lines
