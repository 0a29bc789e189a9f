"""Writing a file whole or not at all. What goes into it is made elsewhere."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from wizard.durable import sync_folder
from wizard.errors import UsageError


def write_atomically(path: Path, text: str, *, force: bool = False) -> None:
    """Write `text` to `path` with mode 0600, by a temporary file beside it that takes its name once it is on disk.

    Raises UsageError if the file exists and `force` is not given, or if it cannot be written.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from None
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        if force:
            temporary.replace(path)
        else:
            _take_free_name(temporary, path)
    except FileExistsError:
        raise UsageError(
            f"{path} exists and was left as it is.", fix="Give another name; a command overwrites it with --force."
        ) from None
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def make_private_folder(folder: Path) -> None:
    """Create `folder` for this user only. Raises UsageError if that is impossible."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise UsageError(f"Cannot create {folder}: {error.strerror}.", fix="Choose another --state-dir.") from None


def _take_free_name(temporary: Path, path: Path) -> None:
    """Give the file its name only if nobody has it: a link fails on an existing one, a rename replaces it."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError(path) from None
        temporary.replace(path)


def _cannot_write(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"Cannot write {path}: {error.strerror or error}.", fix="Choose another place; a command takes it with -o FILE."
    )
