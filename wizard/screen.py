"""The start of the screen: refused where there is no terminal. Loads neither the parser nor the engine."""

from __future__ import annotations

import codecs
import gc
import os
import sys

from wizard.console.call import Call
from wizard.errors import UsageError

_WITHOUT = "use: rag-wizard run --yes"


def show_screen(call: Call) -> int:
    """The wizard on screen; the exit code. Raises UsageError where it cannot be shown."""
    if call.json:
        raise UsageError("--json needs a command.", fix="For example: rag-wizard status --json")
    dumb = os.environ.get("TERM") == "dumb"
    if dumb or not (sys.stdin.isatty() and sys.stdout.isatty()):
        why = "TERM is dumb." if dumb else "Input or output is not a terminal."
        raise UsageError("The screen needs a terminal.", why=why, fix=_WITHOUT)
    _require_a_drawable_terminal()
    from wizard.console.password import with_password_for_screen
    from wizard.ui.app import run_screen

    gc.enable()
    return run_screen(with_password_for_screen(call.launch))


def _require_a_drawable_terminal() -> None:
    """Textual draws on the process's own standard error, in whatever encoding that has."""
    drawn_on = sys.__stderr__
    if drawn_on is None or not drawn_on.isatty():
        raise UsageError(
            "The screen needs a terminal.",
            why="It is drawn on standard error, and that leads somewhere else.",
            fix=f"Start it without 2> FILE, or {_WITHOUT}",
        )
    if codecs.lookup(drawn_on.encoding).name != "utf-8":
        raise UsageError(
            "The screen needs a terminal that speaks UTF-8.",
            why=f"This one is set to {drawn_on.encoding}.",
            fix=f"Choose another locale, as in LC_ALL=C.UTF-8 rag-wizard, or {_WITHOUT}",
        )
