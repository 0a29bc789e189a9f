"""Where output goes: data to stdout or a file, words to stderr. What is written is made elsewhere."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from wizard.console.call import Call
from wizard.errors import WizardError
from wizard.text import visible

SCHEMA_VERSION = 1
"""Version of the JSON documents; events carry the same number."""


def prepare_streams() -> None:
    """Let no character of a foreign text stop the output: what the encoding lacks is written as an escape.

    A stream that the caller closed (`<&-`) becomes one that is empty or takes everything.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - lives as long as the process
            setattr(sys, name, stream)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")


def say(*lines: str) -> None:
    """Words for people, on stderr."""
    _write(sys.stderr, "".join(f"{visible(line)}\n" for line in lines))


def say_text(*lines: str) -> None:
    """Prose for people, on stderr; on a terminal broken between words, each line keeping its indent."""
    if not sys.stderr.isatty():
        say(*lines)
        return
    from wizard.console.tables import folded

    for line in lines:
        say(*folded(line.strip(), " " * (len(line) - len(line.lstrip()))))


def write_data(call: Call, text: str) -> None:
    """`text` to the file of -o, else to stdout: unchanged into a pipe or file, made visible on a terminal."""
    if call.output is not None and str(call.output) != "-":
        from wizard.export.files import write_atomically

        write_atomically(call.output, text, force=call.force)
        say(f"Written to {call.output}")
        return
    lost = _write(sys.stdout, visible(text) if sys.stdout.isatty() else text)
    if lost is not None:
        raise WizardError(
            f"The output could not be written: {lost.strerror or lost}.",
            why="What is there of it is not whole. What was done before is done.",
            fix="Make room there, or write it somewhere else.",
        )


def write_document(call: Call, command: str, body: Mapping[str, Any]) -> None:
    """One JSON document with `schema_version`; every character beyond ASCII is escaped, so it is safe on a terminal."""
    document = {"schema_version": SCHEMA_VERSION, "command": command, **body}
    write_data(call, json.dumps(document, indent=2) + "\n")


def write_line(body: Mapping[str, Any]) -> None:
    """One JSON object in one line on stdout, at once; once that cannot be written, nowhere."""
    _write(sys.stdout, json.dumps(body) + "\n")


def write_error(error: WizardError, *, as_json: bool) -> None:
    """What stopped the program: words on stderr, and with --json an object on stdout too."""
    if as_json:
        details = {
            "type": type(error).__name__,
            "exit_code": int(error.exit_code),
            "what": error.what,
            "why": error.why,
            "fix": error.fix,
        }
        write_line({"schema_version": SCHEMA_VERSION, "error": details})
    say_text(*f"rag-wizard: {error.what}".splitlines(), *error.why.splitlines())
    say(*error.fix.splitlines())


def _write(stream: TextIO, text: str) -> OSError | None:
    """Write and flush; what keeps it from being written ends the output, not the work.

    Returns that, unless nobody reads any more: a reader went away (`| head`), or a terminal hung up.
    """
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        silence(stream)
        return None if isinstance(error, BrokenPipeError) or error.errno == errno.EIO else error
    return None


def silence(stream: TextIO) -> None:
    """Send what is still written to `stream` nowhere, so that not even the interpreter's last flush fails."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
