"""Where the process starts: nothing but the way to the command line, quiet also when Ctrl+C comes while it loads."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wizard.errors import ExitCode

if TYPE_CHECKING:
    from wizard.console.call import Call


def main() -> None:
    """The entry point of `rag-wizard` and of `python -m wizard`."""
    # Loading makes many objects that stay: collecting in between costs a tenth of a short command's time. Whatever
    # runs for long turns collection on again. Plugins of pydantic are looked for in every installed package.
    gc.disable()
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        from wizard.console.program import run_program

        code = run_program(sys.argv[1:], _show_screen, _run_command)
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    sys.exit(code)


def _show_screen(call: Call) -> int:
    from wizard.screen import show_screen

    return show_screen(call)


def _run_command(arguments: Sequence[str]) -> int:
    """The command line proper, loaded only where there is a command."""
    from wizard.cli import run_command

    return run_command(arguments)


if __name__ == "__main__":
    main()
