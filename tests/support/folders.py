"""Folders that also the account running a server under root can pass, which pytest's tmp_path is closed to."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 (chosen for its speed; the folder in it has a random name)
ENOUGH_BYTES = 2 * 1024**3


def make_reachable_folder(*, programs: bool = False) -> Path:
    """A new, empty folder, in memory where there is enough of it; whoever makes it removes it.

    `programs`: programs will be run from it, which folders in memory often forbid.
    """
    roomy = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES
    above = MEMORY if roomy and not programs else None
    folder = Path(tempfile.mkdtemp(prefix="rag-wizard-test-", dir=above)).resolve()
    folder.chmod(0o755)
    return folder


@contextmanager
def reachable_folder(*, programs: bool = False) -> Iterator[Path]:
    """The same for as long as the block runs."""
    folder = make_reachable_folder(programs=programs)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
