"""Runs the program as a whole: whatever happens, words instead of a traceback, and the exit code that belongs to it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from wizard.console.call import Call, make_call
from wizard.console.declared import screen_options
from wizard.console.out import prepare_streams, silence, write_error
from wizard.console.supervise import StoppedBySignalError, raise_for_signals
from wizard.errors import ExitCode, WizardError
from wizard.launch import default_state_dir


def run_program(
    arguments: Sequence[str], show_screen: Callable[[Call], int], run_command: Callable[[Sequence[str]], int]
) -> int:
    """The screen, or what `run_command` makes of the arguments; the exit code."""
    prepare_streams()
    raise_for_signals()
    try:
        options = screen_options(arguments)
        return run_command(arguments) if options is None else show_screen(make_call(options))
    except WizardError as error:
        return _told(error, arguments)
    except BrokenPipeError:
        silence(sys.stdout)
        return ExitCode.DONE
    except KeyboardInterrupt as error:
        number = getattr(error, "number", signal.SIGINT)
        return _told(StoppedBySignalError("Interrupted. No rollout was being written to.", number=number), arguments)
    except Exception as error:
        from wizard.console.crash import report_crash

        return _told(report_crash(error, _state_dir(arguments)), arguments)


def _told(error: WizardError, arguments: Sequence[str]) -> int:
    if not error.told:
        write_error(error, as_json="--json" in arguments)
    return error.exit_code


def _state_dir(arguments: Sequence[str]) -> Path:
    """--state-dir as far as it can be read without the parser, which may not have come so far."""
    for position, word in enumerate(arguments):
        if word.startswith("--state-dir="):
            return Path(word.partition("=")[2])
        if word == "--state-dir" and position + 1 < len(arguments):
            return Path(arguments[position + 1])
    return default_state_dir()
