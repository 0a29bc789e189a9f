"""The system account a server runs under when we are root, and what it can reach; no server is started here."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wizard.errors import UsageError

CANDIDATES = ("postgres", "nobody")
"""Unprivileged accounts that a Linux or macOS system already has, best first."""


@dataclass(frozen=True)
class Account:
    """An unprivileged account of this system."""

    name: str
    uid: int
    gid: int

    @property
    def popen_options(self) -> dict[str, Any]:
        """Keyword arguments that make subprocess run a program as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_read(self, path: Path) -> bool:
        """True if the mode bits let this account open `path` and pass every folder above it."""
        path = path.resolve()
        return self._has(path, stat.S_IROTH) and self.can_pass(path.parent)

    def can_pass(self, folder: Path) -> bool:
        """True if the mode bits let this account reach what lies in `folder`."""
        folder = folder.resolve()
        return all(self._has(each, stat.S_IXOTH) for each in (folder, *folder.parents))

    def _has(self, path: Path, bit: int) -> bool:
        """`bit` is the permission as written for others; owner and group have the same one further left."""
        try:
            found = path.stat()
        except OSError:
            return False
        if found.st_uid == self.uid:
            return bool(found.st_mode & (bit << 6))
        if found.st_gid == self.gid:
            return bool(found.st_mode & (bit << 3))
        return bool(found.st_mode & bit)


def server_account() -> Account | None:
    """The account to run a server under: None for anyone but root, since PostgreSQL refuses only root.

    Raises UsageError if we are root and the system has none of CANDIDATES.
    """
    if os.geteuid() != 0:
        return None
    import pwd

    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise UsageError(
        "The demo database cannot be run by root, and this system has no account named "
        + " or ".join(CANDIDATES)
        + ".",
        why="PostgreSQL refuses to run as root. Nothing was started.",
        fix="Create one (useradd --system postgres), or run rag-wizard --demo as another user.",
    )
