"""How several processes share one demo server: two lock files in its folder, and nothing that outlives a process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Sharing:
    """One process's part in the sharing of `folder`, which exists.

    The kernel holds the locks (flock) and frees them when a process ends, also by kill -9; no pid is written down that
    could be stale or belong to somebody else by now. Every method but `turn` is called while it is our turn.
    """

    def __init__(self, folder: Path) -> None:
        self._turn_path = folder / "turn.lock"
        self._users_path = folder / "users.lock"
        self._users: int | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until no other process is creating, starting or stopping the server; keep them out meanwhile."""
        lock = _open(self._turn_path)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def is_used(self) -> bool:
        """True while another process (or another user in this one) uses the server."""
        probe = _open(self._users_path)
        try:
            fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            os.close(probe)

    def join(self) -> None:
        """Count as a user from now on."""
        self._users = _open(self._users_path)
        fcntl.flock(self._users, fcntl.LOCK_SH)

    def leave(self) -> bool:
        """Stop counting; True if no user is left."""
        if self._users is not None:
            os.close(self._users)
            self._users = None
        return not self.is_used()


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
