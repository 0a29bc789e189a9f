"""The start of the screen: refused where there is no terminal. Loads neither the parser nor the engine."""

from __future__ import annotations

import gc
import os
import sys

from wizard.console.call import Call
from wizard.errors import UsageError


def show_screen(call: Call) -> int:
    """The wizard on screen; the exit code. Raises UsageError where it cannot be shown."""
    if call.json:
        raise UsageError("--json needs a command.", fix="For example: rag-wizard status --json")
    dumb = os.environ.get("TERM") == "dumb"
    if dumb or not (sys.stdin.isatty() and sys.stdout.isatty()):
        why = "TERM is dumb." if dumb else "Input or output is not a terminal."
        raise UsageError("The screen needs a terminal.", why=why, fix="use: rag-wizard run --yes")
    from wizard.console.password import with_password_for_screen
    from wizard.ui.app import run_screen

    gc.enable()
    return run_screen(with_password_for_screen(call.launch))
