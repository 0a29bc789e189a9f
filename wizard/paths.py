"""Paths as people type them, made whole and looked at: what no file can be called is told in words."""

from __future__ import annotations

import stat
from pathlib import Path

from wizard.errors import UsageError

_WHOLE = "Write the whole path, from / on."


def typed_path(text: str | Path) -> Path:
    """The path that somebody typed, absolute and with `~` resolved. Raises UsageError where that leads nowhere."""
    if "\0" in str(text):
        raise UsageError("That is no name of a file: it holds a character of code 0.")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise UsageError(f"{text} leads nowhere: {Path(text).parts[0]} has no home folder here.", fix=_WHOLE) from None
    except OSError as error:
        raise UsageError(f"{text} leads nowhere: the current folder is gone ({error.strerror}).", fix=_WHOLE) from None


def is_taken(path: Path) -> bool:
    """Something has this name, as far as this user may look."""
    try:
        return path.exists()
    except OSError:
        return False


def why_no_file(path: Path) -> str:
    """Why `path` is no file that can be read, as the end of a sentence; empty if it is one."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "is not there"
    except OSError as error:
        return f"cannot be looked at ({error.strerror})"
    if stat.S_ISREG(mode):
        return ""
    return "is a directory" if stat.S_ISDIR(mode) else "is no file"
