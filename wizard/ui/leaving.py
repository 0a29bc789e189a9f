"""The commands that leave the screen or cancel what runs: q, ctrl+c, and what a signal does."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from textual.content import Content

from wizard.ui.desk import attempt
from wizard.ui.looking import Looking

if TYPE_CHECKING:
    from wizard.errors import ExitCode
    from wizard.ui.app import WizardApp


class Leaving(Looking):
    """Each command of the table is a method of the same name."""

    def __init__(self, app: WizardApp) -> None:
        super().__init__(app)
        self.leaving = False
        """The operator wants to leave after what runs."""
        self._asking_to_leave = False

    def quit(self) -> None:
        """Idle: leave. While something writes: ask how."""
        if self._asking_to_leave:
            return
        if not self.board.activity.writes:
            self.app.exit()
            return
        from wizard.ui.screens.quit import Quit

        self._asking_to_leave = True
        self.app.push_screen(Quit(self.board), self._leave)

    def _leave(self, answer: str | None) -> None:
        self._asking_to_leave = False
        engine = self.app.desk.engine
        if answer not in {"stop", "cancel"}:
            return
        if engine is None or not self.board.activity.writes:
            self.app.exit()
            return
        self.leaving = self.board.stop_asked = True
        engine.stop()
        if answer == "cancel":
            self.app.in_background(engine.cancel)
        self.app.main.draw()

    def leave_at_once(self, code: ExitCode) -> None:
        """A signal: no question. What is committed stays, what runs is cancelled and rolled back.

        The terminal is put back at once, since it may be gone; what came of it is the last word: see `run_screen`.
        """
        engine = self.app.desk.engine
        if engine is not None and self.board.activity.writes:
            # Not a worker of the app: leaving could end it before it has begun.
            threading.Thread(target=attempt, args=(engine.cancel,), name="cancel", daemon=True).start()
        self.app.exit(return_code=int(code))

    def cancel(self) -> None:
        """ctrl+c: at work, ask; idle, say how to quit."""
        if not self.board.busy or self.app.desk.engine is None:
            self.say("q quits. ctrl+c cancels a running statement, and none is running")
            return
        from wizard.ui.screens.confirm import YesNo

        if not isinstance(self.app.screen, YesNo):
            self.app.push_screen(YesNo("Cancel", Content(self._what_a_cancel_does())), self._cancel)

    def _what_a_cancel_does(self) -> str:
        """The question, with what becomes of what is under way."""
        live = self.board.live
        if not self.board.activity.writes:
            return f"Stop {self.board.activity.value}? Nothing in the database is changed by it, and it can begin anew."
        if self.board.lost is not None:  # nobody knows whether a statement runs there
            return "Stop seeking the connection? What was committed stays; r asks the database again."
        if live is None or (live.backfill is None and (live.committed or not live.part)):
            return "Stop here? No part is on its way: everything that is committed stays."
        what, before = ("The batch", "batches") if live.backfill else (f"{live.step} part {live.part}", "parts")
        return f"Cancel the running statement? {what} is rolled back, the {before} before it stay, and the run stops."

    def _cancel(self, yes: bool | None) -> None:
        engine = self.app.desk.engine
        if not yes or engine is None or not self.board.busy:
            return
        if self.board.activity.writes:
            self.board.stop_asked = True
            self.app.in_background(engine.cancel)
            self.app.main.draw()
        else:
            self.app.in_background(engine.cancel_reading)
