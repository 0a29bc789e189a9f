"""Folders that also the account running a server under root can pass, which pytest's tmp_path is closed to."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def make_reachable_folder() -> Path:
    """A new, empty folder below the system's temporary one; whoever makes it removes it."""
    folder = Path(tempfile.mkdtemp(prefix="rag-wizard-test-")).resolve()
    folder.chmod(0o755)
    return folder


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """The same for as long as the block runs."""
    folder = make_reachable_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
